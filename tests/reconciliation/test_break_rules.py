"""Breaks, adjustments and the auditor's file, pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from marketplace.errors import Faulty, Missing
from marketplace.ids import new_id
from marketplace.money import Money
from marketplace.reconciliation.rules.adjusting import (
    Content,
    ProposedLeg,
    checked_legs,
    suggested_legs,
)
from marketplace.reconciliation.rules.auditing import complaints
from marketplace.reconciliation.rules.breaks import (
    LABELS,
    Action,
    BreakKind,
    Bucket,
    ReasonCode,
    Severity,
    age_days,
    bucket_of,
    severity_of,
)
from marketplace.reconciliation.rules.closing import last_day, month_of
from marketplace.reconciliation.rules.evidence import media_type_of, plain_name
from tests.make.ledger import usd

CASH, SUSPENSE = "A:stripe:balance:USD", "L:suspense:stripe:USD"


@pytest.mark.parametrize(
    ("kind", "minor", "days", "grave"),
    [
        (BreakKind.LATE, 99_99, 7, Severity.LOW),
        (BreakKind.LATE, 100_00, 0, Severity.MEDIUM),
        (BreakKind.LATE, 1, 8, Severity.MEDIUM),
        (BreakKind.LATE, 1, 30, Severity.MEDIUM),
        (BreakKind.LATE, 1, 31, Severity.HIGH),
        (BreakKind.AMOUNT_MISMATCH, -1_000_00, 0, Severity.HIGH),
        (BreakKind.FILE_TAMPER, 0, 0, Severity.HIGH),
        (BreakKind.ORPHAN_TRANSFER, 1, 0, Severity.HIGH),
        (BreakKind.COVERAGE_SHORTFALL, -30, 0, Severity.MEDIUM),
        (BreakKind.COVERAGE_SHORTFALL, -1_000_00, 0, Severity.HIGH),
        (BreakKind.COVERAGE_SHORTFALL, -30, 31, Severity.HIGH),
    ],
)
def test_severity_follows_kind_amount_and_age(
    kind: BreakKind, minor: int, days: int, grave: Severity
) -> None:
    assert grave is severity_of(kind, usd(minor), days)


def test_whole_units_are_those_of_the_currency() -> None:
    yen = [severity_of(BreakKind.LATE, Money(minor, "JPY"), 0) for minor in (99, 100, 1_000)]
    assert [Severity.LOW, Severity.MEDIUM, Severity.HIGH] == yen


def test_every_age_is_in_one_bucket() -> None:
    assert [Bucket.FRESH] * 2 + [Bucket.WEEK] * 6 == [bucket_of(days) for days in range(8)]
    assert [Bucket.MONTH, Bucket.MONTH, Bucket.OLD] == [bucket_of(days) for days in (8, 30, 31)]
    now = datetime(2026, 11, 2, tzinfo=UTC)
    assert [0, 1] == [
        age_days(now + timedelta(days=1), now),
        age_days(now - timedelta(hours=47), now),
    ]


def test_every_kind_has_words() -> None:
    assert set(BreakKind) == set(LABELS)


@pytest.mark.parametrize("kind", list(BreakKind))
@pytest.mark.parametrize("action", [Action.ADJUST, Action.WRITE_OFF])
@pytest.mark.parametrize("source", ["stripe", "bank:client_funds"])
def test_suggested_legs_are_always_an_adjustment_that_could_be_posted(
    kind: BreakKind, action: Action, source: str
) -> None:
    for difference in (usd(12_34), usd(-12_34)):
        legs = suggested_legs(action, kind, source, difference)
        if legs:
            assert legs == checked_legs(legs)


def test_a_missing_line_is_suggested_into_suspense_by_its_sign() -> None:
    legs = suggested_legs(Action.ADJUST, BreakKind.MISSING_IN_LEDGER, "stripe", usd(-5_00))
    assert [ProposedLeg(CASH, usd(-5_00)), ProposedLeg(SUSPENSE, usd(5_00))] == legs


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        ([(CASH, usd(5))], "from 2 to 8"),
        ([(CASH, usd(5)), (SUSPENSE, usd(-4))], "0.01 USD more"),
        ([(CASH, usd(5)), (CASH, usd(-5))], "once"),
        ([(CASH, usd(0)), (SUSPENSE, usd(0))], "a debit or a credit"),
        ([(CASH, usd(5)), ("A:stripe:balances:USD", usd(-5))], "no account"),
        ([(CASH, usd(5)), ("C:A:connected:acct_1:USD", usd(-5))], "no account"),
        ([(CASH, usd(5)), ("L:suspense:stripe:EUR", usd(-5))], "holds EUR"),
    ],
)
def test_legs_that_are_not_sound_are_refused_in_words(
    legs: list[tuple[str, Money]], said: str
) -> None:
    with pytest.raises(Faulty) as refused:
        checked_legs([ProposedLeg(code, amount) for code, amount in legs])
    assert said in refused.value.faults[0].message
    assert "/legs" == refused.value.faults[0].pointer


def test_what_is_approved_changes_with_everything_that_is_proposed() -> None:
    def content(**other: object) -> str:
        said: dict[str, object] = {
            "break_id": UUID(int=7),
            "action": Action.ADJUST,
            "reason": ReasonCode.OUR_ERROR,
            "note": "We missed it.",
            "legs": (ProposedLeg(CASH, usd(5)), ProposedLeg(SUSPENSE, usd(-5))),
            "effective_on": date(2026, 10, 31),
            "wait_until": None,
            "evidence_sha256": b"\1" * 32,
            "difference": usd(5),
        }
        return Content(**(said | other)).sha256()  # type: ignore[arg-type]

    others: list[dict[str, object]] = [
        {"break_id": new_id()},
        {"action": Action.WRITE_OFF},
        {"reason": ReasonCode.ROUNDING},
        {"note": "We missed it!"},
        {"legs": (ProposedLeg(CASH, usd(6)), ProposedLeg(SUSPENSE, usd(-6)))},
        {"effective_on": date(2026, 10, 30)},
        {"wait_until": date(2026, 12, 1)},
        {"evidence_sha256": b"\2" * 32},
        {"difference": usd(6)},
    ]
    hashes = {content(), *(content(**other) for other in others)}
    assert content() == content()
    assert 1 + len(others) == len(hashes)


FILE = """\
1970-01-01 open Assets:Stripe:Balance:USD USD
  code: "A:stripe:balance:USD"
1970-01-01 open Liabilities:Unapplied:USD USD
2026-10-30 * "cash_in" "x"
  Assets:Stripe:Balance:USD  10.00 USD
  Liabilities:Unapplied:USD  -10.00 USD
2026-10-31 balance Assets:Stripe:Balance:USD 10.00 ~ 0 USD
"""


def test_a_sound_file_has_no_complaint() -> None:
    assert [] == complaints(FILE.splitlines())


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("-10.00 USD", "-9.99 USD", "is 0.01 USD out"),
        (
            "balance Assets:Stripe:Balance:USD 10.00",
            "balance Assets:Stripe:Balance:USD 9",
            "says 9",
        ),
        ("2026-10-31 balance", "2026-10-30 balance", "has 0; its statement says 10.00"),
        ("open Liabilities:Unapplied:USD USD", "open Liabilities:Unapplied:USD EUR", "is not open"),
    ],
)
def test_each_fault_of_a_file_is_told(was: str, becomes: str, said: str) -> None:
    found = complaints(FILE.replace(was, becomes, 1).splitlines())
    assert 1 == len([sentence for sentence in found if said in sentence]), found


def test_months_are_read_and_ended() -> None:
    assert date(2026, 2, 28) == last_day(month_of("2026-02"))
    assert date(2028, 2, 29) == last_day(month_of("2028-02"))
    for text in ("2026-13", "2026-00", "202610", "2026-1", "1999-12", "x"):
        with pytest.raises(Missing):
            month_of(text)


def test_evidence_is_told_by_its_content_and_keeps_a_plain_name() -> None:
    text = media_type_of("Überweisung".encode())
    assert ("text/plain", "bank.csv") == (text, plain_name("C:\\tmp\\bank.csv", text))
    assert "letter.txt" == plain_name("letter.exe", text)
    for content in (b"", b"\0\1", b"%PDF-1.7 no end", b"\xff\xfe"):
        with pytest.raises(Faulty):
            media_type_of(content)
