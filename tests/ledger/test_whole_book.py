"""A book with every rule in it: sound, balanced, and accepted by an outside auditor."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.ledger import queries, service
from marketplace.ledger.models import LedgerAccount, LedgerTransaction
from marketplace.ledger.queries import BalanceAssertion
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.chart import control_account
from marketplace.web.finance import shown
from tests.ledger.every_rule import every_rule
from tests.ledger.test_statements import checked

STRIPE = "A:stripe:balance:USD"


def test_a_book_with_every_rule_is_sound_and_the_outside_auditor_agrees(
    session: Session, tmp_path: Path
) -> None:
    every_rule(session)
    used = set(session.scalars(select(LedgerTransaction.source_kind).distinct()))
    # Two labs' debts are netted only where money comes in later; that has tests of its own.
    assert set(SourceKind) - {SourceKind.NET_LAB} == used - {SourceKind.NET_LAB}
    for part in (0, 1):  # Half of it numbered, then all.
        service.number_transactions(session, limit=60 if part == 0 else 5_000)
        assert [] == queries.broken_invariants(session)
        at_once = queries.trial_balance(session, SYSTEM)
        totals = queries.trial_totals(session, SYSTEM)
        assert all(total.debit == total.credit for total in totals.values())
    assert ["EUR", "JPY", "KWD", "USD"] == list(totals)
    assert at_once == queries.trial_balance(session, SYSTEM, clock.now())

    far = date(2040, 1, 1)
    stripe = queries.balance(session, STRIPE)
    said = [BalanceAssertion(far, STRIPE, stripe, "balance at Stripe")]
    verdict = checked(queries.beancount(session, SYSTEM, said), tmp_path)
    assert (0, "") == (verdict.returncode, verdict.stderr)

    codes = session.execute(select(LedgerAccount.code, LedgerAccount.stem)).all()
    assert [(code, control_account(code)) for code, _ in codes] == [tuple(row) for row in codes]
    # Finance reads all of it in words.
    assert set(SourceKind) == set(shown.SOURCES)
    for code, _ in codes:
        assert "_" not in shown.named(code, {}).words.partition("\u2026")[0]


def test_roll_forwards_of_the_whole_book_tie(session: Session) -> None:
    every_rule(session)
    service.number_transactions(session, limit=5_000)

    for month in (date(2026, 5, 1), service.book_today()):
        rows = queries.roll_forward(session, SYSTEM, month)
        assert all(row.ties for row in rows)
    closing = {(row.stem, row.closing.currency): row.closing for row in rows}
    state = queries.money_by_state(session, SYSTEM)["USD"]
    assert state.at_stripe == closing["A:stripe:balance", "USD"]
    assert state.labs_available == closing["L:lab:available", "USD"]
    assert state.withheld == closing["L:tax_withheld", "USD"]
