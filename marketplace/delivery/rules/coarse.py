"""Figures of people told so coarsely that two labs cannot join their pseudonyms by them. Pure."""

from __future__ import annotations

STEPS = 20  # Shares are told to the nearest twentieth.


def coarse_share(share: float) -> float:
    """A share of 0 to 1, to the nearest twentieth."""
    return round(share * STEPS) / STEPS


def coarse_count(number: int) -> int:
    """At least so many: 1, 2 or 5 times a power of ten; 0 for none."""
    if number < 1:
        return 0
    power = int("1" + "0" * (len(str(number)) - 1))
    return max(each * power for each in (1, 2, 5) if each * power <= number)
