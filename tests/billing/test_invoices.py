"""Invoices: numbers without gaps, documents that nobody changes, and what tax stands on them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.billing import queries, service
from marketplace.billing.models import Invoice, InvoiceLine
from marketplace.billing.queries import desk
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState, LineKind, month_after
from marketplace.billing.rules.tax import Treatment
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import AccrualId, JobId, OrganisationId, PersonId, TransactionId, new_id
from marketplace.ledger import service as ledger
from marketplace.ledger.models import LedgerTransaction
from marketplace.money import Money, total
from tests.make import billing, identity, invoices
from tests.make import ledger as book
from tests.make.ledger import usd


@dataclass(frozen=True)
class Posted:
    """An acceptance in the book, and whose it is."""

    transaction_id: TransactionId
    job_id: JobId
    specialist_id: PersonId


def used(session: Session, lab: Actor, reward: Money, fee: Money) -> Posted:
    """A lab whose job paid for one accepted submission."""
    organisation = OrganisationId(lab.organisation())
    book.topped_up(session, reward + fee, lab_id=organisation, effective_on=ledger.book_today())
    job = book.funded_job(session, reward + fee, lab_id=organisation)
    specialist = book.a_specialist()
    return Posted(book.accepted(session, job, specialist, reward, fee), job, specialist)


def test_four_at_once_get_numbers_without_gaps(committed: Engine, irish: None) -> None:
    with transaction() as session:
        lab = invoices.a_buyer(session)
    failures: list[BaseException] = []

    def issue() -> None:
        try:
            for _ in range(3):
                with transaction() as session:
                    service.issue_prepayment(session, lab, usd(100_00))
        except BaseException as failed:  # noqa: BLE001 - the test reports it below.
            failures.append(failed)

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One whose transaction is rolled back gives its number back.
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(text("SELECT 1 / least(0, :number)"), {"number": _issued(session, lab)})
    with transaction() as session:
        last = service.issue_prepayment(session, lab, usd(100_00))
        numbers = session.scalars(select(Invoice.number).order_by(Invoice.number)).all()

    assert [] == failures
    assert (list(range(1, 14)), 13) == (numbers, last.number)


def _issued(session: Session, lab: Actor) -> int:
    return service.issue_prepayment(session, lab, usd(100_00)).number


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoice SET gross_minor = 1, net_minor = 1",
        "UPDATE invoice SET buyer = '{}'",
        "UPDATE invoice_line SET words = 'other'",
        "DELETE FROM invoice_line",
        "DELETE FROM invoice",
        "UPDATE invoice_series SET last_number = 7",
        "INSERT INTO invoice SELECT (jsonb_populate_record(i, jsonb_build_object('id', "
        "gen_random_uuid(), 'number', 7, 'once_key', 'x', 'reference', 'x'))).* FROM invoice i",
        "INSERT INTO invoice_line SELECT invoice_id, 2, kind, job_id, words, 1, 0, treatment, 0 "
        "FROM invoice_line",
    ],
)
def test_the_database_refuses_gaps_and_edits(session: Session, irish: None, statement: str) -> None:
    service.issue_prepayment(session, invoices.a_buyer(session), usd(100_00))
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(statement))


def test_details_are_frozen_on_what_was_issued(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    invoice = service.issue_prepayment(session, lab, usd(100_00), once_key="a")
    service.set_details(session, lab, legal_name="Other", address="Elsewhere", country="FR")

    assert ("Universität Nirgendwo", "DE123456789", "Expert Judgements Ltd") == (
        invoice.buyer["legal_name"],
        invoice.buyer["tax_id"],
        invoice.seller["legal_name"],
    )
    assert invoice.id == service.issue_prepayment(session, lab, usd(100_00), once_key="a").id


def test_who_has_no_details_gets_no_invoice(session: Session, irish: None) -> None:
    with pytest.raises(service.DetailsMissing):
        service.issue_prepayment(session, billing.a_lab(session), usd(100_00))
    with pytest.raises(Faulty):
        service.issue_prepayment(session, invoices.a_buyer(session), usd(0))


def test_a_month_is_stated_once_with_the_tax_inside_the_fee(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session, country="IE", tax_id="")
    organisation = OrganisationId(lab.organisation())
    used(session, lab, usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)

    invoice = service.issue_month(session, organisation, "USD", month)
    again = service.issue_month(session, organisation, "USD", month)

    assert invoice is not None
    assert again is None
    assert (usd(112_30), usd(2_30), InvoiceState.PAID) == (
        invoice.gross,
        invoice.tax,
        invoice.state,
    )
    rows = queries.invoice_of(session, lab, invoice.id).lines
    assert [
        (LineKind.FEE, 1000, 230, Treatment.STANDARD, 2300),
        (LineKind.REWARDS, 10000, 0, Treatment.PASSED_ON, 0),
    ] == sorted((r.kind, r.net_minor, r.tax_minor, r.treatment, r.rate_basis_points) for r in rows)


# A month stated in Ireland, taken back, and stated anew in Germany; documents are counted last.
CORRECTED = {
    ("IE", Treatment.STANDARD, 2300, usd(0), usd(0), 2),
    ("IE", Treatment.PASSED_ON, 0, usd(0), usd(0), 2),
    ("DE", Treatment.REVERSE_CHARGE, 0, usd(12_30), usd(0), 1),
    ("DE", Treatment.PASSED_ON, 0, usd(100_00), usd(0), 1),
}


def tax_totals(session: Session, viewer: Actor, month: date) -> set[tuple[object, ...]]:
    """What finance is shown of a month."""
    return {
        (one.country, one.treatment, one.rate_basis_points, one.net, one.tax, one.documents)
        for one in desk.tax_totals(session, viewer, month, month_after(month))
    }


def test_two_people_take_an_invoice_back_and_state_it_anew(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session, country="IE", tax_id="")
    organisation = OrganisationId(lab.organisation())
    used(session, lab, usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)
    first = service.issue_month(session, organisation, "USD", month)
    assert first is not None
    reconciler = identity.staff(session, Role.RECONCILER)
    both = identity.staff(session, Role.RECONCILER, Role.APPROVER)
    with pytest.raises(Faulty):
        service.propose_correction(session, both, first.id, reason="  short ")
    wish = service.propose_correction(session, both, first.id, reason="Their tax id was missing.")
    with pytest.raises(Conflict):
        service.propose_correction(session, reconciler, first.id, reason="Their tax id, again.")
    service.set_details(session, lab, legal_name="B", address="C", country="DE",
                        tax_id="DE123456789")  # fmt: skip
    with pytest.raises(Denied):
        service.decide_correction(session, both, wish.id, approve=True)
    with pytest.raises(Denied):
        service.decide_correction(session, reconciler, wish.id, approve=True)
    approver = identity.staff(session, Role.APPROVER)
    service.decide_correction(session, approver, wish.id, approve=True)

    note = session.get_one(Invoice, wish.credit_note_id)
    anew = session.get_one(Invoice, wish.anew_id)
    assert (InvoiceState.VOID, InvoiceKind.CREDIT_NOTE, first.gross, first.tax, first.buyer) == (
        first.state,
        note.kind,
        note.gross,
        note.tax,
        note.buyer,
    )
    assert (usd(112_30), usd(0), "DE123456789", month, InvoiceState.PAID) == (
        anew.gross,
        anew.tax,
        anew.buyer["tax_id"],
        anew.month,
        anew.state,
    )
    assert [] == queries.uninvoiced(session, organisation, "USD", month_after(month))
    with pytest.raises(Conflict):
        service.decide_correction(session, approver, wish.id, approve=False)
    for invoice in (first, note):
        with pytest.raises(Conflict):
            service.propose_correction(session, reconciler, invoice.id, reason="It is wrong still.")
    with pytest.raises(Conflict):
        service.credit_invoice(session, lab, anew.id)
    assert CORRECTED == tax_totals(session, approver, month)


def test_work_taken_back_later_becomes_a_credit_note(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session, country="IE", tax_id="")
    organisation = OrganisationId(lab.organisation())
    posted = used(session, lab, usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)
    first = service.issue_month(session, organisation, "USD", month)
    accept = session.get_one(LedgerTransaction, posted.transaction_id)
    ledger.reverse_pay(
        session,
        accrual_id=AccrualId(new_id()),
        kind=accept.source_kind,
        source_id=accept.source_id,
        lab_id=organisation,
        job_id=posted.job_id,
        specialist_id=posted.specialist_id,
        reward=usd(100_00),
        cleared=False,
        job_ended=True,
    )
    note = service.issue_month(session, organisation, "USD", month)
    used(session, lab, usd(5_00), usd(1_23))
    more = service.issue_month(session, organisation, "USD", month)

    assert first is not None
    assert note is not None
    assert more is not None
    assert (InvoiceKind.CREDIT_NOTE, usd(112_30), usd(2_30), first.id) == (
        note.kind,
        note.gross,
        note.tax,
        note.credits_id,
    )
    assert (InvoiceKind.CONSUMPTION, usd(6_23), 2) == (more.kind, more.gross, more.number)


def test_a_lab_takes_back_a_request_that_nobody_paid(session: Session, irish: None) -> None:
    lab, other = invoices.a_buyer(session), invoices.a_buyer(session)
    invoice, _ = invoices.asked_for(session, lab, usd(100_00))
    with pytest.raises(Missing):
        service.credit_invoice(session, other, invoice.id)

    note = service.credit_invoice(session, lab, invoice.id)

    assert (InvoiceState.VOID, usd(100_00), invoice.id) == (
        invoice.state,
        note.gross,
        note.credits_id,
    )
    assert [note.id, invoice.id] == [row.id for row in queries.invoices_of(session, lab)]
    with pytest.raises(Missing):
        queries.invoice_of(session, other, invoice.id)
    assert [] == queries.broken_documents(session)


def test_the_accountant_adds_rates_of_days_to_come(session: Session, irish: None) -> None:
    closer = identity.staff(session, Role.APPROVER)
    today = clock.now().date()
    with pytest.raises(Faulty):
        service.add_rate(session, closer, country="IE", basis_points=2400,
                         valid_from=today - timedelta(days=62), source="the gazette")  # fmt: skip

    service.add_rate(session, closer, country="IE", basis_points=2400, valid_from=today,
                     source="the gazette")  # fmt: skip

    lab = invoices.a_buyer(session, country="IE", tax_id="")
    used(session, lab, usd(100_00), usd(12_40))
    organisation = OrganisationId(lab.organisation())
    invoice = service.issue_month(session, organisation, "USD", today.replace(day=1))
    assert invoice is not None
    assert usd(2_40) == invoice.tax


def test_movements_tie_to_the_book(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    organisation = OrganisationId(lab.organisation())
    book.topped_up(session, usd(500_00), lab_id=organisation, effective_on=invoices.A_DAY)
    used(session, lab, usd(100_00), usd(20_00))
    today = ledger.book_today()
    month = today.replace(day=1)

    rows = queries.movements(session, lab, "USD", since=month, until=month_after(month))
    opening = queries.standing(session, lab, "USD", month)
    closing = queries.standing(session, lab, "USD", month_after(month))

    assert (usd(500_00), usd(500_00)) == (opening.total, closing.total)
    assert closing.total == opening.total + total((row.amount for row in rows), "USD")
    assert ["top_up", "reserve", "accept"] == [row.kind.value for row in rows]
    assert [usd(620_00), usd(620_00), usd(500_00)] == [row.after for row in rows]
    assert closing.available == invoices.available(session, lab)
    only = queries.movements(
        session, lab, "USD", since=month, until=month_after(month), group="work"
    )
    assert [(usd(-120_00), usd(500_00))] == [(row.amount, row.after) for row in only]
    assert [(today, usd(120_00))] == queries.used_by_day(
        session, organisation, "USD", month, month_after(month)
    )
    assert 0 == len(session.scalars(select(InvoiceLine)).all())
