"""What the finance desk looks up in the book."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import usd

STRIPE = "A:stripe:balance:USD"


def test_every_cent_is_in_one_state(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00), fee=usd(3_00))
    job = make.funded_job(session, usd(40_00), lab_id=lab)
    specialist = make.a_specialist()
    make.accepted(session, job, specialist, usd(10_00), usd(1_00))
    line = make.payout_line(session, specialist, usd(25_00))
    make.payout_line(session, make.a_specialist(), usd(5_00))
    make.sent(session, specialist, line, usd(25_00))
    make.topped_up(session, Money(700, "JPY"))

    found = queries.money_by_state(session, SYSTEM)

    dollars = found["USD"]
    assert ["JPY", "USD"] == list(found)
    assert (usd(60_00), usd(29_00)) == (dollars.labs_available, dollars.jobs_reserved)
    assert (usd(10_00), usd(0)) == (dollars.pending, dollars.available)
    assert (usd(0), usd(5_00)) == (dollars.held, dollars.payout_reserved)
    assert (usd(1_00), usd(3_00)) == (dollars.fees_earned, dollars.processing_paid)
    assert usd(104_00) == dollars.owed
    # What is left over is what we earned, less what Stripe kept.
    assert usd(1_00 - 3_00) == dollars.cover == dollars.at_stripe - dollars.owed


def test_accounts_are_found_by_part_by_pattern_and_by_kind(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00), fee=usd(1_00))
    make.topped_up(session, Money(500, "JPY"), lab_id=lab)

    by_part = queries.accounts(session, SYSTEM, search=str(lab)[-12:].upper())
    by_pattern = queries.accounts(session, SYSTEM, search="L:lab:*:available:USD")
    by_kind = queries.accounts(session, SYSTEM, kind=AccountKind.EXPENSE)

    assert [Money(500, "JPY"), usd(10_00)] == [row.balance for row in by_part]
    assert [lab] == [row.owner_id for row in by_pattern]
    assert [("E:stripe:processing:USD", usd(1_00))] == [(r.code, r.balance) for r in by_kind]
    assert [] == queries.accounts(session, SYSTEM, search="stripe_balance")
    assert [] == queries.accounts(session, SYSTEM, search="%")


def test_accounts_come_in_pages(session: Session) -> None:
    for _ in range(3):
        make.topped_up(session, usd(1_00))
    whole = queries.accounts(session, SYSTEM)

    first = queries.accounts(session, SYSTEM, limit=2)

    assert whole == first + queries.accounts(session, SYSTEM, after=first[-1].code)
    assert 4 == len(whole)


def test_a_whole_account_reads_as_its_pages_do_from_the_other_end(session: Session) -> None:
    for minor in (10_00, 20_00, 30_00):
        make.topped_up(session, usd(minor), fee=usd(1_00))
    service.number_transactions(session, limit=2)

    whole = list(queries.every_entry(session, SYSTEM, STRIPE))

    assert queries.entries_of(session, SYSTEM, STRIPE) == whole[::-1]
    assert queries.balance(session, STRIPE) == whole[-1].balance_after == usd(57_00)


def test_a_posting_is_found_by_its_source(session: Session) -> None:
    make.topped_up(
        session, usd(1_00), balance_transaction_id="txn_1", effective_on=date(2026, 5, 3)
    )
    (line,) = queries.entries_of(session, SYSTEM, STRIPE)

    found = queries.postings_of(session, SYSTEM, SourceKind.TOP_UP, ["txn_1", "txn_2"])

    assert {"txn_1": line.transaction_id} == found
    assert {} == queries.postings_of(session, SYSTEM, SourceKind.TRANSFER, ["txn_1"])


def test_only_finance_looks(session: Session) -> None:
    nobody = Actor(person_id=PersonId(new_id()))
    with pytest.raises(Denied):
        queries.money_by_state(session, nobody)
    with pytest.raises(Denied):
        queries.accounts(session, nobody)
    with pytest.raises(Denied):
        queries.postings_of(session, nobody, SourceKind.TOP_UP, ["txn_1"])
    with pytest.raises(Denied):
        next(queries.every_entry(session, nobody, STRIPE))
