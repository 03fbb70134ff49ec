"""That somebody was told of a credential that runs out."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root


class CredentialReminder(Root):
    """One mail before the last day of a credential: one for each of its stages, ever.

    days: the stage (60, 30 or 7); a renewed credential has another last day, and so new stages.
    """

    __tablename__ = "credential_reminder"
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("credential_claim.id"), primary_key=True)
    valid_until: Mapped[date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("days IN (60, 30, 7)", name="days"),)
