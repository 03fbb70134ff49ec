"""Rubric writing: what a rubric must have, hints on it, HealthBench rows."""

from __future__ import annotations

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json
from marketplace.tasktypes.rubric_lint import Hint, hints
from tests.tasktypes.examples import EXAMPLES, record

WRITING = TASK_TYPES["rubric_writing"]
TEMPLATE = EXAMPLES["rubric_writing"].template
PAYLOAD = EXAMPLES["rubric_writing"].payload


def criterion(words: str, points: int = 5, **more: object) -> Json:
    return {"criterion": words, "points": points, **more}


def faults(*rubrics: Json, template: Json = TEMPLATE, **more: object) -> list[str]:
    judgement = {"rubrics": list(rubrics), "ideal_completion": "Steady.", **more}
    return [each.pointer for each in WRITING.check_judgement(template, PAYLOAD, judgement)]


DOSE = criterion("Names the dose", tags=["accuracy"])
HARM = criterion("Tells the patient to stop warfarin", -8, tags=["safety"])


@pytest.mark.parametrize(
    ("rubrics", "expected"),
    [
        ([DOSE, HARM], []),
        ([DOSE], ["/rubrics", "/rubrics"]),
        ([HARM, {**HARM, "criterion": "Sells something"}], ["/rubrics"]),
        ([DOSE, HARM, {**DOSE, "criterion": "names THE dose."}], ["/rubrics/2/criterion"]),
        ([DOSE, HARM, criterion("Says when", 0)], ["/rubrics/2/points"]),
        ([DOSE, HARM, criterion("Says when", 11)], ["/rubrics/2/points"]),
        ([DOSE, HARM, criterion("Says when", tags=["style"])], ["/rubrics/2/tags"]),
    ],
)
def test_a_rubric_can_tell_answers_apart(rubrics: list[Json], expected: list[str]) -> None:
    assert expected == faults(*rubrics)


def test_an_ideal_answer_is_given_where_it_is_asked_for() -> None:
    assert ["/ideal_completion"] == faults(DOSE, HARM, ideal_completion=" ")
    off = {**TEMPLATE, "ideal_completion": "off"}
    assert ["/ideal_completion"] == faults(DOSE, HARM, template=off)


def test_hints_say_what_weakens_a_rubric_without_refusing_it() -> None:
    rubrics = [
        criterion("Gives an appropriate and clear answer", 9),
        criterion("Names the dose of vitamin K", 2),
        criterion("Names the dose of the vitamin K", 2),
    ]

    assert [
        Hint(0, "“appropriate”, “clear”: say what a grader should look for."),
        Hint(2, "It is nearly criterion 2; an answer would score twice."),
        Hint(None, "One criterion carries more than half of the 13 points."),
    ] == hints(rubrics)
    assert [] == faults(*rubrics, HARM)


def test_rows_are_moved_by_their_place_without_script() -> None:
    form = {}
    for at, (words, place) in enumerate((("a", "1"), ("b", "2"), ("c", "1"), ("d", "9"))):
        form[f"rubrics.{at}.criterion"] = [words]
        form[f"rubrics.{at}.points"] = ["1"]
        form[f"rubrics.{at}.place"] = [place]
    form["rubrics.9.points"] = ["5"]

    read = WRITING.from_form(form, TEMPLATE, PAYLOAD)

    assert ["c", "a", "b", "d"] == [each["criterion"] for each in read["rubrics"]]


def test_healthbench_rows_have_its_columns() -> None:
    judgement = EXAMPLES["rubric_writing"].judgement
    counts = Counts()
    (row,) = WRITING.exports["healthbench"].rows(
        [record("rubric_writing", judgement)], "all", counts
    )

    assert {
        "prompt_id": "hb-1",
        "annotation_id": "an-001",
        "prompt": PAYLOAD["messages"],
        "rubrics": [{"tags": [], **each} for each in judgement["rubrics"]],
        "example_tags": ["theme:hedging"],
        "ideal_completions_data": {
            "ideal_completion": judgement["ideal_completion"],
            "ideal_completions_group": None,
            "ideal_completions_ref_completions": ["Eat none."],
        },
    } == row


def test_gold_asks_for_its_criteria_with_points_of_their_sign() -> None:
    gold = {"rubrics": [DOSE, HARM]}
    turned = {"rubrics": [{**DOSE, "points": 1}, {**HARM, "points": 8}]}

    assert 1.0 == WRITING.gold_agrees(gold, gold, TEMPLATE)
    assert 0.5 == WRITING.gold_agrees(turned, gold, TEMPLATE)
