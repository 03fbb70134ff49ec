"""Spans and regions of several people become units, and the vote on units recovers the truth."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.quality.rules import presence
from marketplace.quality.rules.matching import (
    f1,
    middle_of,
    pairs,
    settled,
    units_of,
)
from marketplace.tasktypes import Mark
from tests.quality.corrupted import (
    anywhere,
    blood_cells,
    box,
    by_task,
    corrupted,
    legal_entities,
    oracle,
    somewhere,
    span,
)


def point(x: float, y: float, reach: float = 10) -> Mark:
    return Mark("regions", "p", "tip", {"kind": "point", "points": [[x, y]]}, reach=reach)


def test_spans_that_overlap_by_half_are_one_thing() -> None:
    found = units_of({"a": [span(0, 10), span(20, 30)], "b": [span(1, 10)], "c": []})

    assert [{"a", "b"}, {"a"}] == [set(unit.marks) for unit in found]
    assert {"a": "COURT", "b": "COURT", "c": ""} == found[0].labels(["a", "b", "c"])


def test_nobody_has_two_marks_in_a_unit_and_the_whole_fits_best() -> None:
    # Alone, a's second span would be nearest to b's first one; together both find a partner.
    found = units_of({"a": [span(0, 10), span(4, 14)], "b": [span(4, 13), span(8, 18)]})

    assert [(0, 0), (1, 1)] == pairs([span(0, 10), span(4, 14)], [span(3, 12), span(7, 17)])
    assert all(len(unit.marks) <= 2 for unit in found)


def test_of_two_labels_in_one_place_each_finds_its_own() -> None:
    first = [span(0, 10, "ORG"), span(0, 10, "COURT")]

    assert [(0, 1), (1, 0)] == sorted(pairs(first, list(reversed(first))))


def test_points_match_within_reach_and_never_with_boxes() -> None:
    assert [(0, 0)] == pairs([point(0, 0)], [point(6, 8)])
    assert [] == pairs([point(0, 0)], [point(6, 9)])
    assert [] == pairs([point(5, 5)], [box(0, 0, 10, 10)])
    assert [(0, 0)] == pairs([point(0, 0, 20)], [point(6, 9, 20)])


def test_polygons_are_measured_by_their_shape() -> None:
    triangle: Mark = Mark(
        "regions", "t", "cell", {"kind": "polygon", "points": [[0, 0], [10, 0], [0, 10]]}
    )
    other = Mark(
        "regions", "u", "cell", {"kind": "polygon", "points": [[10, 10], [10, 0], [0, 10]]}
    )

    assert [(0, 0)] == pairs([triangle], [triangle])
    assert [] == pairs([triangle], [other])
    assert triangle.place == middle_of([triangle, triangle, other]).place


def test_the_middle_of_marks_is_where_most_put_it() -> None:
    assert (0, 10) == middle_of([span(0, 10), span(0, 11), span(1, 10)]).place
    assert (1, 9) == middle_of([span(0, 10), span(1, 9)], [0.4, 0.6]).place
    middle = middle_of([box(0, 0, 10, 10), box(2, 0, 10, 10), box(4, 2, 10, 12)]).place
    assert {"kind": "box", "box": [2.0, 0.0, 10.0, 10.0]} == middle


def test_groups_keep_apart() -> None:
    one, two = span(0, 4), Mark("other", "s", "COURT", (0, 4))

    assert 2 == len(units_of({"a": [one], "b": [two]}))


places = st.lists(
    st.builds(lambda start, size: span(start, start + size), st.integers(0, 40), st.integers(1, 9)),
    max_size=6,
)


@given(st.lists(places, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_every_mark_is_in_exactly_one_unit(given_marks: list[list[Mark]]) -> None:
    found = units_of(dict(enumerate(given_marks)))

    held = [(who, id(mark)) for unit in found for who, mark in unit.marks.items()]
    assert sorted((who, id(mark)) for who, each in enumerate(given_marks) for mark in each) == (
        sorted(held)
    )


def planted_spans(tasks: int) -> dict[Hashable, list[Mark]]:
    source = np.random.default_rng(0)
    return {
        task: [
            span(30 * at, 30 * at + int(source.integers(8, 25)), f"L{source.integers(4)}")
            for at in range(int(source.integers(1, 6)))
        ]
        for task in range(tasks)
    }


def test_the_vote_on_matched_spans_is_nearly_that_of_an_oracle() -> None:
    gold = planted_spans(150)
    seen = corrupted(gold, 1, somewhere)

    found = f1(by_task(settled(seen)), gold)

    assert found >= oracle(gold, seen) - 0.01
    single = f1({task: each[1] for task, each in seen.items()}, gold)
    assert found > single + 0.03


def test_two_who_mark_one_place_bear_each_other_out() -> None:
    # Author 4 invents every third unit; the others find nine of ten that are there.
    source = np.random.default_rng(3)
    real = source.random((200, 5)) < np.array([0.9, 0.9, 0.9, 0.9, 0.5])
    real = real[real.any(axis=1)]
    made = np.zeros((100, 5), bool)
    made[np.arange(100), np.where(source.random(100) < 0.8, 4, source.integers(0, 4, 100))] = True
    asked = np.ones((len(real) + 100, 5), bool)

    found = presence.there(np.vstack([real, made]), asked)

    assert 0.98 < (found[: len(real)] > 0.5).mean()
    assert 0.02 > (found[len(real) :] > 0.5).mean()
    assert [] == presence.there(np.zeros((0, 3), bool), np.zeros((0, 3), bool)).tolist()


def test_who_was_not_asked_does_not_speak_against_a_unit() -> None:
    marked = np.array([[True, False, False, False]] * 2)
    asked = np.array([[True, True, True, True], [True, False, False, False]])

    found = presence.there(marked, asked)

    assert found[1] > 0.5 > found[0]


def test_silence_may_say_nothing() -> None:
    marks = {"t": {"a": [span(0, 4)], "b": [], "c": [], "d": []}}

    assert [] == settled(marks)
    assert [(0, 4)] == [each.mark.place for each in settled(marks, absent=None)]
    assert [] == settled({})


def sample(*names: str) -> Path:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    return Path(folder).joinpath(*names)


@pytest.mark.slow
def test_corrupted_entities_of_real_judgments_are_recovered() -> None:
    gold = legal_entities(sample())
    seen = corrupted(gold, 2, somewhere)

    assert f1(by_task(settled(seen)), gold) >= oracle(gold, seen) - 0.01


@pytest.mark.slow
def test_corrupted_boxes_of_real_images_are_recovered() -> None:
    gold = blood_cells(sample())
    seen = corrupted(gold, 3, anywhere)

    assert f1(by_task(settled(seen)), gold) >= oracle(gold, seen) - 0.01
