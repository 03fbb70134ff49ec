"""Cash that came by bank transfer, and what was done with it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.cash import (
    CashSource,
    CashState,
    ProposalKind,
    ProposalState,
)
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class CashReceipt(Root):
    """One payment that arrived. source_id: the natural id of its line at the bank or at Stripe.

    left_minor: what is neither applied nor sent back; remittance, payer: as the bank told them;
    note: why it was not applied by itself, empty where it was.
    """

    __tablename__ = "cash_receipt"
    id: Mapped[IdKey]
    source: Mapped[CashSource] = mapped_column(text_enum(CashSource))
    source_id: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    left_minor: Mapped[int]
    remittance: Mapped[str]
    payer: Mapped[str]
    booked_on: Mapped[date]
    state: Mapped[CashState] = mapped_column(text_enum(CashState))
    note: Mapped[str]
    ledger_transaction_id: Mapped[UUID]
    received_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        one_of("source", CashSource),
        one_of("state", CashState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("left_minor BETWEEN 0 AND amount_minor", name="left"),
        CheckConstraint("(state = 'settled') = (left_minor = 0)", name="settled"),
        Index(
            "ix_cash_receipt_waiting",
            "id",
            postgresql_where=text("state IN ('unapplied', 'proposed')"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What came."""
        return Money(self.amount_minor, self.currency)

    @property
    def left(self) -> Money:
        """What still waits for its owner."""
        return Money(self.left_minor, self.currency)


class CashProposal(Root):
    """What one person proposes for unapplied cash, with evidence, and another decides."""

    __tablename__ = "cash_proposal"
    id: Mapped[IdKey]
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("cash_receipt.id"))
    kind: Mapped[ProposalKind] = mapped_column(text_enum(ProposalKind))
    state: Mapped[ProposalState] = mapped_column(text_enum(ProposalState))
    organisation_id: Mapped[OrganisationId | None] = mapped_column(ForeignKey("organisation.id"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"))
    amount_minor: Mapped[int]
    evidence: Mapped[str]
    proposed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("kind", ProposalKind),
        one_of("state", ProposalState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(kind = 'apply') = (organisation_id IS NOT NULL)", name="apply_to"),
        CheckConstraint("invoice_id IS NULL OR kind = 'apply'", name="invoice"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
        CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="two_people"),
        Index(
            "uq_cash_proposal_open",
            "receipt_id",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
    )


class CashApplication(Root):
    """An amount of a receipt that went to a lab's balance, and pays an invoice if it names one."""

    __tablename__ = "cash_application"
    id: Mapped[IdKey]
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("cash_receipt.id"))
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("cash_proposal.id"), unique=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    rule: Mapped[str]
    ledger_transaction_id: Mapped[UUID]
    applied_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_cash_application_receipt_id", "receipt_id"),
        Index("ix_cash_application_organisation_id_id", "organisation_id", "id"),
    )

    @property
    def amount(self) -> Money:
        """What was applied."""
        return Money(self.amount_minor, self.currency)


class StripeCustomer(Root):
    """A lab as Stripe's customer: for its cash balance there, and for cards that it saves."""

    __tablename__ = "stripe_customer"
    organisation_id: Mapped[OrganisationId] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    customer_id: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
