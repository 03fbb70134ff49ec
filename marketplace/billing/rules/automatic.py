"""Automatic top-ups: when one is due, how much a month may take, and why one stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from marketplace.billing.rules.top_ups import askable
from marketplace.errors import Fault, Faulty
from marketplace.money import Money


class AutomaticState(StrEnum):
    """Whether a lab's balance fills itself."""

    OFF = "off"
    SETTING_UP = "setting_up"
    ON = "on"


AUTOMATIC_LABELS: Mapping[AutomaticState, str] = {
    AutomaticState.OFF: "Off",
    AutomaticState.SETTING_UP: "Waiting for a card",
    AutomaticState.ON: "On",
}
AUTOMATIC_NEXT: Mapping[AutomaticState, frozenset[AutomaticState]] = {
    AutomaticState.OFF: frozenset({AutomaticState.SETTING_UP, AutomaticState.ON}),
    AutomaticState.SETTING_UP: frozenset({AutomaticState.ON, AutomaticState.OFF}),
    AutomaticState.ON: frozenset({AutomaticState.OFF, AutomaticState.SETTING_UP}),
}


class Origin(StrEnum):
    """Who made a top-up: a person at the checkout, or the balance itself."""

    CHECKOUT = "checkout"
    AUTOMATIC = "automatic"


AWAY = "authentication_required"
STOPPED_WORDS: Mapping[str, str] = {
    AWAY: "The bank of the card wants each payment confirmed by its holder, so that it cannot be "
    "charged by itself. Save another card, or top up by hand.",
    "insufficient_funds": "The card had too little money.",
    "expired_card": "The card has expired.",
}
DECLINED = "The card was declined. Save another card, or ask its bank."


@dataclass(frozen=True, slots=True)
class ChargeWish:
    """What a saved card is charged; the same wish always makes the same request."""

    top_up_id: UUID
    organisation_id: UUID
    amount: Money
    customer_id: str
    payment_method_id: str


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that Stripe keeps for a lab, and how people name it."""

    payment_method_id: str
    label: str


def checked(threshold: Money, amount: Money, month_max: Money) -> None:
    """Faulty with what to do, unless the three make sense together."""
    askable(amount)
    faults = []
    if threshold.minor < 0:
        faults.append(Fault("/threshold", "Write an amount of zero or more."))
    if month_max < amount:
        words = f"A month must allow at least one top-up of {amount}."
        faults.append(Fault("/month_max", words))
    if faults:
        raise Faulty("These amounts do not fit together.", faults)


def due(available: Money, threshold: Money, amount: Money, left: Money) -> bool:
    """Whether a top-up is due: below the threshold, with room for a whole one in the month."""
    return available < threshold and amount <= left


def stopped_words(code: str | None) -> str:
    """Why a card could not be charged, and what to do."""
    return STOPPED_WORDS.get(code or "", DECLINED)


def days_left(available: Money, spent: Money, days: int) -> int | None:
    """How many whole days the money lasts if days go on as the last ones did.

    spent: in all of `days`; None where nothing was spent.
    """
    if spent.minor <= 0:
        return None
    return max(0, int(Fraction(available.minor * days, spent.minor)))


def month_start(day: date) -> date:
    """The first day of the month in which limits are counted."""
    return day.replace(day=1)
