"""Matching: a true history has no breaks, and a corrupted one exactly the corrupted ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.ids import TransactionId, new_id
from marketplace.money import Money, zero
from marketplace.reconciliation.rules import (
    BreakKind,
    Line,
    Posted,
    Tie,
    breaks_between,
    sentences,
)

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
KINDS = ("charge", "transfer", "payout", "stripe_fee")
CORRUPTIONS = (
    "none",
    BreakKind.MISSING_IN_LEDGER,
    BreakKind.MISSING_AT_STRIPE,
    BreakKind.AMOUNT_MISMATCH,
    BreakKind.FEE_MISMATCH,
    BreakKind.CURRENCY_MISMATCH,
)


def line_of(number: int, minor: int, fee: int, currency: str = "USD") -> Line:
    """A line of a day for each number, counted back from now."""
    return Line(
        id=f"txn_{number:05d}",
        kind=KINDS[number % len(KINDS)],
        amount=Money(minor, currency),
        fee=Money(fee, currency),
        created_at=NOW - timedelta(days=number),
    )


def posted_of(line: Line) -> Posted:
    """What we post when Stripe says so."""
    return Posted(TransactionId(new_id()), line.id, line.amount, line.fee, line.created_at)


def corrupted(line: Line, how: str, by: int) -> tuple[Line | None, Posted | None]:
    """Both sides of one movement after a corruption."""
    ours = posted_of(line)
    if how == BreakKind.MISSING_IN_LEDGER:
        return line, None
    if how == BreakKind.MISSING_AT_STRIPE:
        return None, ours
    if how == BreakKind.AMOUNT_MISMATCH:
        return line, replace(ours, amount=ours.amount + Money(by, ours.amount.currency))
    if how == BreakKind.FEE_MISMATCH:
        return line, replace(ours, fee=ours.fee - Money(by, ours.fee.currency))
    if how == BreakKind.CURRENCY_MISMATCH:
        return line, replace(
            ours, amount=Money(ours.amount.minor, "EUR"), fee=Money(ours.fee.minor, "EUR")
        )
    return line, ours


MOVEMENTS = st.lists(
    st.tuples(
        st.integers(-(10**9), 10**9),
        st.integers(0, 10**6),
        st.sampled_from(CORRUPTIONS),
        st.integers(1, 10**6) | st.integers(-(10**6), -1),
        st.sampled_from(["USD", "JPY", "KWD"]),
    ),
    max_size=40,
)


@given(MOVEMENTS, st.randoms(use_true_random=False))
def test_exactly_the_corrupted_are_breaks_of_the_right_kind(
    movements: list[tuple[int, int, str, int, str]], order: object
) -> None:
    sides = [
        (how, corrupted(line_of(number, minor, fee, currency), how, by))
        for number, (minor, fee, how, by, currency) in enumerate(movements)
    ]
    lines = [line for _, (line, _) in sides if line]
    posted = [ours for _, (_, ours) in sides if ours]
    order.shuffle(lines)  # type: ignore[attr-defined]
    order.shuffle(posted)  # type: ignore[attr-defined]

    found = [(one.key, one.kind) for one in breaks_between(lines, posted)]

    expected = [(f"txn_{at:05d}", how) for at, (how, _) in enumerate(sides) if how != "none"]
    assert expected == found


@given(MOVEMENTS)
def test_breaks_explain_the_whole_difference_of_a_balance(
    movements: list[tuple[int, int, str, int, str]],
) -> None:
    sides = [
        corrupted(line_of(number, minor, fee), how, by)
        for number, (minor, fee, how, by, _) in enumerate(movements)
        if how != BreakKind.CURRENCY_MISMATCH
    ]
    lines = [line for line, _ in sides if line]
    posted = [ours for _, ours in sides if ours]
    nothing = zero("USD")
    tie = Tie(
        stripe=sum((line.net for line in lines), start=nothing),
        ledger=sum((ours.net for ours in posted), start=nothing),
        unposted=sum((line.net for line, ours in sides if line and not ours), start=nothing),
        newer=nothing,
    )

    said = sentences(breaks_between(lines, posted), [tie], NOW)

    assert [] == [sentence for sentence in said if "unexplained" in sentence]


def test_a_posting_without_evidence_is_a_break() -> None:
    lone = replace(posted_of(line_of(1, 5_00, 0)), balance_transaction_id=None)

    (found,) = breaks_between([], [lone])

    assert (BreakKind.MISSING_AT_STRIPE, Money(-5_00, "USD"), str(lone.transaction_id)) == (
        found.kind,
        found.difference,
        found.key,
    )


def test_differences_are_told_in_words() -> None:
    transfer, charge, older = line_of(1, -412_00, 0), line_of(4, 50_00, 1_75), line_of(8, 10_00, 0)
    transfer = replace(transfer, created_at=NOW - timedelta(days=3))

    def said(lines: list[Line], posted: list[Posted]) -> list[str]:
        return sentences(breaks_between(lines, posted), [], NOW)

    assert ["Stripe has $412.00 that we have not posted: 1 transfer, 3 days old."] == said(
        [transfer], []
    )
    assert [
        "Stripe has $470.25 that we have not posted: 2 charges and 1 transfer, "
        "the oldest 8 days old."
    ] == said([transfer, charge, older], [])
    assert ["We have posted $48.25 that Stripe does not have: 1 transaction, 4 days old."] == said(
        [], [posted_of(charge)]
    )
    wrong = replace(posted_of(charge), fee=Money(1_50, "USD"), amount=Money(49_00, "USD"))
    assert [
        "Stripe and our ledger are $1.00 apart in the amount: 1 charge, 4 days old.",
        "Stripe and our ledger are $0.25 apart in the fee: 1 charge, 4 days old.",
    ] == said([charge], [wrong])


def test_what_nothing_explains_is_said() -> None:
    usd = [Money(minor, "USD") for minor in (10_00, 9_00, 0, 0)]

    (sentence,) = sentences([], [Tie(*usd)], NOW)

    assert "leaves $1.00 unexplained" in sentence
