"""The table of top-ups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules import TopUpState
from marketplace.billing.rules.automatic import Origin
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class TopUp(Root):
    """Money that a lab asked to put into its balance.

    amount_minor is what was asked; fee_minor is what Stripe kept, known once it is posted
    (zero where Stripe converted the payment, whose fee is in another currency).
    note: why it failed or what keeps it waiting, in words for the lab. clears_at: when a debit that
    could come back turns from pending to available. origin: a person at the checkout, or the
    balance itself, of which there is never more than one on its way; payment_method_id: the saved
    card that such a one charges.
    """

    __tablename__ = "top_up"
    id: Mapped[IdKey]
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    asked_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[TopUpState] = mapped_column(text_enum(TopUpState))
    origin: Mapped[Origin] = mapped_column(text_enum(Origin), server_default="checkout")
    success_url: Mapped[str]
    cancel_url: Mapped[str]
    checkout_session_id: Mapped[str | None] = mapped_column(unique=True)
    checkout_url: Mapped[str | None]
    payment_intent_id: Mapped[str | None] = mapped_column(unique=True)
    balance_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    fee_minor: Mapped[int | None]
    ledger_transaction_id: Mapped[UUID | None]
    payment_method_id: Mapped[str | None]
    note: Mapped[str | None]
    asked_at: Mapped[datetime]
    next_look_at: Mapped[datetime]
    posted_at: Mapped[datetime | None]
    clears_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", TopUpState),
        one_of("origin", Origin),
        CheckConstraint(
            "(origin = 'automatic') = (payment_method_id IS NOT NULL)", name="charges_a_card"
        ),
        Index(
            "uq_top_up_automatic",
            "organisation_id",
            "currency",
            unique=True,
            postgresql_where=text(
                "origin = 'automatic' AND state IN ('requested', 'settling', 'clearing')"
            ),
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(state IN ('clearing', 'posted', 'returned')) ="
            " (balance_transaction_id IS NOT NULL AND fee_minor IS NOT NULL"
            " AND ledger_transaction_id IS NOT NULL AND posted_at IS NOT NULL)",
            name="posted_in_full",
        ),
        CheckConstraint(
            "state <> 'checkout_open' OR (checkout_session_id IS NOT NULL"
            " AND checkout_url IS NOT NULL)",
            name="open_has_session",
        ),
        CheckConstraint("state <> 'clearing' OR clears_at IS NOT NULL", name="clears_at"),
        Index("ix_top_up_clearing", "clears_at", postgresql_where=text("state = 'clearing'")),
        Index("ix_top_up_organisation_id_id", "organisation_id", "id"),
        Index(
            "ix_top_up_waiting",
            "next_look_at",
            postgresql_where=text("state IN ('requested', 'checkout_open', 'settling')"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What was asked for."""
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money | None:
        """What Stripe kept, once it is posted."""
        return None if self.fee_minor is None else Money(self.fee_minor, self.currency)
