"""What became of each element of a value."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from marketplace.tasktypes.edits import ELEMENTS_MAX, edits, same
from tests.tasktypes.model_strategies import facts


def told(before: Any, after: Any) -> list[tuple[str, str]]:
    return [(each["op"], each["path"]) for each in edits(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, [("kept", "/a")]),
        ({"a": 1}, {"a": True}, [("edited", "/a")]),
        ({"a": "x "}, {"a": "x\r\n"}, [("kept", "/a")]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, [("edited", "/a/b"), ("deleted", "/a/c")]),
        ({"a": []}, {"a": []}, [("kept", "/a")]),
        ({}, {"a/b": {"c": [1]}}, [("added", "/a~1b")]),
        (
            {"l": [1, 2, 3]},
            {"l": [1, 3]},
            [("kept", "/l/0"), ("deleted", "/l/1"), ("kept", "/l/1")],
        ),
        ({"l": ["é"]}, {"l": ["é", "👩🏽‍⚕️"]}, [("kept", "/l/0"), ("added", "/l/1")]),
        (
            {"l": [{"drug": "a", "mg": 5}]},
            {"l": [{"drug": "a", "mg": 7}]},
            [("kept", "/l/0/drug"), ("edited", "/l/0/mg")],
        ),
    ],
)
def test_elements(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    assert expected == told(before, after)


def test_what_was_there_stands_with_what_is_gone() -> None:
    found = edits({"a": "x", "b": [1]}, {"a": "y"})

    assert [
        {"path": "/a", "op": "edited", "was": "x"},
        {"path": "/b", "op": "deleted", "was": [1]},
    ] == found


def test_a_value_with_too_many_elements_is_one() -> None:
    long = {"l": list(range(ELEMENTS_MAX + 1))}

    assert [("kept", "")] == told(long, long)
    assert [("edited", "")] == told(long, {"l": [*long["l"], 1]})


@given(before=facts, after=facts)
@settings(max_examples=80, deadline=None)
def test_nothing_changes_silently(before: Any, after: Any) -> None:
    found = Counter(each["op"] for each in edits(before, after))

    assert same(before, after) == (set(found) <= {"kept"})
    assert {"kept"} >= {each["op"] for each in edits(after, after)}
