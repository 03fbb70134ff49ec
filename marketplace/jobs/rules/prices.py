"""Prices: what one seat costs, and the least and most that a job can cost.

The fee is a share of each seat's reward, rounded for that seat. A seat is charged its own reward
and fee, so the sum of what is charged is the price that was quoted, whatever the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.jobs.rules.lifecycle import PayPer
from marketplace.money import Money

HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Terms:
    """What prices depend on.

    pay: for one task, or for an hour; time_cap_seconds: the most active time that is paid for one
    seat of an hourly job; fee_basis_points: our fee on top of pay, in 1/10,000; seats_max: of a
    qualification, which pays for candidates and not for items; None for other work; items_max: the
    most items that specialists judge, where models judge the rest, None for all;
    contingency_basis_points: what is set aside on top of the most, in 1/10,000 of it.
    """

    pay: Money
    per: PayPer
    time_cap_seconds: int
    fee_basis_points: int
    overlap_min: int
    overlap_max: int
    seats_max: int | None = None
    items_max: int | None = None
    contingency_basis_points: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """What specialists get, what we get, and what the lab pays: the sum of both."""

    pay: Money
    fee: Money

    @property
    def total(self) -> Money:
        return self.pay + self.fee

    def __mul__(self, seats: int) -> Price:
        return Price(self.pay * seats, self.fee * seats)

    def __add__(self, other: Price) -> Price:
        return Price(self.pay + other.pay, self.fee + other.fee)

    def portion(self, basis_points: int) -> Price:
        """`basis_points` ten-thousandths of both parts, each rounded half up."""
        return Price(self.pay.portion(basis_points), self.fee.portion(basis_points))


@dataclass(frozen=True, slots=True)
class Estimate:
    """The least and the most that a number of tasks can cost.

    judged: the most of the tasks that specialists judge, where models judge the rest; contingency:
    a part of the most, for extra answers and for tasks that cannot be done; what is not needed of
    it goes back when the job closes.
    """

    tasks: int
    judged: int
    least: Price
    most: Price
    contingency: Price


def earned_by_hour(rate: Money, active_seconds: int, *, time_cap_seconds: int) -> Money:
    """Pay for active time at an hourly rate, up to the cap, rounded half up in minor units."""
    paid_seconds = max(0, min(active_seconds, time_cap_seconds))
    return (rate * paid_seconds).share([1, HOUR_SECONDS - 1])[0]


def seat_price(terms: Terms) -> Price:
    """The most that one seat can cost; for pay per task that is what it costs."""
    cap = terms.time_cap_seconds
    reward = (
        terms.pay
        if terms.per is PayPer.TASK
        else earned_by_hour(terms.pay, cap, time_cap_seconds=cap)
    )
    return Price(reward, reward.portion(terms.fee_basis_points))


def price_of(terms: Terms, tasks: int) -> Price:
    """The most that the judgements of `tasks` tasks can cost; publishing reserves it."""
    return seat_price(terms) * seats_of(terms, tasks)


def contingency_of(terms: Terms, tasks: int) -> Price:
    """What publishing reserves on top, for pay beyond the judgements that were asked for."""
    return price_of(terms, tasks).portion(terms.contingency_basis_points)


def seats_of(terms: Terms, tasks: int) -> int:
    """The most seats that `tasks` tasks can have; of a qualification, those of its candidates."""
    if terms.seats_max is not None:
        return terms.seats_max
    return specialist_items(terms, tasks) * terms.overlap_max


def specialist_items(terms: Terms, tasks: int) -> int:
    """The most of `tasks` items that specialists judge."""
    return tasks if terms.items_max is None else min(tasks, terms.items_max)


def estimate_of(terms: Terms, tasks: int) -> Estimate:
    """From every task at its least overlap to every task at its most; a qualification costs
    nothing where nobody comes, nor do items that models are sure of."""
    is_certain = terms.seats_max is None and terms.items_max is None
    least = tasks * terms.overlap_min if is_certain else 0
    return Estimate(
        tasks=tasks,
        judged=specialist_items(terms, tasks),
        least=seat_price(terms) * least,
        most=price_of(terms, tasks) + contingency_of(terms, tasks),
        contingency=contingency_of(terms, tasks),
    )


def hourly_rate(pay: Money, per: PayPer, expected_seconds: int) -> Money:
    """What an hour brings to someone who needs the expected time, rounded half up."""
    if per is PayPer.HOUR:
        return pay
    return (pay * HOUR_SECONDS).share([1, max(expected_seconds, 1) - 1])[0]
