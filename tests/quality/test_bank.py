"""The figures of a bank's items, against values computed by hand."""

from __future__ import annotations

import random
from math import sqrt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.quality.rules.bank import (
    Sitting,
    correlation,
    figures_of,
    flags_of,
    pearson,
    rank_correlation,
    ranks,
)

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_point_biserial_correlation_by_hand() -> None:
    # Means 0.8 (right) and 0.5 (wrong), half of each, standard deviation of all:
    # values 0.9 0.7 0.6 0.4 have mean 0.65 and variance (0.0625+0.0025+0.0025+0.0625)/4 = 0.0325.
    by_hand = (0.8 - 0.5) / sqrt(0.0325) * sqrt(0.5 * 0.5)

    assert by_hand == pytest.approx(pearson([1, 1, 0, 0], [0.9, 0.7, 0.6, 0.4]), abs=1e-12)


def test_equal_values_share_their_rank() -> None:
    assert [1.0, 3.0, 3.0, 3.0, 5.0] == ranks([0.1, 0.5, 0.5, 0.5, 0.9])


def test_a_rank_correlation_by_hand() -> None:
    # d = 1, 1, 1, 1, 0 gives 1 - 6 * 4 / (5 * 24).
    found = rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])

    assert found is not None
    assert 0.8 == pytest.approx(found.estimate, abs=1e-12)


def test_the_interval_is_fishers() -> None:
    # atanh(0.5) = 0.549306; 1.6449 / sqrt(28 - 3) = 0.32898: tanh of 0.220326 and 0.878286.
    xs = [0.0, 1.0] * 14
    ys = _with_correlation(xs, 0.5)

    found = correlation(xs, ys)

    assert found is not None
    assert (0.5, 0.21683, 0.70564) == pytest.approx(
        (found.estimate, found.lower, found.upper), abs=1e-4
    )


def _with_correlation(xs: list[float], wanted: float) -> list[float]:
    """Values that correlate with alternating xs by exactly this much."""
    aside = [1.0, 1.0, -1.0, -1.0] * (len(xs) // 4)
    centred = [2 * x - 1 for x in xs]
    return [wanted * x + sqrt(1 - wanted**2) * y for x, y in zip(centred, aside, strict=True)]


def test_what_cannot_be_told_is_none() -> None:
    assert None is pearson([1, 0], [1, 0])
    assert None is pearson([1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4])
    assert None is correlation([1, 0, 1], [1, 0, 0])


@given(
    st.lists(
        st.dictionaries(st.sampled_from([A, B, C]), st.sampled_from([0.0, 0.5, 1.0]), max_size=3),
        max_size=40,
    )
)
def test_figures_stay_within_their_bounds(sittings: list[dict[UUID, float]]) -> None:
    for each in figures_of([Sitting(scores, sum(scores.values()) / 9) for scores in sittings]):
        assert 0 <= each.difficulty <= 1
        for found in (each.item_rest, each.foretells):
            if found is not None:
                assert -1 <= found.lower <= found.estimate + 1e-9
                assert found.estimate - 1e-9 <= found.upper <= 1


def test_the_item_that_is_drawn_by_lot_is_flagged_and_the_others_are_not() -> None:
    lot = random.Random(7)
    sittings = []
    for _ in range(400):
        able = lot.random()
        scores = {A: float(lot.random() < able), B: float(lot.random() < able), C: 0.0}
        scores[C] = float(lot.random() < 0.5)
        sittings.append(Sitting(scores, min(1.0, 0.5 + able / 2)))

    flagged = {each.item_id: each.flags for each in figures_of(sittings)}

    assert ((), ()) == (flagged[A], flagged[B])
    assert "does not foretell" in flagged[C][0]


def test_the_item_is_left_out_of_the_rest_that_it_is_held_against() -> None:
    # With itself in the total, A would correlate with it by more than nothing.
    rows = [(1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, 1.0)]

    figures = figures_of([Sitting({A: a, B: b}, None) for a, b in rows])

    assert -1.0 == pytest.approx(figures[0].item_rest and figures[0].item_rest.estimate)
    assert None is figures[0].foretells


def test_thin_data_flag_nothing() -> None:
    sittings = [Sitting({A: float(n % 2), B: 1.0}, 1 - float(n % 2)) for n in range(19)]

    assert [(), ()] == [each.flags for each in figures_of(sittings)]


def test_too_easy_and_too_hard_are_flagged_alone() -> None:
    assert 1 == len(flags_of(20, 1.0, None, None))
    assert 1 == len(flags_of(20, 0.0, None, None))
    assert () == flags_of(19, 1.0, None, None)
