"""The forecast of time to fill, from what eligible people did in the last weeks; pure.

Future weeks are drawn from the past: each coming day is one of the past days of the same weekday,
drawn many times with a fixed seed, and the job gets its share of that day's hours. The quantiles
of those draws are the forecast, so slow and fast weeks widen the interval as they should.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

DAY_SECONDS = 86_400
THIN_DAYS = 3
DRAWS = 200
DAYS_MAX = 365
# Other open jobs take less than an even share each, since some of them are nearly done; how much
# less is not known, so this job's share is drawn around that.
OTHERS_TAKE = 0.6
SHARE_SPREAD = 0.8
INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Day:
    """One past day of the eligible people. weekday: 0 is Monday; seconds: hours of work, in all
    jobs."""

    weekday: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds until all seats are filled, half and nine times in ten; None where data are thin."""

    p50: int | None
    p90: int | None
    note: str


def forecast(
    seats: int,
    *,
    eligible: int,
    expected_seconds: int,
    days: Sequence[Day],
    competing: int = 0,
    weekday: int = 0,
) -> Forecast:
    """Time to fill, from past days (zeros included) of the people who are eligible now.

    competing: other open jobs that want the same people; weekday: today's. With fewer than three
    active days there is no interval: the note says what is known instead.
    """
    if eligible == 0:
        return Forecast(None, None, "Nobody is eligible now, so there is no forecast.")
    hours = seats * expected_seconds / 3_600
    active = sum(1 for day in days if day.seconds > 0)
    if active < THIN_DAYS:
        return Forecast(
            None,
            None,
            f"The eligible people were active on {active} of the last {len(days)} days, too few "
            f"for a forecast. The job holds about {hours:.1f} hours of work.",
        )
    drawn = sorted(_draws(max(1, seats) * expected_seconds, days, competing, weekday))
    worked = sum(day.seconds for day in days) / 3_600
    beside = f", with {competing} other open jobs beside it" if competing else ""
    half, most = drawn[len(drawn) // 2], drawn[len(drawn) * 9 // 10]
    if half == INFINITE:
        return Forecast(
            None,
            None,
            f"At the pace of the last {len(days)} days ({worked:.0f} hours of work{beside}) it "
            f"would take more than a year. The job holds about {hours:.1f} hours.",
        )
    note = (
        f"From {worked:.0f} hours of work of the eligible people in the last {len(days)} "
        f"days{beside}; the job holds about {hours:.1f}."
    )
    p50 = max(expected_seconds, round(half))
    return Forecast(p50, None if most == INFINITE else max(p50, round(most)), note)


def _draws(wanted: int, days: Sequence[Day], competing: int, weekday: int) -> list[float]:
    """Seconds until `wanted` seconds of work are done, in each of many drawn futures."""
    by_weekday: dict[int, list[int]] = defaultdict(list)
    for day in days:
        by_weekday[day.weekday].append(day.seconds)
    everything = [day.seconds for day in days]
    chance = Random(0)
    return [
        _one_future(
            wanted, lambda at: by_weekday.get((weekday + at) % 7) or everything, chance, fair
        )
        for fair in [1 / (1 + OTHERS_TAKE * competing)] * DRAWS
    ]


def _one_future(
    wanted: int, past: Callable[[int], list[int]], chance: Random, fair: float
) -> float:
    share = min(1.0, fair * chance.lognormvariate(0, SHARE_SPREAD)) if fair < 1 else 1.0
    done = 0.0
    for at in range(DAYS_MAX):
        today = chance.choice(past(at)) * share
        if today and done + today >= wanted:
            return (at + (wanted - done) / today) * DAY_SECONDS
        done += today
    return INFINITE
