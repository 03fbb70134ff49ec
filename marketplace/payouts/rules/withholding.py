"""Withheld tax on its way to a tax office."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RemittanceState(StrEnum):
    """Where a payment to a tax office stands; posted when a second person has confirmed it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


REMITTANCE_NEXT: Mapping[RemittanceState, frozenset[RemittanceState]] = {
    RemittanceState.PROPOSED: frozenset({RemittanceState.CONFIRMED, RemittanceState.WITHDRAWN}),
    RemittanceState.CONFIRMED: frozenset(),
    RemittanceState.WITHDRAWN: frozenset(),
}
REMITTANCE_LABELS: Mapping[RemittanceState, str] = {
    RemittanceState.PROPOSED: "Waits for a second person",
    RemittanceState.CONFIRMED: "Confirmed",
    RemittanceState.WITHDRAWN: "Withdrawn",
}
REFERENCE_MAX = 100
