"""A true history has no breaks; corrupted in any way, exactly what was corrupted is a break."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from marketplace.reconciliation.rules.breaks import BreakKind
from tests.make.corruptions import CORRUPTIONS
from tests.make.history import Expected, History, a_true_history

AMOUNTS = st.integers(1_00, 200_00)


@pytest.fixture
def history(session: Session) -> History:
    return a_true_history(session)


def test_every_kind_of_break_is_a_corruption() -> None:
    assert set(BreakKind) == set(CORRUPTIONS)


def corrupted(history: History, how: dict[BreakKind, int]) -> tuple[Expected, Expected]:
    """What should be found after these corruptions, and what is; nothing of it stays."""
    day, balance, sums = history.day, history.balance, dict(history.sums)
    kept = history.session.begin_nested()
    try:
        expected: Expected = set()
        for kind, minor in how.items():
            expected |= CORRUPTIONS[kind](history, minor)
        history.told()
        return expected, history.found()
    finally:
        kept.rollback()
        history.day, history.balance, history.sums = day, balance, sums


def test_a_true_history_has_no_breaks_and_each_corruption_alone_is_one(history: History) -> None:
    assert (set(), set()) == corrupted(history, {})
    for kind in BreakKind:
        expected, found = corrupted(history, {kind: 12_34})
        assert (kind, expected) == (kind, found)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(sorted(BreakKind)), AMOUNTS, min_size=2, max_size=20))
def test_exactly_what_was_corrupted_is_found(history: History, how: dict[BreakKind, int]) -> None:
    expected, found = corrupted(history, how)

    assert expected == found
