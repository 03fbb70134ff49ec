"""A small market, lived through with the real order and the real forecast; not timed."""

from __future__ import annotations

from bench import market


def lived(policy: market.Policy) -> market.Outcome:
    """A month of 60 people and 15 jobs that ask for half of their hours."""
    one = (("medicine", 1.0),)
    town = market.made(specialists=60, jobs=15, days=30, seed=3, load=0.5, professions=one)
    for job in town.jobs:
        job.specialty = None
        job.share = job.seats
    market.live(town, policy, seed=3)
    return market.outcome(town)


def test_every_seat_is_served_before_its_deadline_when_there_are_people_enough() -> None:
    found = lived(market.ours)

    assert (0, 1.0) == (found.starved_seats, found.fill_ratio)
    assert found.p90_days is not None


def test_our_order_spreads_pay_more_evenly_than_first_come() -> None:
    assert lived(market.ours).gini < lived(market.first_come).gini


def test_gini() -> None:
    assert (0.0, 0.75, 0.0) == (
        market.gini([5, 5, 5, 5]),
        market.gini([0, 0, 0, 9]),
        market.gini([]),
    )
