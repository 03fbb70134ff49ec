"""Pulling from a served Stripe, through its SDK, and comparing with the book."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace import db, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.embedded import Stack
from marketplace.errors import Denied
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.reconciliation import background, queries, service
from marketplace.reconciliation.queries import Report
from marketplace.reconciliation.rules import BreakKind, Line
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine, iso
from marketplace.settings import Settings
from tests.make import ledger as make
from tests.make.billing import Stripe
from tests.make.ledger import usd


def pull() -> None:
    """One run of the schedule."""
    with db.transaction() as session:
        row = outbox.enqueue(session, "reconciliation.pull")
    with db.transaction() as session:
        work = outbox.open_work(session, row)
    assert work is not None
    background.pull(work)
    with db.transaction() as session:
        assert outbox.open_work(session, row) is None


def report() -> Report:
    """The newest comparison."""
    with db.transaction() as session:
        found = service.compare(session, SYSTEM)
    assert found is not None
    return found


def post_all_lines() -> None:
    """Post every stored line as a top-up of some lab."""
    with db.transaction() as session:
        for line in queries.statement_lines(session, SYSTEM, limit=1_000):
            make.topped_up(
                session,
                Money(line.amount, line.currency),
                fee=Money(line.fee, line.currency),
                balance_transaction_id=line.id,
                effective_on=line.created_at.date(),
            )


def test_a_book_that_says_what_stripe_says_is_sound(stripe: Stripe) -> None:
    for minor in (100_00, 50_00):
        stripe.fund(usd(minor))
    pull()
    before = report()
    post_all_lines()
    pull()

    after = report()

    assert [BreakKind.MISSING_IN_LEDGER] * 2 == [one.kind for one in before.breaks]
    assert before.said[0].startswith("Stripe has $")
    assert "that we have not posted: 2 charges" in before.said[0]
    assert ((), 2, True) == (after.said, after.paired, after.sound)
    (tie,) = after.ties
    assert (tie.stripe, usd(0)) == (tie.ledger, tie.difference)


def test_a_balance_ties_while_lines_are_unposted_and_postings_are_newer(stripe: Stripe) -> None:
    stripe.fund(usd(100_00))
    pull()
    stripe.fund(usd(70_00))
    with db.transaction() as session:
        make.topped_up(session, usd(70_00), balance_transaction_id="txn_not_stated_yet")

    found = report()

    assert [BreakKind.MISSING_IN_LEDGER] == [one.kind for one in found.breaks]
    (tie,) = found.ties
    assert (usd(70_00), usd(0)) == (tie.newer, tie.difference)


def test_each_wrong_posting_is_a_break_of_its_kind(stripe: Stripe) -> None:
    for minor in (100_00, 50_00, 20_00):
        stripe.fund(usd(minor))
    pull()
    with db.transaction() as session:
        lines = queries.statement_lines(session, SYSTEM)
        by_amount = {line.amount: line for line in lines}
        first, second = by_amount[100_00], by_amount[50_00]
        for line, amount, fee in ((first, 99_00, first.fee), (second, 50_00, second.fee + 1)):
            make.topped_up(session, usd(amount), fee=usd(fee), balance_transaction_id=line.id)
        make.topped_up(session, usd(3_00), balance_transaction_id="txn_invented")
    pull()

    found = report()

    kinds = {one.key: one.kind for one in found.breaks}
    assert {
        first.id: BreakKind.AMOUNT_MISMATCH,
        second.id: BreakKind.FEE_MISMATCH,
        by_amount[20_00].id: BreakKind.MISSING_IN_LEDGER,
        "txn_invented": BreakKind.MISSING_AT_STRIPE,
    } == kinds
    assert not any("unexplained" in sentence for sentence in found.said)
    assert not found.sound
    with db.transaction() as session:
        page = queries.breaks_page(session, SYSTEM, limit=3)
        rest = queries.breaks_page(session, SYSTEM, after=page[-1].key)
    assert sorted(kinds) == [one.key for one in page + rest]


def test_pulling_again_stores_nothing_twice(stripe: Stripe) -> None:
    for _ in range(3):
        stripe.fund(usd(10_00))
    pull()
    pull()

    with db.transaction() as session:
        lines = queries.statement_lines(session, SYSTEM, limit=2)
        rest = queries.statement_lines(session, SYSTEM, after=lines[-1].id)
        statements = session.scalar(text("SELECT count(*) FROM stripe_statement"))
    assert (2, 1, 2) == (len(lines), len(rest), statements)


def test_more_lines_than_a_page_are_all_stored(
    stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.reconciliation.stripe_gateway.lines.PAGE", 2)
    for _ in range(5):
        stripe.fund(usd(10_00))
    pull()

    (tie,) = report().ties
    assert (5, usd(0)) == (len(report().breaks), tie.difference)


def test_a_line_that_stripe_tells_otherwise_stays_as_it_was_and_is_a_break(
    session: Session,
) -> None:
    def raw(minor: int) -> RawLine:
        made = datetime(2026, 5, 3, tzinfo=UTC)
        line = Line("txn_1", "charge", usd(minor), usd(0), made)
        return RawLine(line, None, made, {"id": "txn_1", "amount": minor})

    assert 1 == service.record_lines(session, [raw(5_00)])
    assert 0 == service.record_lines(session, [raw(5_00)])
    assert 0 == service.record_lines(session, [raw(6_00)])
    assert 0 == service.record_lines(session, [raw(6_00)])

    (kept,) = queries.statement_lines(session, SYSTEM)
    told = session.scalars(text("SELECT body ->> 'amount' FROM stripe_line_altered")).all()
    assert (5_00, ["600"]) == (kept.amount, told)


def test_what_was_pulled_is_immutable(session: Session) -> None:
    service.record_statement(session, RawBalance({"USD": {"available": 1, "pending": 0}}, {}))
    session.flush()

    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text("UPDATE stripe_statement SET balances = '{}'"))


def test_before_the_first_pull_there_is_no_report_and_reading_needs_a_permission(
    session: Session,
) -> None:
    assert service.compare(session, SYSTEM) is None
    with pytest.raises(Denied):
        service.compare(session, Actor(PersonId(new_id())))


def test_currencies_that_stripe_counts_unlike_iso() -> None:
    assert Money(12, "ISK") == iso(12_00, "isk")
    assert Money(5_000, "JPY") == iso(5_000, "jpy")
    assert Money(-3, "UGX") == iso(-3_00, "ugx")
    with pytest.raises(ValueError, match="no whole amount"):
        iso(1, "ugx")
    with pytest.raises(ValueError, match="does not know"):
        iso(1, "xxx")


def test_the_exported_book_passes_the_auditor_with_stripes_balance(
    stripe: Stripe, committed: Engine, settings: Settings, stack: Stack, tmp_path: Path
) -> None:
    stripe.fund(usd(100_00))
    pull()
    post_all_lines()
    pull()
    file = tmp_path / "book.beancount"
    environment = stack.environment | {"STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret}
    command = [sys.executable, "-m", "marketplace.cli", "ledger"]

    # A program of its own: a command sets up the whole process that it runs in.
    exported, printed = (
        subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        for arguments in (["export", "-o", str(file)], ["trial-balance"])
    )

    assert (0, "", "") == (exported.returncode, exported.stdout, exported.stderr)
    bean_check = Path(sys.executable).parent / "bean-check"
    verdict = subprocess.run([bean_check, file], capture_output=True, text=True, check=False)
    assert (0, "") == (verdict.returncode, verdict.stderr)
    assert " balance Assets:Stripe:Balance:USD " in file.read_text(encoding="utf-8")
    assert 0 == printed.returncode
    assert "Total USD" in printed.stdout


@pytest.mark.parametrize("newer", [False, True], ids=["nothing newer", "something newer"])
def test_an_assertion_is_stripes_word_rolled_to_a_days_beginning(
    stripe: Stripe, newer: bool
) -> None:
    stripe.fund(usd(100_00))
    pull()
    with db.transaction() as session:
        if newer:
            make.topped_up(session, usd(1_00), effective_on=date(2026, 5, 3))
        (found,) = queries.stripe_assertions(session, SYSTEM, "UTC")
        (tie,) = report_of(session).ties

    # All of Stripe's lines are of today, so there was nothing as today began.
    assert (usd(0) if newer else tie.stripe) == found.amount
    assert "A:stripe:balance:USD" == found.code
    assert ledger.account_name(found.code) == "Assets:Stripe:Balance:USD"


def report_of(session: Session) -> Report:
    """The newest comparison, in an open transaction."""
    found = queries.latest_report(session, SYSTEM)
    assert found is not None
    return found
