"""Finance's pages of labs' invoices: corrections by two people, and tax by rate as a file."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.billing import service
from marketplace.billing.models import InvoiceCorrection
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId
from marketplace.ledger import service as ledger
from tests.make import invoices
from tests.make import ledger as book
from tests.make.ledger import usd
from tests.web.finance.conftest import Hire
from tests.web.pages import checked, text_of


def test_an_invoice_is_corrected_by_two_people(session: Session, hire: Hire) -> None:
    lab = invoices.a_buyer(session)
    organisation = OrganisationId(lab.organisation())
    book.topped_up(session, usd(112_30), lab_id=organisation, effective_on=ledger.book_today())
    job = book.funded_job(session, usd(112_30), lab_id=organisation)
    book.accepted(session, job, book.a_specialist(), usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)
    invoice = service.issue_month(session, organisation, "USD", month)
    assert invoice is not None
    reconciler = hire(Role.RECONCILER, factor=False)
    approver = hire(Role.APPROVER, factor=False)
    session.flush()
    page = f"/finance/invoices/{invoice.id}"

    found = f"/finance/invoices?number={invoice.reference[-5:]}&kind=consumption"
    assert invoice.reference in text_of(checked(reconciler.browser.get(found)))
    assert 422 == reconciler.browser.post(f"{page}/correct", {"reason": "no"}).status_code
    reason: dict[str, object] = {"reason": "Their tax id was missing."}
    assert 403 == approver.browser.post(f"{page}/correct", reason).status_code
    assert 303 == reconciler.browser.post(f"{page}/correct", reason).status_code
    wish = session.query(InvoiceCorrection).one()
    decide = f"/finance/invoices/corrections/{wish.id}"
    assert 403 == reconciler.browser.post(f"{decide}/approve").status_code
    assert "Their tax id was missing" in text_of(checked(approver.browser.get(page)))
    answer = approver.browser.post(f"{decide}/approve")
    assert 303 == answer.status_code
    assert 409 == approver.browser.post(f"{decide}/reject").status_code

    session.expire_all()
    assert f"/finance/invoices/{wish.anew_id}" == answer.headers["Location"]
    assert "Void by credit note" in text_of(checked(approver.browser.get(page)))
    with approver.browser.get("/finance/invoices.csv") as listed:
        assert 4 == len(listed.get_data(as_text=True).splitlines())
    span = f"from={month:%Y-%m}&to={month:%Y-%m}"
    with approver.browser.get(f"/finance/tax-totals.csv?{span}") as totals:
        one_row = f"{invoice.entity},{month:%Y-%m},DE,unregistered,0.00,USD,112.30,0.00,3"
        assert [one_row] == totals.get_data(as_text=True).splitlines()[1:]
    assert "112.30" in text_of(checked(approver.browser.get(f"/finance/tax-totals?{span}")))
    wrong = approver.browser.get("/finance/tax-totals?from=2026-05&to=2026-01")
    assert "not before the first" in text_of(checked(wrong, 422))
