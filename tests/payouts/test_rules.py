"""The rules of payouts: hashes, lifecycles and times."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.ids import new_id
from marketplace.money import Money
from marketplace.payouts import rules
from marketplace.payouts.rules import LineContent, LineState, Order, RunState

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
lines = st.lists(
    st.builds(
        LineContent,
        line_id=st.uuids(),
        specialist_id=st.uuids(),
        account=st.from_regex(r"acct_[A-Za-z0-9]{4}", fullmatch=True),
        payee_version=st.integers(1, 9),
        amount=st.integers(1, 10**9).map(lambda minor: Money(minor, "USD")),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda line: line.line_id,
)


def hashed(content: list[LineContent]) -> str:
    return rules.content_sha256("PO-2026-0001", "USD", content)


@given(lines, st.randoms())
def test_the_hash_does_not_depend_on_the_order(content: list[LineContent], random: object) -> None:
    shuffled = list(content)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert hashed(content) == hashed(shuffled)


@given(lines, st.data())
def test_the_hash_sees_every_change(content: list[LineContent], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    line = content[at]
    changed = data.draw(
        st.sampled_from(
            [
                replace(line, amount=line.amount + Money(1, "USD")),
                replace(line, account=line.account + "x"),
                replace(line, payee_version=line.payee_version + 1),
                replace(line, specialist_id=new_id()),
                replace(line, line_id=new_id()),
                None,
            ]
        )
    )
    kept = [*content[:at], *([changed] if changed else []), *content[at + 1 :]]

    assert hashed(content) != hashed(kept)


@given(lines)
def test_two_lines_cannot_trade_amounts_unseen(content: list[LineContent]) -> None:
    first, last = content[0], content[-1]
    traded = [
        replace(first, amount=last.amount),
        *content[1:-1],
        replace(last, amount=first.amount),
    ]
    if first.amount != last.amount:
        assert hashed(content) != hashed(traded)


@given(st.lists(st.sampled_from(LineState), min_size=1, max_size=8))
def test_a_run_ends_exactly_when_its_lines_have(states: list[LineState]) -> None:
    after = rules.run_after(states)

    assert (after is None) == any(state not in rules.ENDED for state in states)
    assert (after is RunState.SENT) == (set(states) == {LineState.TRANSFERRED})


@pytest.mark.parametrize(
    ("steps", "first"),
    [(rules.RUN_NEXT, RunState.DRAFT), (rules.LINE_NEXT, LineState.DRAFT)],
)
def test_every_state_is_reachable(
    steps: Mapping[Hashable, frozenset[Hashable]], first: Hashable
) -> None:
    seen = {first}
    while grown := {after for state in seen for after in steps[state]} - seen:
        seen |= grown

    assert set(steps) == seen


def test_a_transfer_can_only_be_undone_by_evidence() -> None:
    assert frozenset() == rules.LINE_NEXT[LineState.TRANSFERRED]
    assert LineState.CANCELLED not in rules.LINE_NEXT[LineState.UNKNOWN]
    assert LineState.SUBMITTING not in rules.LINE_NEXT[LineState.UNKNOWN]


def test_an_order_is_told_apart_by_each_of_its_facts() -> None:
    order = Order(UUID(int=1), UUID(int=2), UUID(int=3), "acct_1", Money(100, "USD"))
    others = [
        replace(order, attempt_id=UUID(int=9)),
        replace(order, account="acct_2"),
        replace(order, amount=Money(100, "EUR")),
        replace(order, amount=Money(101, "USD")),
    ]

    assert 5 == len({one.sha256() for one in [order, *others]})


def test_no_moment_allows_both_a_replay_and_a_proof_of_absence() -> None:
    moments = [AT + timedelta(minutes=minutes) for minutes in range(0, 30 * 60, 10)]

    both = [at for at in moments if rules.key_usable(AT, at) and rules.absence_provable(AT, at)]

    assert [] == both


def test_looks_grow_rarer() -> None:
    waits = [
        rules.next_look(AT, AT + timedelta(hours=hours)) - (AT + timedelta(hours=hours))
        for hours in (0, 1, 10)
    ]

    assert [timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=30)] == waits
