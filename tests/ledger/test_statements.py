"""The trial balance at any instant, an account's entries, and the auditor's file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.errors import Faulty, Missing
from marketplace.ids import TransactionId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.queries import BalanceAssertion
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import usd

STRIPE = "A:stripe:balance:USD"
BEAN_CHECK = Path(sys.executable).parent / "bean-check"


@contextmanager
def days_ago(days: int) -> Iterator[datetime]:
    """Live some days ago, and know which instant comes right after."""
    with clock.shifted(timedelta(days=-days)):
        yield clock.now()


def stripe_at(session: Session, at: datetime | None) -> Money:
    rows = {row.code: row.balance for row in queries.trial_balance(session, SYSTEM, at)}
    return rows.get(STRIPE, usd(0))


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "not yet numbered"])
def test_the_trial_balance_is_exact_at_any_instant(session: Session, numbered: bool) -> None:
    moments: list[tuple[datetime, Money]] = []
    expected = usd(0)
    for days in (40, 40, 3, 0):
        with days_ago(days):
            make.topped_up(session, usd(10_00), fee=usd(days))
            expected = expected + usd(10_00 - days)
            moments.append((clock.now(), expected))
        if numbered:
            service.number_transactions(session)

    assert usd(0) == stripe_at(session, moments[0][0] - timedelta(days=1))
    for at, amount in moments:
        assert amount == stripe_at(session, at)
    assert expected == stripe_at(session, None)
    totals = queries.trial_totals(session, SYSTEM, moments[2][0])["USD"]
    assert (usd(30_00), usd(30_00)) == (totals.debit, totals.credit)


def test_the_trial_balance_comes_in_pages(session: Session) -> None:
    for _ in range(3):
        make.topped_up(session, usd(1_00), fee=usd(1))
    whole = queries.trial_balance(session, SYSTEM)

    first = queries.trial_balance(session, SYSTEM, limit=2)
    rest = queries.trial_balance(session, SYSTEM, after=first[-1].code)

    assert whole == first + rest
    assert 5 == len(whole)
    assert usd(0) == sum((row.raw for row in whole), start=usd(0))


def test_entries_are_paged_with_a_running_balance(session: Session) -> None:
    for minor in (10_00, 20_00, 30_00):
        make.topped_up(session, usd(minor), fee=usd(1_00))

    first = queries.entries_of(session, SYSTEM, STRIPE, limit=4)
    second = queries.entries_of(session, SYSTEM, STRIPE, after=first[-1].cursor, limit=4)

    found = [(line.amount.minor, line.balance_after.minor) for line in first + second]
    assert [
        (-1_00, 57_00),
        (30_00, 58_00),
        (-1_00, 28_00),
        (20_00, 29_00),
        (-1_00, 9_00),
        (10_00, 10_00),
    ] == found
    assert [] == queries.entries_of(session, SYSTEM, STRIPE, after=second[-1].cursor)


def test_a_transaction_is_shown_with_its_legs(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00), fee=usd(1_00))
    line = queries.entries_of(session, SYSTEM, STRIPE)[0]

    view = queries.transaction_view(session, SYSTEM, line.transaction_id)

    assert [
        (STRIPE, usd(10_00)),
        (f"L:lab:{lab}:available:USD", usd(-10_00)),
        ("E:stripe:processing:USD", usd(1_00)),
        (STRIPE, usd(-1_00)),
    ] == list(view.legs)


def test_unknown_accounts_transactions_and_cursors_are_refused(session: Session) -> None:
    with pytest.raises(Missing):
        queries.entries_of(session, SYSTEM, "A:nowhere:USD")
    with pytest.raises(Missing):
        queries.transaction_view(session, SYSTEM, TransactionId(new_id()))
    make.topped_up(session, usd(1))
    for cursor in ("nonsense", f"{new_id()}:", f"{new_id()}:-1", f"{new_id()}:99999999"):
        with pytest.raises(Faulty):
            queries.entries_of(session, SYSTEM, STRIPE, after=cursor)


def checked(lines: Iterable[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What the outside auditor says to a book."""
    file = folder / "book.beancount"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return subprocess.run([BEAN_CHECK, file], capture_output=True, text=True, check=False)


@pytest.fixture
def a_book(session: Session) -> Session:
    """A book in which every rule and three currencies occur."""
    specialist = make.a_specialist()
    line = make.payout_line(session, specialist, usd(9_99))
    make.topped_up(session, usd(100_01), fee=usd(3_20), effective_on=date(2026, 5, 4))
    make.topped_up(session, Money(5_000, "JPY"), fee=Money(1, "JPY"))
    make.sent(session, specialist, line, usd(9_99), arrived=Money(3_071, "KWD"))
    service.number_transactions(session, limit=3)
    return session


def statement(amount: Money) -> BalanceAssertion:
    return BalanceAssertion(date(2026, 5, 5), STRIPE, amount, "balance at Stripe")


def test_the_outside_auditor_accepts_the_book(a_book: Session, tmp_path: Path) -> None:
    book = list(queries.beancount(a_book, SYSTEM, [statement(usd(96_81))]))

    verdict = checked(book, tmp_path)

    assert (0, "") == (verdict.returncode, verdict.stderr)
    assert any("Assets:Custody:Connected:Acct-" in line for line in book)
    assert any(line.endswith("3.071 KWD") for line in book)


def test_the_outside_auditor_sees_one_cent(a_book: Session, tmp_path: Path) -> None:
    verdict = checked(queries.beancount(a_book, SYSTEM, [statement(usd(96_82))]), tmp_path)

    assert 1 == verdict.returncode
    assert "Balance failed" in verdict.stdout + verdict.stderr


def test_the_outside_auditor_sees_a_leg_that_was_changed(a_book: Session, tmp_path: Path) -> None:
    book = [
        line.replace("  100.01 USD", "  100.02 USD") for line in queries.beancount(a_book, SYSTEM)
    ]

    verdict = checked(book, tmp_path)

    assert 1 == verdict.returncode
    assert "does not balance" in verdict.stdout + verdict.stderr


def test_accounts_keep_their_names_apart(session: Session) -> None:
    one, other = "L:lab:019a0000-0000-7000-8000-00000000000", "acct_1AbC"
    codes = [f"{one}{digit}:available:USD" for digit in "12"] + [
        f"C:A:connected:{other}:USD",
        "C:A:connected:acct_1abc:USD",
        "I:platform_fee:USD",
    ]

    assert [
        "Liabilities:Lab:8000000000000001:Available:USD",
        "Liabilities:Lab:8000000000000002:Available:USD",
        "Assets:Custody:Connected:Acct-1AbC:USD",
        "Assets:Custody:Connected:Acct-1abc:USD",
        "Income:Platform-Fee:USD",
    ] == [queries.account_name(code) for code in codes]
