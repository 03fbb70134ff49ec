"""Ranking of jobs, and the forecast of time to fill; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, sqrt
from statistics import fmean, stdev

from marketplace.errors import Refused
from marketplace.money import Money

DAY_SECONDS = 86_400
THIN_DAYS = 3
Z90 = 1.2816  # The 90th percentile of a standard normal distribution.


class NotEligible(Refused):
    """The specialist may not work on this job; the message lists the reasons."""

    code = "not_eligible"


class NotOpen(Refused):
    """The job does not hand out seats at present."""

    code = "job_not_open"


@dataclass(frozen=True, slots=True)
class Offer:
    """What the ranking of a job for a specialist depends on.

    specialty_matches: how many of the job's specialties the specialist holds; seats_open: free
    seats; rate: effective pay an hour; shown: how often the job was worked on by this specialist.
    """

    job_id: str
    specialty_matches: int
    seats_open: int
    rate: Money
    published_at: datetime
    deadline_at: datetime | None


def fit(offer: Offer) -> float:
    """0..1: how special the job is to this specialist."""
    return 1 - exp(-offer.specialty_matches)


def urgency(offer: Offer, now: datetime) -> float:
    """0..1: rises over the last week before the deadline, and with age where there is none."""
    if offer.deadline_at is None:
        age = max(0.0, (now - offer.published_at).total_seconds())
        return 0.5 * (1 - exp(-age / (14 * DAY_SECONDS)))
    left = max(0.0, (offer.deadline_at - now).total_seconds())
    return exp(-left / (7 * DAY_SECONDS))


def ranked(offers: Sequence[Offer], now: datetime) -> list[Offer]:
    """The offers, best first; a total order, so the same market gives the same list."""
    best = max((offer.rate.minor for offer in offers), default=1) or 1

    def weight(offer: Offer) -> tuple[float, str]:
        pay = offer.rate.minor / best
        return -(0.45 * fit(offer) + 0.35 * urgency(offer, now) + 0.2 * pay), offer.job_id

    return sorted(offers, key=weight)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds until all seats are filled, half and nine times in ten; None where data are thin."""

    p50: int | None
    p90: int | None
    note: str


def forecast(seats: int, *, eligible: int, expected_seconds: int, daily: Sequence[int]) -> Forecast:
    """Time to fill from the submissions a day that eligible people made in the last weeks.

    daily: one count for each of the last days, zeros included. With fewer than three active days
    there is no interval: the note says what is known instead.
    """
    if eligible == 0:
        return Forecast(None, None, "Nobody is eligible now, so there is no forecast.")
    active = [count for count in daily if count > 0]
    if len(active) < THIN_DAYS:
        hours = seats * expected_seconds / 3_600
        return Forecast(
            None,
            None,
            f"The eligible people were active on {len(active)} of the last {len(daily)} days, "
            f"too few for a forecast. The job holds about {hours:.1f} hours of work.",
        )
    mean = fmean(daily)
    # The slow case: a daily rate at the tenth percentile of its mean.
    error = stdev(daily) / sqrt(len(daily))
    slow = max(mean - Z90 * error, mean / 10)
    note = f"From {sum(daily)} submissions of the eligible people in the last {len(daily)} days."
    return Forecast(
        max(expected_seconds, round(seats / mean * DAY_SECONDS)),
        max(expected_seconds, round(seats / slow * DAY_SECONDS)),
        note,
    )
