"""A payee as Stripe shows it, and the lifecycle of a hold on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class HoldState(StrEnum):
    """Where a hold on a payee stands; `ended` means that the names agree by now."""

    OPEN = "open"
    CLEARED = "cleared"
    ENDED = "ended"


HOLD_NEXT: Mapping[HoldState, frozenset[HoldState]] = {
    HoldState.OPEN: frozenset({HoldState.CLEARED, HoldState.ENDED}),
    HoldState.CLEARED: frozenset(),
    HoldState.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A connected account as Stripe shows it.

    requirements: what Stripe wants to know next, in its own names; paid_to: a fingerprint of the
    bank accounts or cards behind it, None without any; names: whose account it is and whose bank
    accounts they are, where Stripe says so; compared at once and kept nowhere.
    """

    account_id: str
    transfers_active: bool
    details_submitted: bool
    disabled_reason: str | None
    requirements: tuple[str, ...]
    country: str
    currency: str
    paid_to: str | None
    names: tuple[str, ...] = ()

    @property
    def payable(self) -> bool:
        """Whether a transfer would be taken."""
        return self.transfers_active and self.disabled_reason is None
