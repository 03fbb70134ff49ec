"""The calendar's part of invoices: months that are over, each once, for labs with details."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing import background, service
from marketplace.billing.models import Invoice
from marketplace.ids import OrganisationId
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from tests.make import billing, invoices
from tests.make import ledger as book
from tests.make.ledger import usd


def _used(session: Session, lab: OrganisationId, reward: Money, fee: Money) -> None:
    book.topped_up(session, reward + fee, lab_id=lab, effective_on=ledger.book_today())
    job = book.funded_job(session, reward + fee, lab_id=lab)
    book.accepted(session, job, book.a_specialist(), reward, fee)


def _asked(session: Session) -> list[tuple[str, str]]:
    """Run the calendar's part, then what it asked for; the labs and currencies it asked for."""
    background.issue_months(billing.work("billing.issue_months"))
    asked = session.scalars(select(OutboxRow).where(OutboxRow.name == "billing.issue_lab")).all()
    named = {(row.arguments["organisation_id"], row.arguments["currency"]) for row in asked}
    for lab, currency in named:
        background.issue_lab(
            billing.work("billing.issue_lab"), organisation_id=lab, currency=currency
        )
    return sorted(named)


def test_a_month_is_invoiced_once_it_is_over(session: Session, irish: None) -> None:
    buyer, bare = invoices.a_buyer(session), billing.a_lab(session)
    lab, other = (OrganisationId(one.organisation()) for one in (buyer, bare))
    first = ledger.book_today().replace(day=1)
    _used(session, lab, usd(100_00), usd(12_30))
    _used(session, other, usd(50_00), usd(5_00))
    session.flush()

    assert sorted([(str(lab), "USD"), (str(other), "USD")]) == _asked(session)
    assert [] == session.scalars(select(Invoice)).all()
    days = (first.replace(day=28) + timedelta(days=40) - ledger.book_today()).days
    with clock.shifted(timedelta(days=days)):
        _asked(session)
        _asked(session)
        assert [(lab, first, usd(112_30))] == [
            (one.organisation_id, one.month, one.gross) for one in session.scalars(select(Invoice))
        ]
        # Whoever writes the details later gets what waited, and loses nothing.
        service.set_details(session, bare, legal_name="Late", address="Weg 1", country="DE")
        _used(session, lab, usd(10_00), usd(1_00))
        session.flush()
        _asked(session)
    found = session.scalars(select(Invoice).order_by(Invoice.number)).all()
    assert [(lab, 1), (other, 2)] == [(one.organisation_id, one.number) for one in found]
    assert (first, usd(55_00)) == (found[1].month, found[1].gross)
    with clock.shifted(timedelta(days=days + 31)):
        _asked(session)
    more = session.scalars(select(Invoice).order_by(Invoice.issued_on, Invoice.id)).all()[-1]
    assert (lab, usd(11_00)) == (more.organisation_id, more.gross)
