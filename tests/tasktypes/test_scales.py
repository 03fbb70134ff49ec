"""What each type tells statistics of its units, and what silence means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import (
    TASK_TYPES,
    Json,
    Mark,
    Scale,
    ScaleKind,
    Units,
    filled,
    scale_of,
    scales,
)
from tests.tasktypes.examples import EXAMPLES, KEYS
from tests.tasktypes.strategies import JUDGEMENTS

every_type = pytest.mark.parametrize("key", KEYS)


def scale(key: str, unit: str, **template: Any) -> Scale:
    return scale_of(TASK_TYPES[key], {**EXAMPLES[key].template, **template}, unit)


def marks(key: str, judgement: Json | None = None) -> list[Mark]:
    example = EXAMPLES[key]
    return TASK_TYPES[key].marks(example.template, judgement or example.judgement)


@every_type
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_every_unit_has_a_scale_that_knows_its_labels(key: str, data: st.DataObject) -> None:
    kind, template = TASK_TYPES[key], EXAMPLES[key].template
    named = kind.scales_of(template)
    for unit, label in kind.units(data.draw(JUDGEMENTS[key])).items():
        one = scales.found(named, unit)
        assert one is not None, unit
        assert one.level is not None, unit
        if one.values is not None and ("+" not in str(label)):
            assert label in (*one.values, *one.apart)


@every_type
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_silence_never_talks_over_a_vote(key: str, data: st.DataObject) -> None:
    kind = TASK_TYPES[key]
    ballots = [kind.units(each) for each in data.draw(st.lists(JUDGEMENTS[key], max_size=3))]

    written = filled(kind, EXAMPLES[key].template, ballots)

    assert len(ballots) == len(written)
    for before, after in zip(ballots, written, strict=True):
        assert before == {unit: label for unit, label in after.items() if unit in before}


def test_levels_by_type_and_unit() -> None:
    wanted = {
        ("pairwise", "choice"): "nominal",
        ("ranking", "r1|r2"): "nominal",
        ("rubric", "ratings.clarity"): "ordinal",
        ("chat", "ratings.helpful"): "ordinal",
        ("demonstration", "messages"): None,
        ("fact_check", "grade"): "nominal",
        ("code", "verdict"): "nominal",
        ("rubric_writing", "rubrics.says so"): "ordinal",
        ("rubric_writing", "ideal_completion"): None,
        ("trajectory", "optimality"): "ordinal",
        ("trajectory", "step:s1"): "ordinal",
        ("trajectory", "first_error_step"): "nominal",
        ("judge_calibration", "verdicts.empathy"): "ordinal",
        ("judge_calibration", "verdicts.safe"): "nominal",
        ("judge_calibration", "verdicts.better"): "nominal",
        ("correction", "values.dose"): "interval",
        ("correction", "values.urgency"): "nominal",
        ("correction", "values.facts"): None,
        ("critique_revise", "findings.safety"): "nominal",
        ("critique_revise", "revision"): None,
        ("red_team", "attack_success"): "ordinal",
        ("red_team", "severity"): "ordinal",
        ("regions", "answers.quality"): "nominal",
        ("spans", "tokens.0-4"): "nominal",
    }

    assert wanted == {(key, unit): scale(key, unit).level for key, unit in wanted}


def test_places_that_people_choose_are_matched_and_not_voted_on() -> None:
    kinds = {
        ("spans", "spans.0-4"): ScaleKind.SPANS,
        ("fact_check", "claims.0-4"): ScaleKind.SPANS,
        ("code", "comments.1"): ScaleKind.SPANS,
        ("regions", "regions.1"): ScaleKind.REGIONS,
    }

    assert kinds == {(key, unit): scale(key, unit).kind for key, unit in kinds}
    assert not any(scale(key, unit).voted for key, unit in kinds)


def test_the_template_decides_what_may_be_said() -> None:
    assert ("a", "b", "tie", "both_bad") == scale("pairwise", "choice").values
    assert ("a", "b") == scale("pairwise", "choice", allow_tie=False, allow_both_bad=False).values
    assert (1, 2, 3, 4, 5) == scale("rubric", "ratings.clarity").values
    assert ("na",) == scale("rubric", "ratings.dosing").apart
    assert ("now", "later") == scale("correction", "values.urgency").values


def test_words_of_a_rising_scale_have_places() -> None:
    severity, dosing = scale("red_team", "severity"), scale("rubric", "ratings.dosing")

    assert [0.0, 4.0] == [severity.number("none"), severity.number("critical")]
    assert [2.0, None] == [dosing.number(2), dosing.number("na")]
    assert scale("pairwise", "choice").number("a") is None
    assert scale("judge_calibration", "verdicts.safe").number(True) is None


def test_a_kind_of_harm_that_one_named_is_denied_by_the_others() -> None:
    ballots: list[Units] = [
        {"attack_success": 2, "harm_categories.hate": "yes"},
        {"attack_success": 0},
    ]

    written = filled(TASK_TYPES["red_team"], EXAMPLES["red_team"].template, ballots)

    assert ["yes", "no"] == [ballot["harm_categories.hate"] for ballot in written]
    assert [2, 0] == [ballot["attack_success"] for ballot in written]


def test_silence_on_a_step_counts_only_from_who_looked_at_steps() -> None:
    ballots: list[Units] = [{"step:s1": -1}, {"step:s2": -1}, {"outcome": "no"}]
    kind, template = TASK_TYPES["trajectory"], EXAMPLES["trajectory"].template

    flagged = filled(kind, {**template, "steps": "flagged"}, ballots)
    every = filled(kind, {**template, "steps": "all"}, ballots)

    assert [{"step:s1": -1, "step:s2": 1}, {"step:s1": 1, "step:s2": -1}] == flagged[:2]
    assert {"outcome": "no"} == flagged[2]
    assert ballots == every


def test_marks_carry_their_place_and_label() -> None:
    assert [("nodule", "r1"), ("tip", "r2")] == [
        (mark.label, mark.name) for mark in marks("regions")
    ]
    assert [("claims", "contradicted", (14, 40)), ("claims", "unverifiable", (40, 56))] == [
        (mark.group, mark.label, mark.place) for mark in marks("fact_check")
    ]
    judged = EXAMPLES["spans"].judgement
    assert [(span["label"], (span["start"], span["end"])) for span in judged["spans"]] == [
        (mark.label, mark.place) for mark in marks("spans")
    ]


def test_comments_are_one_thing_only_on_the_same_side_of_the_same_file() -> None:
    one = {"path": "a.py", "line": 3, "severity": "major", "body": "Look."}
    found = marks(
        "code",
        {"verdict": "comment", "comments": [one, {**one, "side": "old"}, {**one, "line": 4}]},
    )

    assert [True, False, True] == [mark.group == found[0].group for mark in found]
    assert all(2 == mark.reach for mark in found)


def test_a_type_that_names_no_scales_has_those_of_its_schema() -> None:
    schema: Json = {
        "properties": {
            "verdict": {"type": "string", "enum": ["yes", "no"]},
            "score": {"type": "integer", "minimum": 1, "maximum": 3},
            "dose": {"type": "number"},
            "sure": {"type": "boolean"},
            "words": {"type": "string"},
            "rows": {"type": "array"},
        }
    }

    named = scales.of_schema(schema)

    assert ["nominal", "ordinal", "interval", "nominal", None, None] == [
        each.level for each in named.values()
    ]
    assert (1, 2, 3) == named["score"].values


def test_the_longest_pattern_holds() -> None:
    named = {"*": scales.TEXT, "a.*": scales.NOMINAL, "a.b": scales.FLAG, "a.b*": scales.TEXT}

    assert [scales.FLAG, scales.NOMINAL, scales.TEXT] == [
        scales.found(named, unit) for unit in ("a.b", "a.c", "c")
    ]
    assert scales.found({"a": scales.TEXT}, "b") is None
