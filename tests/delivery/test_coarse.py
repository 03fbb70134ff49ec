"""What is told of a person's skill is too coarse to join two labs' pseudonyms by."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from marketplace.delivery.queries import judged
from marketplace.delivery.rules import coarse_count, coarse_share

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_people_who_are_about_as_good_are_told_alike() -> None:
    one = judged._known([(date(2026, 11, 22), 57, 41.2, 50.1)], AT)
    other = judged._known([(date(2026, 11, 20), 83, 41.9, 51.0)], AT)

    assert one == other
    assert {"mean", "lower", "n"} == (one or {}).keys()
    assert judged._known([(date(2026, 11, 23), 57, 41.2, 50.1)], AT) is None


@pytest.mark.parametrize(
    ("number", "told"), [(0, 0), (1, 1), (4, 2), (9, 5), (10, 10), (57, 50), (199, 100), (200, 200)]
)
def test_counts_are_told_from_below(number: int, told: int) -> None:
    assert told == coarse_count(number)


def test_shares_are_told_in_twentieths() -> None:
    assert [0.0, 0.85, 0.85, 1.0] == [coarse_share(each) for each in (0.01, 0.83, 0.87, 0.99)]
