"""Faults name their place and say what to do."""

from __future__ import annotations

import math
from typing import Any

import pytest

from marketplace.errors import Fault
from marketplace.tasktypes import TASK_TYPES
from tests.tasktypes.examples import EXAMPLES

PAIRWISE = TASK_TYPES["pairwise"]
ITEM = EXAMPLES["pairwise"].payload


def item_faults(**changes: Any) -> list[tuple[str, str]]:
    faults = PAIRWISE.check_item({}, {**ITEM, **changes})
    return [(fault.pointer, fault.message) for fault in faults]


def test_an_unknown_field_is_sent_to_metadata() -> None:
    [(pointer, message)] = item_faults(respnse_a="x")

    assert "/respnse_a" == pointer
    assert "metadata" in message


def test_a_near_miss_is_guessed() -> None:
    faults = PAIRWISE.check_template({"allow_ties": True})

    assert [
        Fault("/allow_ties", '"allow_ties" is not a field here. Did you mean "allow_tie"?')
    ] == (faults)


def test_a_missing_field_is_named_where_it_belongs() -> None:
    faults = PAIRWISE.check_item({}, {"messages": ITEM["messages"], "a": "x"})

    assert [Fault("/b", '"b" is missing. Add it.')] == faults


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"a": "x" * 200_001}, "/a", "Shorten this to 200,000 characters; it has 200,001."),
        ({"a": True}, "/a", "This must be text. Put it in quotes."),
        ({"a": None}, "/a", "This must be text."),
        ({"messages": []}, "/messages", "Give at least 1."),
        ({"messages": [ITEM["messages"][0]] * 501}, "/messages", "Give at most 500."),
        (
            {"messages": [{"role": "god", "content": "x"}]},
            "/messages/0/role",
            "Choose one of system, developer, user, assistant, tool.",
        ),
        ({"a": "x\0"}, "/a", "Remove the NUL character (U+0000) from this text."),
        (
            {"metadata": {"k": "\ud83e"}},
            "/metadata/k",
            "Half a surrogate pair stands in this text. Encode it as UTF-8.",
        ),
        (
            {"metadata": {"k": math.nan}},
            "/metadata/k",
            "NaN and infinity are not JSON numbers. Use null or leave out.",
        ),
        (
            {"metadata": {"a/b~": 2**64}},
            "/metadata/a~1b~0",
            "This number needs more than 64 bits. Send it as text.",
        ),
    ],
)
def test_limits_are_said_in_words(changes: Any, pointer: str, words: str) -> None:
    assert [(pointer, words)] == item_faults(**changes)


def test_the_largest_legal_item_is_accepted() -> None:
    assert [] == item_faults(a="x" * 200_000, messages=ITEM["messages"] * 500)


def test_endless_nesting_is_one_fault() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]

    [(_, message)] = item_faults(metadata={"deep": deep})

    assert "Nest no deeper than 32 levels." == message


@pytest.mark.parametrize(
    ("template", "rationale", "pointers"),
    [
        ({"rationale": "required"}, " ", [""]),
        ({"rationale": "off"}, "Because.", [""]),
        ({"rationale": "required"}, "Because.", []),
        ({}, None, []),
    ],
)
def test_the_template_rules_over_the_rationale(
    template: Any, rationale: str | None, pointers: list[str]
) -> None:
    faults = PAIRWISE.check_rationale(template, rationale)

    assert pointers == [fault.pointer for fault in faults]


def test_faulty_gold_is_pointed_at_from_the_gold() -> None:
    faults = PAIRWISE.check_gold({}, ITEM, {"judgement": {"choice": "c"}})

    assert ["/judgement/choice"] == [fault.pointer for fault in faults]
