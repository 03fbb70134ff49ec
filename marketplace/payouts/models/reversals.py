"""Transfers that are taken back, by two people, each a journalled call."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts.rules import ReversalReason, ReversalState
from marketplace.secrets import EncryptedText


class PayoutReversal(Root):
    """A line's transfer, or a part of it, to be taken back; its id is Stripe's idempotency key.

    hold: whether the money is held afterwards instead of available; note: why, in words,
    encrypted; reason_code and reason: why Stripe refused, the latter in words for finance.
    """

    __tablename__ = "payout_reversal"
    id: Mapped[IdKey]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("payout_line.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[ReversalState] = mapped_column(text_enum(ReversalState))
    hold: Mapped[bool]
    why: Mapped[ReversalReason] = mapped_column(text_enum(ReversalReason))
    note: Mapped[str] = mapped_column(EncryptedText)
    asked_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    approved_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime | None]
    reversal_id: Mapped[str | None] = mapped_column(unique=True)
    balance_transaction_id: Mapped[str | None]
    destination_amount_minor: Mapped[int | None]
    destination_currency: Mapped[str | None] = mapped_column(CHAR(3))
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", ReversalState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("approved_by <> asked_by", name="two_people"),
        CheckConstraint(
            "state IN ('asked', 'cancelled') OR"
            " (approved_by IS NOT NULL AND approved_at IS NOT NULL)",
            name="approved",
        ),
        CheckConstraint(
            "(state = 'reversed') = (reversal_id IS NOT NULL"
            " AND balance_transaction_id IS NOT NULL AND destination_amount_minor IS NOT NULL"
            " AND destination_currency IS NOT NULL)",
            name="reversed_in_full",
        ),
        CheckConstraint(
            "(state IN ('reversed', 'rejected', 'cancelled')) = (ended_at IS NOT NULL)",
            name="ended_at",
        ),
        Index(
            "uq_payout_reversal_live",
            "line_id",
            unique=True,
            postgresql_where=text("state IN ('asked', 'approved', 'submitting', 'unknown')"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What comes back to our balance."""
        return Money(self.amount_minor, self.currency)
