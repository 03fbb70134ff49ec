"""The order of offers: total, indifferent to how they come, and never starving anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.money import Money
from marketplace.routing.rules import Offer, Standing, pressure, ranked

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@st.composite
def offers(draw: st.DrawFn) -> list[Offer]:
    """Offers with different ids."""
    names = draw(st.lists(st.uuids(), min_size=1, max_size=12, unique=True))
    return [draw(offer(str(name))) for name in names]


@st.composite
def offer(draw: st.DrawFn, name: str = "a") -> Offer:
    """One offer, published before now."""
    total = draw(st.integers(1, 500))
    published = NOW - timedelta(minutes=draw(st.integers(0, 60_000)))
    days = draw(st.none() | st.integers(-5, 60))
    return Offer(
        job_id=name,
        specialty_matches=draw(st.integers(0, 3)),
        seats_open=draw(st.integers(0, total)),
        seats_total=total,
        rate=Money(draw(st.integers(0, 50_000)), "USD"),
        published_at=published,
        deadline_at=None if days is None else NOW + timedelta(days=days),
        skill=draw(st.none() | st.floats(0, 1)),
    )


standings = st.builds(Standing, served=st.floats(0, 1))


@settings(max_examples=60)
@given(offers(), standings, st.randoms())
def test_the_order_is_total_and_does_not_depend_on_how_offers_come(
    some: list[Offer], standing: Standing, chance: object
) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    first = ranked(some, NOW, standing)

    assert sorted(each.job_id for each in some) == sorted(each.job_id for each in first)
    assert first == ranked(shuffled, NOW, standing)
    assert first == ranked(first, NOW, standing)


@settings(max_examples=60)
@given(offer(), st.integers(1, 10**6))
def test_pressure_never_falls_while_a_job_waits(one: Offer, minutes: int) -> None:
    assert pressure(one, NOW) <= pressure(one, NOW + timedelta(minutes=minutes))


@settings(max_examples=60)
@given(offers(), standings)
def test_whatever_the_others_pay_a_waiting_job_is_first_before_its_deadline(
    others: list[Offer], standing: Standing
) -> None:
    # The others keep to their schedule; this one pays and fits least, and nobody took a seat.
    calm = [
        Offer(each.job_id, 3, each.seats_open, each.rate, NOW, NOW + timedelta(days=90),
              each.seats_total, 1.0)
        for each in others
    ]  # fmt: skip
    ends = NOW + timedelta(days=10)
    waiting = Offer("zzz", 0, 10, Money(0, "USD"), NOW, ends, 10, 0.0)
    late = ends - timedelta(hours=2)

    assert "zzz" == ranked([*calm, waiting], late, standing)[0].job_id


def test_who_got_little_work_sees_the_better_paid_first() -> None:
    fits = Offer("fits", 1, 5, Money(40_00, "USD"), NOW, None, 10)
    pays = Offer("pays", 0, 5, Money(120_00, "USD"), NOW, None, 10)

    assert "pays" == ranked([fits, pays], NOW, Standing(served=0.0))[0].job_id
    assert "fits" == ranked([fits, pays], NOW, Standing(served=1.0))[0].job_id
