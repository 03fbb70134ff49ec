"""How many people approve a run, and how much one of them may approve in a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from marketplace.errors import Refused
from marketplace.money import Money

WINDOW = timedelta(hours=24)


class OverLimit(Refused):
    """An approver's limit for 24 hours does not cover the run."""

    code = "approval_limit"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """By currency, in minor units; a currency without an entry needs two people always.

    two_from: runs of this much and more need two approvals; new_payee_from: as do those with a
    first payment of this much and more to a payee; day_limit: the most that one approver may
    approve in 24 hours, none for a currency without an entry.
    """

    two_from: Mapping[str, int]
    new_payee_from: Mapping[str, int]
    day_limit: Mapping[str, int]

    def approvals(self, total: Money, largest_first: Money | None) -> int:
        """1 or 2: how many people must approve; largest_first: the largest first payment in it."""
        if total.minor >= self.two_from.get(total.currency, 0):
            return 2
        new_from = self.new_payee_from.get(total.currency, 0)
        return 2 if largest_first is not None and largest_first.minor >= new_from else 1

    def limit(self, currency: str) -> int | None:
        """The most that one approver may approve in 24 hours, or None."""
        return self.day_limit.get(currency)


def check_limit(total: Money, *, used_minor: int, limit_minor: int | None) -> None:
    """Refuse what would lead over the limit, in words that say how much is left."""
    if limit_minor is None or used_minor + total.minor <= limit_minor:
        return
    left = Money(max(0, limit_minor - used_minor), total.currency)
    limit = Money(limit_minor, total.currency)
    raise OverLimit(
        f"Your approvals of the last 24 hours leave you {left} of {limit}; this run is {total}. "
        "Somebody else can approve it, or you can later."
    )
