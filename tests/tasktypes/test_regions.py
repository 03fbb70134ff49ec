"""Image regions: shapes that are refused, agreement with gold, and what is filled in."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import Json
from marketplace.tasktypes.images import agreement, matches, measures
from marketplace.tasktypes.images.geometry import area, crosses_itself, overlap, rounded
from marketplace.tasktypes.regions import REGIONS

TEMPLATE: Json = {
    "labels": [
        {"key": "nodule", "title": "Nodule", "kinds": ["box", "polygon"]},
        {"key": "tip", "title": "Tip of the tube", "kinds": ["point"]},
    ]
}
PAYLOAD: Json = {"image": "left/scan.png", "width": 640, "height": 480}

across = st.floats(0, 600, allow_nan=False).map(rounded)
length = st.floats(0.01, 40, allow_nan=False).map(rounded)
boxes = st.tuples(across, st.floats(0, 400, allow_nan=False).map(rounded), length, length)


def box(x: float, y: float, w: float, h: float, **more: Any) -> Json:
    return {"id": "r1", "label": "nodule", "kind": "box", "box": [x, y, w, h], **more}


def polygon(*corners: tuple[float, float]) -> Json:
    points = [list(corner) for corner in corners]
    return {"id": "r1", "label": "nodule", "kind": "polygon", "points": points}


def faults(*regions: Json, template: Json = TEMPLATE, **judgement: Any) -> list[tuple[str, str]]:
    found = REGIONS.check_judgement(template, PAYLOAD, {"regions": [*regions], **judgement})
    return [(fault.pointer, fault.message) for fault in found]


def test_an_empty_image_is_an_answer_that_somebody_gives() -> None:
    assert ["/nothing_to_mark"] == [place for place, _ in faults()]
    assert [] == faults(nothing_to_mark=True)
    assert [] == faults(template={**TEMPLATE, "confirm_empty": False})
    assert ["/nothing_to_mark"] == [
        place for place, _ in faults(box(1, 1, 5, 5), nothing_to_mark=True)
    ]
    assert [] == REGIONS.check_gold(TEMPLATE, PAYLOAD, {"judgement": {"regions": []}})


@pytest.mark.parametrize(
    ("region", "place", "message"),
    [
        (box(600, 10, 41, 5), "/regions/0/box", "leaves the image"),
        (box(-1, 10, 5, 5), "/regions/0/box", "leaves the image"),
        (box(1, 1, 0, 5), "/regions/0/box", "more than nothing"),
        (box(1, 1, -5, 5), "/regions/0/box", "more than nothing"),
        (polygon((0, 0), (5, 5)), "/regions/0/points", "at least three"),
        (polygon((0, 0), (5, 5), (9, 9)), "/regions/0/points", "enclose nothing"),
        (polygon((0, 0), (9, 9), (9, 0), (0, 9)), "/regions/0/points", "enclose nothing"),
        (polygon((0, 0), (9, 9), (9, 0), (0, 7)), "/regions/0/points", "crosses itself"),
        (polygon((0, 0), (9, 0), (9, 481)), "/regions/0/points", "leaves the image"),
        ({"id": "a", "label": "nodule", "kind": "box"}, "/regions/0/box", "Say where"),
        (box(1, 1, 5, 5, points=[[1, 1]]), "/regions/0/points", "Leave this out"),
        (box(1, 1, 5, 5, kind="point"), "/regions/0/kind", "marked by box, polygon"),
        (box(1, 1, 5, 5, label="rib"), "/regions/0/label", "label “rib”. Its labels: nodule, tip"),
        (box(1, 1, 5, 5, certainty="possible"), "/regions/0/certainty", "does not ask"),
        (box(1, 1, 5, 5, attributes={"hue": "red"}), "/regions/0/attributes", "no such"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_with_its_reason(
    region: Json, place: str, message: str
) -> None:
    ((pointer, said),) = faults(region)

    assert place == pointer
    assert message in said


def test_shapes_may_touch_the_edges_of_the_image() -> None:
    whole = polygon((0, 0), (640, 0), (640, 480), (0, 480))
    tip = {"id": "r3", "label": "tip", "kind": "point", "points": [[640, 480]]}

    assert [] == faults(box(0, 0, 640, 480), {**whole, "id": "r2"}, tip)


def test_ids_stand_once_and_there_are_at_most_2000_regions() -> None:
    twice = faults(box(1, 1, 5, 5), box(9, 9, 5, 5))
    many = [{**box(1, 1, 5, 5), "id": f"r{number}"} for number in range(2_001)]

    assert ["/regions/0/id", "/regions/1/id"] == [place for place, _ in twice]
    assert [] == faults(*many[:2_000])
    assert [("/regions", "Give at most 2,000.")] == faults(*many)


def test_what_a_template_asks_for_must_be_said_by_people_and_may_be_left_out_by_models() -> None:
    colours = {"key": "hue", "title": "Hue", "options": ["red", "blue"], "required": True}
    asking = {
        "labels": [{**TEMPLATE["labels"][0], "attributes": [colours]}],
        "certainty": "required",
        "laterality": "optional",
        "answers": [
            {"key": "quality", "title": "Quality", "options": ["good", "bad"], "required": True}
        ],
    }
    bare = {"regions": [box(1, 1, 5, 5)]}
    full = box(1, 1, 5, 5, certainty="probable", laterality="left", attributes={"hue": "red"})

    assert ["/regions/0/attributes/hue", "/regions/0/certainty", "/answers/quality"] == [
        place for place, _ in faults(*bare["regions"], template=asking)
    ]
    assert [] == faults(full, template=asking, answers={"quality": "good"})
    assert [("/answers/quality", "Choose one of good, bad.")] == faults(
        full, template=asking, answers={"quality": "fine"}
    )
    assert [] == REGIONS.check_prelabel(asking, PAYLOAD, bare)
    assert [] == REGIONS.check_gold(asking, PAYLOAD, {"judgement": bare})


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "a/../b.png", ".hidden", "a\\b", ""])
def test_names_of_images_lead_nowhere_else(name: str) -> None:
    assert ["/image"] == [fault.pointer for fault in REGIONS.check_item(TEMPLATE, {"image": name})]


def test_one_side_of_an_image_alone_says_nothing() -> None:
    found = REGIONS.check_item(TEMPLATE, {"image": "a.png", "width": 5})

    assert ["/height"] == [fault.pointer for fault in found]


def test_the_image_and_what_was_found_at_all_are_filled_in_and_pixels_are_short() -> None:
    seen = {**PAYLOAD, "sha256": "0" * 64}
    forged = {"name": "other.png", "width": 1, "height": 1}
    judgement = {"regions": [box(1.23456, 2, 3.999, 4.0)], "image": forged}

    told = REGIONS.completed(TEMPLATE, seen, judgement)

    assert {"name": "left/scan.png", "width": 640, "height": 480, "sha256": "0" * 64} == told[
        "image"
    ]
    assert {"nodule": True, "tip": False} == told["presence"]
    assert [1.23, 2, 4, 4] == told["regions"][0]["box"]
    assert {"presence.nodule": "present", "presence.tip": "absent"} == REGIONS.units(told)


def test_a_job_may_start_from_the_first_pre_label() -> None:
    said = [
        {"model": name, "version": "", "payload": {"regions": [box(1, 1, 5, side)]}}
        for name, side in (("first", 5.123), ("second", 6))
    ]
    starting = {**TEMPLATE, "start_from_prelabels": True}

    seen = REGIONS.with_prelabels(starting, PAYLOAD, said)

    assert {"regions": [box(1, 1, 5, 5.12)]} == REGIONS.first_answer(starting, seen)
    assert [] == REGIONS.with_prelabels(TEMPLATE, PAYLOAD, said)["prelabels"]


def test_without_script_rows_become_regions() -> None:
    form = {
        "regions.0.label": "nodule",
        "regions.0.x": "10.008",
        "regions.0.y": "20",
        "regions.0.w": "30",
        "regions.0.h": "40",
        "regions.2.label": "nodule",
        "regions.2.points": "10,20 30.5,20; 30,40",
        "regions.3.label": "",
        "regions.3.kind": "box",
        "regions.5.label": "tip",
        "regions.5.x": "1",
        "regions.5.y": "2",
    }

    judgement = REGIONS.from_form(form, TEMPLATE, PAYLOAD)

    nodule = {"id": "r1", "label": "nodule", "kind": "box", "box": [10.01, 20, 30, 40]}
    assert [
        nodule,
        polygon((10, 20), (30.5, 20), (30, 40)) | {"id": "r2"},
        {"id": "r3", "label": "tip", "kind": "point", "points": [[1, 2]]},
    ] == judgement["regions"]
    assert [] == REGIONS.check_judgement(TEMPLATE, PAYLOAD, judgement)


@pytest.mark.parametrize("written", ["{", "null", '{"regions": []}', "[" * 9_000, "9" * 9_000])
def test_what_the_page_cannot_have_written_is_passed_over(written: str) -> None:
    form = {"regions_json": written, "regions.0.label": "tip", "regions.0.x": "5"}

    judgement = REGIONS.from_form(form, TEMPLATE, PAYLOAD)

    assert [{"id": "r1", "label": "tip", "kind": "point", "points": [[5]]}] == judgement["regions"]


# --- geometry ------------------------------------------------------------------------------------


@given(boxes, st.integers(1, 9_000), st.integers(1, 9_000))
@settings(max_examples=200)
def test_measures_lead_there_and_back_to_the_same_pixels(
    given_box: tuple[float, float, float, float], more: int, further: int
) -> None:
    width, height = 640 + more, 480 + further
    there_and_back = [
        measures.box_of_corners(measures.corners_of(given_box)),
        measures.from_percent(measures.to_percent(given_box, width, height), width, height),
        measures.from_centre(measures.to_centre(given_box, width, height), width, height),
    ]

    expected = [rounded(side) for side in given_box]
    assert [expected] * 3 == [[rounded(side) for side in found] for found in there_and_back]


@given(boxes, boxes)
@settings(max_examples=60, deadline=None)
def test_a_box_and_the_polygon_of_its_corners_overlap_alike(
    one: tuple[float, float, float, float], two: tuple[float, float, float, float]
) -> None:
    x, y, w, h = two
    outlined = polygon((x, y), (x + w, y), (x + w, y + h), (x, y + h))

    exact = overlap(box(*one), box(*two))

    assert math.isclose(exact, overlap(box(*one), outlined), abs_tol=0.02)
    assert overlap(box(*one), outlined) == overlap(outlined, box(*one))
    assert 1.0 == overlap(outlined, outlined)


def test_an_l_shape_has_its_own_area_and_overlap() -> None:
    shape = polygon((0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30))

    assert 500.0 == area(shape["points"])
    assert not crosses_itself(shape["points"])
    assert math.isclose(500 / 900, overlap(shape, box(0, 0, 30, 30)), abs_tol=0.01)
    assert 0.0 == overlap(shape, box(11, 11, 19, 19))


def test_an_outline_that_goes_back_on_itself_crosses() -> None:
    assert crosses_itself([[0, 0], [9, 0], [9, 9], [9, 4], [9, 0], [0, 9]])
    assert crosses_itself([[0, 0], [10, 0], [5, 0], [5, 9]])
    assert crosses_itself([[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]])


# --- gold ----------------------------------------------------------------------------------------


def test_agreement_is_the_mean_over_labels_of_f1() -> None:
    gold = [box(10, 10, 20, 20), box(100, 100, 20, 20), box(200, 200, 9, 9)]
    shifted = [box(12, 12, 20, 20), box(300, 300, 20, 20)]
    tips: list[Json] = [{"id": "t", "label": "tip", "kind": "point", "points": [[50, 50]]}]
    near: list[Json] = [{"id": "t", "label": "tip", "kind": "point", "points": [[56, 58]]}]

    pairs = matches(shifted, gold)

    assert [(0, 0)] == [(one, two) for one, two, _ in pairs]
    assert math.isclose(324 / (800 - 324), pairs[0][2])
    assert 2 * 1 / 5 == agreement(shifted, gold)
    assert (2 * 1 / 5 + 1) / 2 == agreement([*shifted, *near], [*gold, *tips])
    assert 2 * 1 / 5 / 2 == agreement([*shifted, *near], [*gold, *tips], point_pixels=9)
    assert agreement([], []) is None


def test_gold_speaks_of_answers_too_and_of_images_without_findings() -> None:
    nothing: Json = {"regions": []}
    said: Json = {"regions": [], "answers": {"quality": "good"}}

    assert 1.0 == REGIONS.gold_agrees(nothing, nothing, TEMPLATE)
    assert 0.0 == REGIONS.gold_agrees({"regions": [box(1, 1, 5, 5)]}, nothing, TEMPLATE)
    assert 0.5 == REGIONS.gold_agrees(nothing, said, TEMPLATE)
    assert 1.0 == REGIONS.gold_agrees(said, said, TEMPLATE)


@given(st.lists(boxes, max_size=12), st.lists(boxes, max_size=12))
@settings(max_examples=60, deadline=None)
def test_pairs_are_found_however_far_apart_the_others_lie(
    one: list[tuple[float, float, float, float]], two: list[tuple[float, float, float, float]]
) -> None:
    first, second = [box(*each) for each in one], [box(*each) for each in two]
    slow = {
        (i, j) for i, a in enumerate(first) for j, b in enumerate(second) if overlap(a, b) >= 0.5
    }

    pairs = matches(first, second)

    assert {(i, j) for i, j, _ in pairs} <= slow
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == len(pairs)
    taken_i, taken_j = {i for i, _, _ in pairs}, {j for _, j, _ in pairs}
    assert all(i in taken_i or j in taken_j for i, j in slow)
