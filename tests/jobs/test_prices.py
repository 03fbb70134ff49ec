"""Prices: what is quoted is the sum of what is charged, seat by seat."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.jobs.rules import (
    PayPer,
    Price,
    Terms,
    earned_by_hour,
    estimate_of,
    hourly_rate,
    price_of,
    seat_price,
)
from marketplace.money import Money, total, zero

CURRENCY = st.sampled_from(["USD", "JPY", "KWD"])


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    least = draw(st.integers(1, 9))
    return Terms(
        pay=Money(draw(st.integers(0, 10**8)), draw(CURRENCY)),
        per=draw(st.sampled_from(PayPer)),
        time_cap_seconds=draw(st.integers(1, 10**5)),
        fee_basis_points=draw(st.integers(0, 10_000)),
        overlap_min=least,
        overlap_max=draw(st.integers(least, 9)),
    )


@settings(deadline=None)
@given(terms(), st.integers(0, 200))
def test_the_quote_is_the_sum_of_its_seats(given_terms: Terms, tasks: int) -> None:
    seat = seat_price(given_terms)
    seats = tasks * given_terms.overlap_max
    currency = given_terms.pay.currency

    assert total([seat.total] * seats, currency) == price_of(given_terms, tasks).total
    assert seat.pay.portion(given_terms.fee_basis_points) == seat.fee


@settings(deadline=None)
@given(terms(), st.integers(0, 10**6))
def test_least_is_never_more_than_most(given_terms: Terms, tasks: int) -> None:
    estimate = estimate_of(given_terms, tasks)

    assert estimate.least.total <= estimate.most.total
    assert price_of(given_terms, tasks) == estimate.most


@settings(deadline=None)
@given(terms(), st.integers(-5, 10**6))
def test_no_seat_costs_more_than_its_price(given_terms: Terms, seconds: int) -> None:
    cap = given_terms.time_cap_seconds
    earned = earned_by_hour(given_terms.pay, seconds, time_cap_seconds=cap)
    most = earned_by_hour(given_terms.pay, cap, time_cap_seconds=cap)

    assert zero(earned.currency) <= earned <= most


def test_an_awkward_price() -> None:
    awkward = Terms(Money(33_33, "USD"), PayPer.TASK, 1, 1_250, 1, 3)

    assert Price(Money(99_99, "USD"), Money(12_51, "USD")) == price_of(awkward, 1)


def test_hours_are_rounded_half_up() -> None:
    rate = Money(1_00, "USD")

    assert Money(1, "USD") == earned_by_hour(rate, 18, time_cap_seconds=100)
    assert Money(0, "USD") == earned_by_hour(rate, 17, time_cap_seconds=100)
    assert Money(3, "USD") == earned_by_hour(rate, 10_000, time_cap_seconds=100)


def test_what_an_hour_brings() -> None:
    assert Money(90_00, "USD") == hourly_rate(Money(4_50, "USD"), PayPer.TASK, 180)
    assert Money(4_50, "USD") == hourly_rate(Money(4_50, "USD"), PayPer.HOUR, 180)
    assert Money(3_600, "JPY") == hourly_rate(Money(1, "JPY"), PayPer.TASK, 1)
