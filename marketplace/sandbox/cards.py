"""Test cards: what each number does, by Stripe's own list of them."""

from __future__ import annotations

from dataclasses import dataclass

SETTLE_DAYS = 2


@dataclass(frozen=True)
class Card:
    """A test card.

    settle_days: until its money is available; decline: the code of its refusal, or None.
    """

    number: str
    token: str
    label: str
    settle_days: int = SETTLE_DAYS
    decline: str | None = None
    advice: str = ""

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
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {card.token: card for card in CARDS}


def fee(amount: int, places: int) -> int:
    """What processing costs: 2.9 % and thirty hundredths, or 3.6 % where there are none.

    places: the currency's decimal places.
    """
    if places == 0:
        return (amount * 360 + 5_000) // 10_000
    fixed = 30 if places == 2 else 300
    return (amount * 290 + 5_000) // 10_000 + fixed
