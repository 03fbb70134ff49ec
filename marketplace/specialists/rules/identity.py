"""Showing an identity document: its states, and how what it says is compared; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from marketplace.specialists.rules.names import name_score


class IdentityState(StrEnum):
    """Where one showing of a document stands."""

    STARTED = "started"
    PROCESSING = "processing"
    NEEDS_INPUT = "needs_input"
    VERIFIED = "verified"
    CANCELLED = "cancelled"


_S = IdentityState
OPEN = frozenset({_S.STARTED, _S.PROCESSING, _S.NEEDS_INPUT})
IDENTITY_NEXT: Mapping[IdentityState, frozenset[IdentityState]] = {
    _S.STARTED: frozenset({_S.PROCESSING, _S.NEEDS_INPUT, _S.VERIFIED, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.NEEDS_INPUT, _S.VERIFIED, _S.CANCELLED}),
    _S.NEEDS_INPUT: frozenset({_S.PROCESSING, _S.VERIFIED, _S.CANCELLED}),
    _S.VERIFIED: frozenset(),
    _S.CANCELLED: frozenset(),
}
# Each showing costs the platform money, and a person seldom needs more than two.
ATTEMPTS_MAX = 5
ATTEMPTS_WITHIN = timedelta(days=30)
ABANDONED_AFTER = timedelta(days=30)
# Stripe's words for a session's status.
STATE_OF: Mapping[str, IdentityState] = {
    "processing": _S.PROCESSING,
    "verified": _S.VERIFIED,
    "canceled": _S.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """A session as Stripe tells it: held in memory only, until it is compared.

    status: Stripe's; error: its code for what went wrong, or None; redacted: its contents are gone.
    """

    status: str
    url: str | None = None
    error: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    born_on: date | None = None
    document_country: str | None = None
    document_until: date | None = None
    redacted: bool = False

    @property
    def state(self) -> IdentityState:
        """Our word for the status; one that was opened and failed needs another try."""
        if self.status in STATE_OF:
            return STATE_OF[self.status]
        return _S.NEEDS_INPUT if self.error else _S.STARTED


@dataclass(frozen=True, slots=True)
class Compared:
    """How a document fits: what is kept of it. birth_matches: None where one side has none."""

    name_score: float
    birth_matches: bool | None


def compared(seen: SeenDocument, legal_name: str, born_on: str | None) -> Compared:
    """How alike the names are, 0 to 1, and whether the birth dates (ISO) are the same."""
    name = " ".join(part for part in (seen.first_name, seen.last_name) if part)
    birth = None
    if seen.born_on is not None and born_on:
        birth = seen.born_on.isoformat() == born_on
    return Compared(round(name_score(name, legal_name), 3), birth)
