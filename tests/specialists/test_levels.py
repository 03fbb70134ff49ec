"""From verdicts to one level, and to the step that follows: by properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.specialists.rules import HOLDING, NEXT, CredentialState, Outcome, Verdict
from marketplace.specialists.rules.levels import (
    LEVEL_LOST,
    Position,
    level_of,
    retry_at,
    standing_failure,
    step_after,
)

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
PASS, FAIL = Outcome.PASS, Outcome.FAIL
OPEN, AWAY = Outcome.INCONCLUSIVE, Outcome.UNAVAILABLE


def said(
    kind: str,
    outcome: Outcome = PASS,
    level: int = 0,
    *,
    days_ago: int = 0,
    reason: str = "",
    **match: object,
) -> Verdict:
    return Verdict(
        verifier=f"the.{kind}",
        kind=kind,
        outcome=outcome,
        level=level,
        match=dict(match),
        reasons=(reason,) if reason else (),
        at=NOW - timedelta(days=days_ago),
    )


FORM = said("format", level=1)
FOUND = said("registry", level=2, name_score=1.0)
SAME_NAME = said("identity", level=3, name_score=0.93)
CONTROL = said("identity", level=3, control=True)
KINDS = st.sampled_from(["format", "identity", "registry", "sanctions", "skill", "manual"])
MATCHES = st.sampled_from([{}, {"name_score": 1.0}, {"name_score": 0.7}, {"control": True}])
VERDICTS = st.builds(
    Verdict,
    verifier=st.sampled_from("abcdef"),
    kind=KINDS,
    outcome=st.sampled_from(Outcome),
    level=st.integers(0, 4),
    match=MATCHES,
    reasons=st.sampled_from([(), ("one",), ("two",)]),
    at=st.integers(0, 400).map(lambda days: NOW - timedelta(days=days)),
)
HISTORY = st.lists(VERDICTS, max_size=8)


@pytest.mark.parametrize(
    ("verdicts", "level"),
    [
        ([], 0),
        ([FORM], 1),
        ([FORM, said("format", OPEN)], 0),
        ([FORM, FOUND], 2),
        ([FORM, SAME_NAME], 1),
        ([FORM, FOUND, SAME_NAME], 3),
        ([FORM, FOUND, said("identity", PASS, 3, name_score=0.8)], 2),
        ([FORM, FOUND, said("identity", FAIL)], 2),
        ([FORM, CONTROL], 3),
        ([FORM, said("manual", level=2), SAME_NAME], 3),
        ([FORM, said("manual", level=4, days_ago=119)], 4),
        ([FORM, said("manual", level=4, days_ago=121)], 3),
        ([FORM, said("manual", level=4), said("sanctions", FAIL)], 3),
        ([FORM, said("manual", level=4), said("sanctions", OPEN)], 3),
        ([FORM, said("manual", level=4), said("sanctions", AWAY)], 4),
        ([FORM, FOUND, SAME_NAME, said("registry", FAIL)], 1),
        ([FORM, said("manual", level=3), said("registry", FAIL)], 3),
        ([FORM, FOUND, SAME_NAME, said("manual", FAIL)], 1),
    ],
)
def test_what_verdicts_show_together(verdicts: list[Verdict], level: int) -> None:
    assert level == level_of(verdicts, NOW)


@settings(deadline=None, max_examples=300)
@given(HISTORY, VERDICTS)
def test_more_evidence_never_takes_away(history: list[Verdict], more: Verdict) -> None:
    passed = replace(more, verifier="new", outcome=PASS)
    failed = replace(more, verifier="new", outcome=FAIL)
    before = level_of(history, NOW)

    assert level_of([*history, failed], NOW) <= before <= level_of([*history, passed], NOW)


@settings(deadline=None, max_examples=300)
@given(HISTORY, VERDICTS)
def test_no_answer_changes_nothing(history: list[Verdict], more: Verdict) -> None:
    away = [*history, replace(more, outcome=AWAY)]

    assert level_of(history, NOW) == level_of(away, NOW)
    assert standing_failure(history, NOW) == standing_failure(away, NOW)


@settings(deadline=None, max_examples=300)
@given(HISTORY)
def test_the_high_levels_have_their_reasons(history: list[Verdict]) -> None:
    level = level_of(history, NOW)
    passed = [each for each in history if each.outcome is PASS]

    if level >= 3:
        assert any(
            each.kind in {"manual", "skill"}
            or each.match.get("control")
            or each.match.get("name_score", 0) >= 0.85
            for each in passed
        )
    if level == 4:
        assert any(
            each.level == 4 and each.at and NOW - each.at <= timedelta(days=120) for each in passed
        )
        last = {each.verifier: each for each in sorted(history, key=lambda each: each.at or NOW)}
        assert not [
            each
            for each in last.values()
            if each.kind == "sanctions" and each.outcome in {FAIL, OPEN}
        ]


def test_a_person_who_looked_outweighs_what_a_source_said_before_and_says_again() -> None:
    first = said("registry", FAIL, days_ago=9, reason="name_differs")
    again = said("registry", FAIL, reason="name_differs")
    other = said("registry", FAIL, reason="deactivated")
    looked = said("manual", level=3, days_ago=5)
    hit = said("sanctions", FAIL, days_ago=9, reason="list_hit")

    assert "name_differs" == standing_failure([first], NOW)
    assert standing_failure([first, looked, again], NOW) is None
    assert "deactivated" == standing_failure([first, looked, other], NOW)
    assert "list_hit" == standing_failure([hit, looked], NOW)


def position(state: CredentialState, **changed: object) -> Position:
    plain = Position(
        state=state,
        reason=None,
        level_before=1,
        level=3,
        sold_level=3,
        auto_verify=True,
        looked_up=False,
        failure=None,
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


_S = CredentialState


@pytest.mark.parametrize(
    ("at", "step"),
    [
        (position(_S.CHECKING), (_S.VERIFIED, None)),
        (position(_S.CHECKING, level=2), None),
        (position(_S.CHECKING, auto_verify=False), None),
        (position(_S.CHECKING, reason="renewal_asked", looked_up=True), None),
        (position(_S.CHECKING, failure="deactivated"), (_S.SUSPENDED, "deactivated")),
        (position(_S.VERIFIED, failure="list_hit"), (_S.SUSPENDED, "list_hit")),
        (position(_S.VERIFIED, level_before=3, level=2), (_S.SUSPENDED, LEVEL_LOST)),
        (position(_S.VERIFIED, level_before=2, level=2), None),
        (position(_S.EXPIRING_SOON, level_before=4, level=3), None),
        (position(_S.SUSPENDED, reason="list_hit"), (_S.VERIFIED, None)),
        (position(_S.SUSPENDED, reason="suspended_by_person"), None),
        (position(_S.SUSPENDED, reason="list_hit", auto_verify=False), None),
        (
            position(_S.SUSPENDED, reason="list_hit", auto_verify=False, looked_up=True),
            (_S.VERIFIED, None),
        ),
        (position(_S.EXPIRED, reason="not_reverified"), (_S.VERIFIED, None)),
        (position(_S.EXPIRED, reason="licence_expired"), None),
        (position(_S.REVOKED), None),
        (position(_S.BLOCKED), None),
    ],
)
def test_the_step_that_follows(at: Position, step: tuple[CredentialState, str] | None) -> None:
    assert step == step_after(at)


def test_every_step_is_one_of_the_lifecycle() -> None:
    for state, level, failure, auto in product(_S, range(5), [None, "deactivated"], [True, False]):
        for reason in (None, "not_reverified", "list_hit", "renewal_asked"):
            at = position(state, level=level, failure=failure, auto_verify=auto, reason=reason)
            step = step_after(at)
            if step is not None:
                assert step[0] in NEXT[state]
                assert step[0] not in HOLDING or level >= 3


def test_it_is_asked_again_later_and_later_and_never_before_the_source_wants() -> None:
    waits = [retry_at(NOW, attempt=attempt) - NOW for attempt in range(1, 15)]

    assert sorted(waits) == waits
    assert (timedelta(minutes=1), timedelta(hours=6), timedelta(days=1)) == (
        waits[0],
        waits[10],
        waits[13],
    )
    assert timedelta(hours=2) == retry_at(NOW, attempt=1, after_seconds=7_200) - NOW
    assert timedelta(days=1) == retry_at(NOW, attempt=1, after_seconds=1e9) - NOW
    assert timedelta(minutes=1) == retry_at(NOW, attempt=1, after_seconds=-5) - NOW
