"""Test cards and bank accounts: what each number does, by Stripe's own lists of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SETTLE_DAYS = 2
DEBIT_DAYS = 4
CARD, BANK_DEBIT, CASH = "card", "us_bank_account", "customer_balance"


@dataclass(frozen=True)
class Card:
    """A test card, or a bank account to debit.

    settle_days: until its money is available; decline: the code of its refusal, or None;
    confirm_days: until a bank says yes or no (0: at once); dispute: what its holder complains
    about, at once; refund: how refunds to it end; present_only: whether it refuses to be charged
    while its holder is away.
    """

    number: str
    token: str
    label: str
    settle_days: int = SETTLE_DAYS
    decline: str | None = None
    advice: str = ""
    kind: str = CARD
    confirm_days: int = 0
    dispute: str | None = None
    refund: Literal["succeeds", "pending", "fails"] = "succeeds"
    present_only: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


AT_ONCE = Card(
    "4000000000000077",
    "pm_card_bypassPending",
    "Succeeds; the money is available at once",
    settle_days=0,
)
CARDS = (
    AT_ONCE,
    Card(
        "4242424242424242",
        "pm_card_visa",
        "Succeeds; the money is pending for two days of the sandbox's clock",
    ),
    Card(
        "4000000000000002",
        "pm_card_chargeDeclined",
        "Declined",
        decline="generic_decline",
        advice="Your card was declined.",
    ),
    Card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        "Declined: insufficient funds",
        decline="insufficient_funds",
        advice="Your card has insufficient funds.",
    ),
    Card(
        "4000000000000259",
        "pm_card_createDispute",
        "Succeeds, then its holder disputes it as fraudulent",
        settle_days=0,
        dispute="fraudulent",
    ),
    Card(
        "4000000000001976",
        "pm_card_createDisputeInquiry",
        "Succeeds, then its bank inquires about it",
        settle_days=0,
        dispute="inquiry",
    ),
    Card(
        "4000000000005126",
        "pm_card_refundFail",
        "Succeeds; a refund to it comes back a day later",
        settle_days=0,
        refund="fails",
    ),
    Card(
        "4000000000007726",
        "pm_card_pendingRefund",
        "Succeeds; a refund to it takes a day",
        settle_days=0,
        refund="pending",
    ),
    Card(
        "4000002760003184",
        "pm_card_authenticationRequired",
        "Succeeds only while its holder is present",
        settle_days=0,
        present_only=True,
    ),
    Card(
        "4000000000000341",
        "pm_card_chargeCustomerFail",
        "Can be saved, and is declined when it is charged later",
        decline="card_declined",
        advice="Your card was declined.",
    ),
)
DEBITS = (
    Card(
        "000123456789",
        "pm_usBankAccount_success",
        "Bank debit: takes four days of the sandbox's clock, then succeeds",
        kind=BANK_DEBIT,
        confirm_days=DEBIT_DAYS,
        settle_days=0,
    ),
    Card(
        "000222222227",
        "pm_usBankAccount_insufficientFunds",
        "Bank debit: takes four days of the sandbox's clock, then fails",
        kind=BANK_DEBIT,
        confirm_days=DEBIT_DAYS,
        decline="insufficient_funds",
        advice="The bank account has insufficient funds.",
    ),
)
BY_NUMBER = {card.number: card for card in (*CARDS, *DEBITS)}
BY_TOKEN = {card.token: card for card in (*CARDS, *DEBITS)}


def fee(amount: int, places: int, kind: str = CARD) -> int:
    """What processing costs, in minor units.

    Cards: 2.9 % and thirty hundredths, or 3.6 % where there are none. Bank debits: 0.8 %, at most
    five units. Bank transfers: 0.5 %, at most five units. places: the currency's decimal places.
    """
    if kind in {BANK_DEBIT, CASH}:
        share = 80 if kind == BANK_DEBIT else 50
        return min((amount * share + 5_000) // 10_000, int(5 * 10**places))
    if places == 0:
        return (amount * 360 + 5_000) // 10_000
    fixed = 30 if places == 2 else 300
    return (amount * 290 + 5_000) // 10_000 + fixed
