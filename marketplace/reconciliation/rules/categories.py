"""Stripe's types of balance transactions: whose each is, and what treasury makes of its own; pure.

A type that Stripe adds tomorrow is nobody's: it is posted as an unclassified expense, a break asks
a person about it, and the import goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Owner(StrEnum):
    """Which part posts a line."""

    BILLING = "billing"
    PAYOUTS = "payouts"
    TREASURY = "treasury"


class Treatment(StrEnum):
    """What treasury does with a line of its own."""

    FUNDING = "funding"
    PAYOUT = "payout"
    PAYOUT_BACK = "payout_back"
    FEE = "fee"
    RESERVE = "reserve"
    PERSON = "person"
    UNKNOWN = "unknown"


_BILLING = (
    "adjustment charge payment payment_failure_refund payment_refund payment_reversal "
    "payment_unreconciled refund refund_failure stripe_balance_payment_debit "
    "stripe_balance_payment_debit_reversal"
)
_PAYOUTS = "transfer transfer_cancel transfer_failure transfer_refund"
_RESERVES = (
    "payment_network_reserve_hold payment_network_reserve_release payout_minimum_balance_hold "
    "payout_minimum_balance_release reserve_hold reserve_release reserve_transaction reserved_funds"
)
# Known, and so rare that a person posts them with evidence: the line waits as a break.
_PERSON = "topup_reversal connect_collection_transfer"
TREATMENTS: Mapping[str, Treatment] = {
    "topup": Treatment.FUNDING,
    "payout": Treatment.PAYOUT,
    "payout_failure": Treatment.PAYOUT_BACK,
    "payout_cancel": Treatment.PAYOUT_BACK,
    "stripe_fee": Treatment.FEE,
    "stripe_fx_fee": Treatment.FEE,
    "tax_fee": Treatment.FEE,
    **dict.fromkeys(_RESERVES.split(), Treatment.RESERVE),
    **dict.fromkeys(_PERSON.split(), Treatment.PERSON),
}
OWNERS: Mapping[str, Owner] = {
    **dict.fromkeys(_BILLING.split(), Owner.BILLING),
    **dict.fromkeys(_PAYOUTS.split(), Owner.PAYOUTS),
}
KNOWN = frozenset({*TREATMENTS, *OWNERS})
# The same thing of Stripe's has one line of each of these types, never two.
ONCE = ("charge", "payment", "payout", "payout_failure", "refund", "topup", "transfer")
# What Stripe writes into a fee's description, and what that is in the chart of accounts.
FEE_WORDS = (("connect", "connect"), ("dispute", "dispute"), ("chargeback", "dispute"))


def owner_of(kind: str) -> Owner:
    """Who posts a line of this type."""
    return OWNERS.get(kind, Owner.TREASURY)


def treatment_of(kind: str) -> Treatment:
    """What treasury does with a line of this type."""
    return TREATMENTS.get(kind, Treatment.UNKNOWN)


def fee_category(kind: str, description: str) -> str:
    """The chart's name for a fee, where Stripe's own words say it; else `unclassified`."""
    if kind == "stripe_fx_fee":
        return "processing"
    words = description.casefold()
    return next((name for word, name in FEE_WORDS if word in words), "unclassified")
