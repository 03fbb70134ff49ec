"""What nobody could work with, and what leaves no way out: told with a place and a remedy."""

from __future__ import annotations

import pytest

from marketplace.jobs.rules.template_lint import template_advice, template_faults
from marketplace.tasktypes import Json
from tests.tasktypes.examples import EXAMPLES

LABELS = [{"name": "Drug", "key": "d"}, {"name": "Dose", "key": "d"}]


@pytest.mark.parametrize(
    ("kind", "template", "pointer"),
    [
        ("spans", {"labels": LABELS}, "/labels/1/key"),
        ("spans", {"labels": [{"name": "Route", "key": "r"}]}, "/labels/0/key"),
        ("spans", {"labels": [], "cats_required": True}, "/cats_required"),
        (
            "spans",
            {
                "labels": LABELS[:1],
                "attributes": [{"key": "x", "title": "X", "kind": "flag", "labels": ["Gone"]}],
            },
            "/attributes/0/labels",
        ),
        (
            "spans",
            {"labels": LABELS[:1], "attributes": [{"key": "x", "title": "X", "kind": "choice"}]},
            "/attributes/0/options",
        ),
        ("trajectory", {"steps": "off", "tool_choice": True}, "/tool_choice"),
        ("trajectory", {"first_error": "off", "reason": "required"}, "/reason"),
        ("judge_calibration", {"reveal": "never", "fault_tags": [{}]}, "/fault_tags"),
    ],
)
def test_a_fault_has_its_place(kind: str, template: Json, pointer: str) -> None:
    assert [pointer] == [fault.pointer for fault in template_faults(kind, template)]


@pytest.mark.parametrize(
    ("kind", "template", "pointer"),
    [
        ("pairwise", {"allow_tie": False, "allow_both_bad": False}, "/allow_tie"),
        ("ranking", {"allow_unrankable": False}, "/allow_unrankable"),
        ("rubric", {"aspects": [{"key": "a", "title": "A"}]}, "/aspects/0/allow_na"),
        (
            "correction",
            {"fields": [{"key": "a", "title": "A", "kind": "choice", "options": [{"title": "X"}]}]},
            "/fields/0/options",
        ),
    ],
)
def test_a_required_answer_without_a_way_out_is_worth_a_look(
    kind: str, template: Json, pointer: str
) -> None:
    assert [pointer] == [fault.pointer for fault in template_advice(kind, template)]


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_examples_of_every_type_may_be_published(kind: str) -> None:
    assert [] == template_faults(kind, EXAMPLES[kind].template)
