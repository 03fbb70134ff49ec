"""Spans and regions of several people become units, and the vote on units recovers the truth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.quality.rules.matching import (
    Settled,
    f1,
    middle_of,
    pairs,
    settled,
    units_of,
)
from marketplace.tasktypes import Mark

Tasks = Mapping[Hashable, Sequence[Mark]]
# Chances that an author misses a mark, mistakes its label, adds one, and slips at an edge.
AUTHORS = (
    (0.05, 0.03, 0.05, 0.05),
    (0.1, 0.05, 0.1, 0.1),
    (0.1, 0.1, 0.1, 0.1),
    (0.2, 0.1, 0.15, 0.1),
    (0.45, 0.3, 0.4, 0.2),
)


def span(start: int, end: int, label: str = "COURT", name: str = "s") -> Mark:
    return Mark("spans", name, label, (start, end))


def box(x: float, y: float, width: float, height: float, label: str = "cell") -> Mark:
    return Mark("regions", "r", label, {"kind": "box", "box": [x, y, width, height]})


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


def slipped(source: np.random.Generator, mark: Mark, size: int) -> Mark:
    by = int(source.integers(1, size + 1)) * int(source.choice([-1, 1]))
    if isinstance(mark.place, tuple):
        start, end = mark.place
        moved = (max(0, min(start + by, end - 1)), end)
        return Mark(mark.group, mark.name, mark.label, moved)
    x, y, width, height = mark.place["box"]
    return Mark(
        mark.group, mark.name, mark.label, {"kind": "box", "box": [x + by, y, width, height]}
    )


def corrupted(
    gold: Tasks, seed: int, added: Callable[[np.random.Generator, Sequence[Mark]], Mark]
) -> dict[Hashable, dict[Hashable, list[Mark]]]:
    """What five authors of known error rates mark; additions stand in places of their own."""
    source = np.random.default_rng(seed)
    labels = sorted({str(mark.label) for marks in gold.values() for mark in marks})
    found: dict[Hashable, dict[Hashable, list[Mark]]] = {}
    for task, marks in gold.items():
        found[task] = {}
        for author, (miss, mistake, add, slip) in enumerate(AUTHORS):
            mine = []
            for at, mark in enumerate(marks):
                if source.random() < miss:
                    continue
                label = str(source.choice(labels)) if source.random() < mistake else mark.label
                seen = Mark(mark.group, str(at), label, mark.place)
                mine.append(slipped(source, seen, 3) if source.random() < slip else seen)
            mine += [added(source, marks) for _ in marks if source.random() < add]
            found[task][author] = mine
    return found


def oracle(gold: Tasks, seen: Mapping[Hashable, Mapping[Hashable, Sequence[Mark]]]) -> float:
    """F1 of a vote that knows which marks are one thing and how often each author errs."""
    labels = len({mark.label for marks in gold.values() for mark in marks})
    right = kept = 0
    for task, marks in gold.items():
        for at, mark in enumerate(marks):
            score: dict[Hashable, float] = {"": 0.0}
            for author, (miss, mistake, _, _) in enumerate(AUTHORS):
                said = [each for each in seen[task][author] if each.name == str(at)]
                names = {each.label for each in said}
                for label in {mark.label, *score, *names}:
                    score.setdefault(label, 0.0)
                for label in score:
                    wrong = mistake / labels
                    told = (1 - miss) * (1 - mistake + wrong if label in names else wrong)
                    chance = told if said else miss
                    if label == "":
                        chance = 0.03 if said else 0.97
                    score[label] += float(np.log(chance))
            best = max(score, key=score.__getitem__)
            kept += best != ""
            right += best == mark.label
    return 2 * right / (kept + sum(map(len, gold.values())))


def by_task(found: Sequence[Settled]) -> dict[Hashable, list[Mark]]:
    result: dict[Hashable, list[Mark]] = {}
    for each in found:
        result.setdefault(each.task, []).append(each.mark)
    return result


def somewhere(source: np.random.Generator, marks: Sequence[Mark]) -> Mark:
    start = int(source.integers(5_000, 50_000))
    return Mark("spans", "added", marks[0].label, (start, start + int(source.integers(3, 20))))


def anywhere(source: np.random.Generator, marks: Sequence[Mark]) -> Mark:
    x, y = source.uniform(0, 600, 2)
    place = {"kind": "box", "box": [float(x), float(y) + 1_000, 40.0, 40.0]}
    return Mark("regions", "added", marks[0].label, place)


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


def test_silence_may_say_nothing() -> None:
    marks = {"t": {"a": [span(0, 4)], "b": [], "c": []}}

    assert [] == settled(marks)
    assert [(0, 4)] == [each.mark.place for each in settled(marks, absent=None)]
    assert [] == settled({})


def sample(*names: str) -> Path:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    return Path(folder).joinpath(*names)


def legal_entities() -> dict[Hashable, list[Mark]]:
    lines = sample("indian_legal_ner", "dev.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        row["id"]: [span(start, end, label) for start, end, label in row["label"]]
        for row in rows
        if row["label"]
    }


def blood_cells() -> dict[Hashable, list[Mark]]:
    coco = json.loads(sample("bccd", "instances_coco.json").read_text("utf-8"))
    found: dict[Hashable, list[Mark]] = {}
    for each in coco["annotations"]:
        x, y, width, height = each["bbox"]
        mark = box(x, y, width, height, str(each["category_id"]))
        found.setdefault(each["image_id"], []).append(mark)
    return found


@pytest.mark.slow
def test_corrupted_entities_of_real_judgments_are_recovered() -> None:
    gold = legal_entities()
    seen = corrupted(gold, 2, somewhere)

    assert f1(by_task(settled(seen)), gold) >= oracle(gold, seen) - 0.01


@pytest.mark.slow
def test_corrupted_boxes_of_real_images_are_recovered() -> None:
    gold = blood_cells()
    seen = corrupted(gold, 3, anywhere)

    assert f1(by_task(settled(seen)), gold) >= oracle(gold, seen) - 0.01
