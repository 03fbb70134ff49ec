"""What specialists say about themselves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root
from marketplace.secrets import EncryptedText


class SpecialistProfile(Root):
    """What a specialist says about themselves.

    specialties: as in the catalogue, of all professions together, offered where a credential is
    claimed; works_*: minutes of the day in `time_zone`; legal_name, born_on (ISO date): as on
    their papers, encrypted, for comparison with sources only; employers: names of organisations
    that they work for, whose jobs they are not given.
    """

    __tablename__ = "specialist_profile"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    headline: Mapped[str]
    professions: Mapped[list[str]]
    specialties: Mapped[list[str]] = mapped_column(server_default="{}")
    languages: Mapped[list[str]]
    jurisdictions: Mapped[list[str]]
    time_zone: Mapped[str]
    works_from: Mapped[int | None]
    works_until: Mapped[int | None]
    daily_minutes_max: Mapped[int | None]
    country: Mapped[str | None] = mapped_column(CHAR(2))
    payout_currency: Mapped[str] = mapped_column(CHAR(3))
    legal_name: Mapped[str | None] = mapped_column(EncryptedText)
    born_on: Mapped[str | None] = mapped_column(EncryptedText)
    employers: Mapped[list[str]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
