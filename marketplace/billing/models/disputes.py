"""Disputed payments, and what a lab owes that will not come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.disputes import DisputeState, WriteOffState
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class Dispute(Root):
    """A payment that its payer contests, as Stripe told it last.

    organisation_id, top_up_id: empty where no top-up of ours explains the payment, which only
    finance sees. status: Stripe's own word; withdrawal_id, reinstatement_id: the lines that are in
    the book; lost_posted_at: when the book took the loss.
    """

    __tablename__ = "dispute"
    id: Mapped[IdKey]
    stripe_dispute_id: Mapped[str] = mapped_column(unique=True)
    organisation_id: Mapped[OrganisationId | None] = mapped_column(ForeignKey("organisation.id"))
    top_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("top_up.id"))
    charge_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[DisputeState] = mapped_column(text_enum(DisputeState))
    status: Mapped[str]
    reason: Mapped[str]
    evidence_due_at: Mapped[datetime | None]
    has_evidence: Mapped[bool]
    evidence_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    evidence_at: Mapped[datetime | None]
    withdrawal_id: Mapped[str | None] = mapped_column(unique=True)
    reinstatement_id: Mapped[str | None] = mapped_column(unique=True)
    lost_posted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    looked_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", DisputeState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(organisation_id IS NULL) = (top_up_id IS NULL)", name="explained"),
        CheckConstraint("reinstatement_id IS NULL OR withdrawal_id IS NOT NULL", name="returned"),
        CheckConstraint("lost_posted_at IS NULL OR reinstatement_id IS NULL", name="one_end"),
        Index("ix_dispute_organisation_id_id", "organisation_id", "id"),
        Index("ix_dispute_top_up_id", "top_up_id"),
        Index(
            "ix_dispute_ongoing",
            "looked_at",
            postgresql_where=text("state IN ('inquiry', 'open')"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What is contested."""
        return Money(self.amount_minor, self.currency)


class WriteOff(Root):
    """A proposal to write off what a lab owes; another person decides."""

    __tablename__ = "write_off"
    id: Mapped[IdKey]
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[WriteOffState] = mapped_column(text_enum(WriteOffState))
    reason: Mapped[str]
    proposed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", WriteOffState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("decided_by <> proposed_by OR state = 'rejected'", name="two_people"),
        Index(
            "uq_write_off_open",
            "organisation_id",
            "currency",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What would be written off."""
        return Money(self.amount_minor, self.currency)
