"""The marks of an attempt."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from marketplace.quality.rules.marks import Mark, marked


def marks_of(*scores: float, concept: str = "one") -> list[Mark]:
    return [Mark(UUID(int=n), concept, score) for n, score in enumerate(scores, 1)]


def test_the_score_is_cut_and_never_rounded_up() -> None:
    # Two thirds are 0.6666…; a pass mark of 0.667 is not reached.
    assert Decimal("0.666") == marked(marks_of(1, 1, 0)).score


def test_a_sum_of_shares_is_not_cut_below_what_it_is() -> None:
    assert Decimal("0.800") == marked(marks_of(*[0.8] * 7)).score
    assert Decimal("1.000") == marked(marks_of(*[1 / 3 + 1 / 3 + 1 / 3] * 3)).score


def test_concepts_have_their_own_means() -> None:
    said = marked([*marks_of(1, 0, concept="dosing"), Mark(UUID(int=9), "triage", 0.5)])

    assert {
        "dosing": {"items": 2, "score": 0.5},
        "triage": {"items": 1, "score": 0.5},
    } == said.by_concept
    assert 0.5 == said.by_item[str(UUID(int=9))]


def test_an_attempt_without_items_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="has items"):
        marked([])
