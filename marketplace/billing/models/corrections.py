"""Corrections: an invoice taken back and issued anew, as one person asked and another agreed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.cash import ProposalState
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId


class InvoiceCorrection(Root):
    """A wish to correct an invoice. credit_note_id, anew_id: the documents that came of it."""

    __tablename__ = "invoice_correction"
    id: Mapped[IdKey]
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"), index=True)
    state: Mapped[ProposalState] = mapped_column(text_enum(ProposalState))
    reason: Mapped[str]
    proposed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    anew_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"), unique=True)

    __table_args__ = (
        one_of("state", ProposalState),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="two_people"),
        CheckConstraint(
            "(state = 'approved') = (credit_note_id IS NOT NULL AND anew_id IS NOT NULL)",
            name="documents",
        ),
        Index(
            "uq_invoice_correction_open",
            "invoice_id",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
    )
