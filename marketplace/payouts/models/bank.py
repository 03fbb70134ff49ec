"""What happens to transfers at the bank: Stripe's payouts to specialists, and their parts."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts.rules import ConnectedState


class ConnectedPayout(Root):
    """A payout that Stripe makes from a specialist's account to their bank, as it was fetched.

    payout_id: `po_…`; specialist_id: None where no payee of ours explains the account;
    stripe_status: Stripe's own word; trouble: what a person must look at, in words, None for
    nothing; made_at: when Stripe made it; read_at: when it was fetched last.
    """

    __tablename__ = "connected_payout"
    id: Mapped[IdKey]
    payout_id: Mapped[str] = mapped_column(unique=True)
    stripe_account_id: Mapped[str]
    specialist_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[ConnectedState] = mapped_column(text_enum(ConnectedState))
    stripe_status: Mapped[str]
    automatic: Mapped[bool]
    arrives_on: Mapped[date | None]
    trace_id: Mapped[str | None]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    trouble: Mapped[str | None]
    made_at: Mapped[datetime]
    since: Mapped[datetime]
    read_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", ConnectedState),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_connected_payout_trace_id", "trace_id"),
        Index("ix_connected_payout_account", "stripe_account_id"),
    )

    @property
    def amount(self) -> Money:
        """What leaves the specialist's account at Stripe."""
        return Money(self.amount_minor, self.currency)


class ConnectedPayoutPart(Root):
    """That a payout to a bank holds a line's transfer, by a balance transaction of the account."""

    __tablename__ = "connected_payout_part"
    connected_payout_id: Mapped[UUID] = mapped_column(
        ForeignKey("connected_payout.id"), primary_key=True
    )
    line_id: Mapped[UUID] = mapped_column(ForeignKey("payout_line.id"), primary_key=True)
    balance_transaction_id: Mapped[str]

    __table_args__ = (Index("ix_connected_payout_part_line_id", "line_id"),)
