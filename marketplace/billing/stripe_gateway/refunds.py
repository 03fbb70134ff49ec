"""Refunds at Stripe, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stripe import Refund as StripeRefund
from stripe import StripeClient

from marketplace.billing.rules.refunds import RefundLine, RefundNow
from marketplace.billing.stripe_gateway.checkout import id_of
from marketplace.billing.stripe_gateway.lines import BalanceLine, balance_line
from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.stripe_client import moving_money, reading_back, stripe_minor, translated

FAILED = frozenset({"failed", "canceled"})
REASONS = {
    "expired_or_canceled_card": "The card has expired or was cancelled.",
    "lost_or_stolen_card": "The card was reported lost or stolen.",
    "declined": "The bank of the card declined it.",
}
UNTOLD = "The bank of the card sent it back and gave no reason."
LIST_PAGE = 100


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What Stripe is asked for; the same wish always makes the same request."""

    refund_id: UUID
    organisation_id: UUID
    payment_intent_id: str
    amount: Money
    key: str


@outside_transaction
def create_refund(client: StripeClient, wish: RefundWish) -> RefundNow:
    """Make the refund, or replay the answer to the same wish.

    Raises StripeRefused (Stripe says no), StripeUnreachable or StripeRateLimited (ask again).
    """
    with moving_money():
        refund = client.v1.refunds.create(
            {
                "payment_intent": wish.payment_intent_id,
                "amount": stripe_minor(wish.amount),
                "metadata": {
                    "refund_id": str(wish.refund_id),
                    "organisation_id": str(wish.organisation_id),
                },
            },
            {"idempotency_key": wish.key},
        )
    with reading_back():
        return _seen(client, refund)


@outside_transaction
def refund_now(client: StripeClient, stripe_refund_id: str) -> tuple[RefundNow, str | None]:
    """The refund as it is now, and our own id out of its metadata."""
    with translated():
        refund = client.v1.refunds.retrieve(stripe_refund_id)
    named = (refund.metadata.to_dict() if refund.metadata else {}).get("refund_id")
    return _seen(client, refund), named


@outside_transaction
def refund_named(client: StripeClient, payment_intent_id: str, refund_id: UUID) -> RefundNow | None:
    """The refund of a payment whose metadata names ours; None after the whole list without it."""
    with translated():
        listed = client.v1.refunds.list({"payment_intent": payment_intent_id, "limit": LIST_PAGE})
        found = [
            refund
            for refund in listed.auto_paging_iter()
            if (refund.metadata.to_dict() if refund.metadata else {}).get("refund_id")
            == str(refund_id)
        ]
    return _seen(client, found[0]) if found else None


def _seen(client: StripeClient, refund: StripeRefund) -> RefundNow:
    took = _line(client, id_of(refund.balance_transaction))
    back = _line(client, id_of(getattr(refund, "failure_balance_transaction", None)))
    reason = getattr(refund, "failure_reason", None)
    return RefundNow(
        id=refund.id,
        failed=refund.status in FAILED,
        reason=REASONS.get(reason or "", UNTOLD),
        taken=RefundLine(took.id, -took.amount, took.fee, took.created_at) if took else None,
        returned=RefundLine(back.id, back.amount, back.fee, back.created_at) if back else None,
    )


def _line(client: StripeClient, line_id: str | None) -> BalanceLine | None:
    return balance_line(client, line_id) if line_id else None
