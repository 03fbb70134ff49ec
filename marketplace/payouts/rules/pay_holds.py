"""Holds on available pay: why, by whom, until when somebody looks again, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from marketplace.ledger.rules import HoldReason

NOTE_MIN = 10
NOTE_MAX = 2_000


class PayHoldState(StrEnum):
    """Where a hold stands."""

    OPEN = "open"
    LIFTED = "lifted"


class HoldEvent(StrEnum):
    """What happened to a hold; `looked`: somebody looked again and keeps it."""

    PLACED = "placed"
    LOOKED = "looked"
    LIFTED = "lifted"


class LiftReason(StrEnum):
    """Why held pay is let go."""

    SETTLED = "settled"
    NOTHING_FOUND = "nothing_found"
    MISTAKEN = "mistaken"


PAY_HOLD_NEXT: Mapping[PayHoldState, frozenset[PayHoldState]] = {
    PayHoldState.OPEN: frozenset({PayHoldState.LIFTED}),
    PayHoldState.LIFTED: frozenset(),
}
REASON_LABELS: Mapping[HoldReason, str] = {
    HoldReason.REVIEW: "The work is looked at again",
    HoldReason.IDENTITY: "Who you are has to be confirmed",
    HoldReason.SANCTIONS: "An entry of a published list is compared",
    HoldReason.DISPUTE: "A payment is disputed",
    HoldReason.PAYEE_CHANGED: "The bank account has changed",
    HoldReason.CORRECTION: "An amount has to be corrected",
}
# What the specialist can do, in a sentence.
REASON_ADVICE: Mapping[HoldReason, str] = {
    HoldReason.REVIEW: "You need do nothing; we write to you if we have a question.",
    HoldReason.IDENTITY: "Keep your profile and your papers up to date; nothing else is needed.",
    HoldReason.SANCTIONS: "You need do nothing; a person compares and lets go.",
    HoldReason.DISPUTE: "You need do nothing; your work is not in question.",
    HoldReason.PAYEE_CHANGED: "Check the bank account under “Where you are paid”.",
    HoldReason.CORRECTION: "You need do nothing; the corrected amount goes out afterwards.",
}
LIFT_LABELS: Mapping[LiftReason, str] = {
    LiftReason.SETTLED: "What it was about is settled",
    LiftReason.NOTHING_FOUND: "Looked into; nothing was found",
    LiftReason.MISTAKEN: "It was placed by mistake",
}
