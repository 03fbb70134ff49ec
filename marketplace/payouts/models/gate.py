"""Whether anything may be sent: closed while a restored book may not know of what was paid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts.rules import GateState
from marketplace.secrets import EncryptedText


class PayoutGate(Root):
    """The one row that every sender looks at.

    checked_at: when Stripe's transfers were last compared with our attempts; it never goes back,
    so a process that sees an older time than it wrote knows that the database was restored.
    closed_at and reason: why nothing is sent; resynced_at: when reconciliation last said that it
    has imported all that Stripe has.
    """

    __tablename__ = "payout_gate"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    state: Mapped[GateState] = mapped_column(text_enum(GateState))
    reason: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    resynced_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed') AND id = 1", name="state"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    )


class StrayTransfer(Root):
    """A transfer at Stripe that names a line which this database does not know.

    line_id: what the transfer's metadata says. Its specialist is paid nothing more until a person
    has settled it; note: how, encrypted.
    """

    __tablename__ = "stray_transfer"
    transfer_id: Mapped[str] = mapped_column(primary_key=True)
    stripe_account_id: Mapped[str]
    specialist_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    line_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(EncryptedText)

    __table_args__ = (
        Index(
            "ix_stray_transfer_open",
            "specialist_id",
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What left our balance."""
        return Money(self.amount_minor, self.currency)
