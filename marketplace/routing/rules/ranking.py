"""The order in which jobs are offered to a specialist; pure, and a total order.

A job that keeps to its schedule is worth between 0 and 1: fit, skill and pay for the person, and a
share for jobs that were shown little. A job behind its schedule gains without bound as its time
runs out, so that it comes first whatever the others pay: nothing starves while there are people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log2

from marketplace.money import Money

# A job without a deadline is treated as if it had this long: it ages instead of waiting for ever.
PATIENCE = timedelta(days=28)
REMAINING_LEAST = 1e-6
FIT, SKILL, PAY, EXPOSURE = 0.3, 0.15, 0.35, 0.2
# What a job gains each time that its pressure doubles.
BEHIND = 0.6
# Half of the time is meant for three quarters of the work, so that what is hard to fill at the
# end (few who fit, each with a share of one person) has time left.
EAGER = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """What the ranking of a job for a specialist depends on.

    specialty_matches: how many of the job's specialties the specialist holds; seats_open: free
    seats, of seats_total in all; rate: effective pay an hour; skill: lower bound of the
    specialist's skill in the job's domain, None where nothing is known.
    """

    job_id: str
    specialty_matches: int
    seats_open: int
    rate: Money
    published_at: datetime
    deadline_at: datetime | None
    seats_total: int = 0
    skill: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a specialist stands. served: 0..1, how much work they lately got, 1 for plenty."""

    served: float = 0.5


def fit(offer: Offer) -> float:
    """0..1: how special the job is to this specialist."""
    return 1 - exp(-offer.specialty_matches)


def open_share(offer: Offer) -> float:
    """0..1: how much of the job still waits; 1 where its size is not known."""
    total = max(offer.seats_total, offer.seats_open)
    return offer.seats_open / total if total else 1.0


def time_left(offer: Offer, now: datetime) -> float:
    """0..1: the share of the job's time that is left, never quite nothing."""
    ends = offer.deadline_at or offer.published_at + PATIENCE
    whole = (ends - offer.published_at).total_seconds()
    left = (ends - now).total_seconds()
    return min(1.0, max(left / whole if whole > 0 else 0.0, REMAINING_LEAST))


def pressure(offer: Offer, now: datetime) -> float:
    """The share of work left over the square of the share of time left: 1 is on schedule.

    Never falls while the job waits.
    """
    return open_share(offer) / time_left(offer, now) ** EAGER


def score(offer: Offer, now: datetime, best: int, standing: Standing) -> float:
    """What the order goes by; best: the highest rate among the offers, in minor units.

    Pay counts for more with people who got little work lately, so that the best paid work is not
    always the same people's.
    """
    hungry = 1.5 - standing.served
    skill = 0.5 if offer.skill is None else offer.skill
    worth = (
        FIT * fit(offer)
        + SKILL * skill
        + PAY * hungry / 1.5 * (offer.rate.minor / best)
        + EXPOSURE * open_share(offer)
    )
    behind = log2(max(1.0, pressure(offer, now)))
    return worth + BEHIND * behind


def ranked(offers: Sequence[Offer], now: datetime, standing: Standing | None = None) -> list[Offer]:
    """The offers, best first; a total order, so the same market gives the same list."""
    best = max((offer.rate.minor for offer in offers), default=1) or 1
    whose = standing or Standing()
    return sorted(offers, key=lambda offer: (-score(offer, now, best, whose), offer.job_id))
