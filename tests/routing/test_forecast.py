"""The forecast of time to fill: honest about thin data, wider where weeks differ."""

from __future__ import annotations

from marketplace.routing.rules import Day, forecast

HOUR = 3_600


def weeks(*hours: float) -> list[Day]:
    """Four weeks of days with these hours of work, over and over; the first is a Monday."""
    return [Day(at % 7, round(hours[at % len(hours)] * HOUR)) for at in range(28)]


def test_nobody_and_thin_data_give_no_interval() -> None:
    nobody = forecast(10, eligible=0, expected_seconds=600, days=weeks(5))
    thin = forecast(10, eligible=3, expected_seconds=600, days=[Day(0, HOUR)] * 2 + weeks(0))

    assert (None, None) == (nobody.p50, nobody.p90)
    assert (None, None) == (thin.p50, thin.p90)
    assert "active on 2 of the last 30 days" in thin.note
    assert "1.7 hours of work" in thin.note


def test_a_steady_supply_is_a_matter_of_division() -> None:
    sure = forecast(60, eligible=5, expected_seconds=600, days=weeks(5))

    assert (2 * 86_400, 2 * 86_400) == (sure.p50, sure.p90)


def test_weekends_without_work_are_waited_out() -> None:
    days = weeks(5, 5, 5, 5, 5, 0, 0)

    friday = forecast(60, eligible=5, expected_seconds=600, days=days, weekday=4)

    assert 4 * 86_400 == friday.p50


def test_other_jobs_take_their_share_and_nobody_knows_exactly_how_much() -> None:
    alone = forecast(60, eligible=5, expected_seconds=600, days=weeks(5))
    shared = forecast(60, eligible=5, expected_seconds=600, days=weeks(5), competing=3)

    assert alone.p90 is not None
    assert shared.p50 is not None
    assert shared.p90 is not None
    assert 2 * alone.p90 < shared.p50 < 4 * alone.p90 < shared.p90


def test_what_takes_more_than_a_year_is_said_in_words() -> None:
    never = forecast(10**6, eligible=5, expected_seconds=600, days=weeks(1))

    assert (None, None) == (never.p50, never.p90)
    assert "more than a year" in never.note
