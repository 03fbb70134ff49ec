"""The table of refunds to labs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.refunds import RefundState
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class Refund(Root):
    """A part of one payment on its way back to the card. request_id: several refunds, one wish.

    attempt: counts idempotency keys; tried_at: when the key in use was first sent; note: why it
    was refused or came back, in words for the lab.
    """

    __tablename__ = "refund"
    id: Mapped[IdKey]
    request_id: Mapped[UUID]
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    top_up_id: Mapped[UUID] = mapped_column(ForeignKey("top_up.id"))
    payment_intent_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[RefundState] = mapped_column(text_enum(RefundState))
    attempt: Mapped[int]
    tried_at: Mapped[datetime | None]
    stripe_refund_id: Mapped[str | None] = mapped_column(unique=True)
    balance_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    return_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    note: Mapped[str]
    asked_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", RefundState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> asked_by", name="two_people"),
        CheckConstraint(
            "(state IN ('sent', 'returned')) = (balance_transaction_id IS NOT NULL)", name="sent"
        ),
        CheckConstraint(
            "(state = 'returned') = (return_transaction_id IS NOT NULL)", name="returned"
        ),
        CheckConstraint(
            "state NOT IN ('pending', 'sent', 'returned') OR stripe_refund_id IS NOT NULL",
            name="at_stripe",
        ),
        CheckConstraint(
            "state NOT IN ('sending', 'unknown') OR tried_at IS NOT NULL", name="tried"
        ),
        Index("ix_refund_organisation_id_id", "organisation_id", "id"),
        Index("ix_refund_top_up_id", "top_up_id"),
        Index("ix_refund_request_id", "request_id"),
        Index(
            "ix_refund_waiting",
            "next_look_at",
            postgresql_where=text("state IN ('ready', 'sending', 'unknown', 'pending')"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)
