"""The pages of a lab's money: transfer, invoices, movements, statements, and their files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pypdf import PdfReader
from sqlalchemy.orm import Session

from marketplace import settings as settings_module
from marketplace.actor import Actor
from marketplace.billing import queries, service
from marketplace.billing.rules.invoices import month_after
from marketplace.ids import OrganisationId
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.settings import Settings
from tests.make import invoices, specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


@pytest.fixture(autouse=True)
def seller(settings: Settings, session: Session) -> Iterator[None]:
    """A seller in Ireland with an account in dollars."""
    settings_module.use(
        replace(
            settings,
            seller_name="Expert Judgements Ltd",
            seller_country="IE",
            bank_accounts=(("USD", (("Account number", "000200030004"),)),),
        )
    )
    yield
    settings_module.use(settings)


def file_of(owner: Browser, path: str) -> bytes:
    with owner.get(path) as answer:
        assert 200 == answer.status_code
        return bytes(answer.data)


def text_of_pdf(owner: Browser, path: str) -> str:
    pages = PdfReader(io.BytesIO(file_of(owner, path))).pages
    return "\n".join(page.extract_text() for page in pages)


def test_from_the_details_to_a_paid_invoice(session: Session, lab: Actor, owner: Browser) -> None:
    first = text_of(checked(owner.get("/lab/balance/transfer")))
    assert "Write your billing details" in first
    wrong = owner.post("/lab/balance/details", {"legal_name": "Søn", "country": "DE"})
    assert "Write the address" in text_of(checked(wrong, 422))
    owner.post(
        "/lab/balance/details",
        {"legal_name": "Søn", "address": "Weg 1\nBerlin", "country": "DE", "tax_id": "DE123456789"},
    )
    assert "DE123456789" in checked(owner.get("/lab/balance/details"))

    made = owner.post("/lab/balance/invoices", {"amount": "1000", "currency": "USD"})

    page = text_of(checked(owner.get(made.location)))
    (invoice,) = queries.invoices_of(session, lab)
    assert "Pay $1,000.00 by bank transfer" in page
    assert "000200030004" in page
    reference = queries.invoice_of(session, lab, invoice.id).payment_reference or ""
    invoices.wired(session, Money(985_00, "USD"), reference)
    page = text_of(checked(owner.get(made.location)))
    assert "$985.00 came in; $15.00 are still open" in page
    document = text_of_pdf(owner, f"{made.location}.pdf")
    for part in (invoice.reference, "Søn", "Tax id DE123456789", reference[:4], "$1,000.00"):
        assert part in document
    owner.post(f"{made.location}/credit")
    listed = text_of(checked(owner.get("/lab/balance/invoices")))
    assert "Credit note" in listed
    assert invoice.reference in file_of(owner, "/lab/balance/invoices.csv").decode()


def test_a_month_in_movements_statements_and_an_invoice(
    session: Session, lab: Actor, owner: Browser
) -> None:
    work.money_in(session, lab, Money(20_00, "USD"))
    organisation = OrganisationId(lab.organisation())
    lab_job = work.published(session, items=1, lab=lab)[1]
    doctor = specialists.doctor(session)
    work.submitted(session, doctor, lab_job)
    session.flush()
    month = f"{ledger.book_today():%Y-%m}"
    service.set_details(session, lab, legal_name="Lab", address="Weg 1", country="IE")

    balance = text_of(checked(owner.get("/lab/balance")))
    moved = text_of(checked(owner.get("/lab/balance/movements")))
    checked(owner.get("/lab/balance/statements"))
    shown = text_of(checked(owner.get(f"/lab/balance/statements/{month}")))
    rows = file_of(owner, f"/lab/balance/statements/{month}.csv").decode().splitlines()
    document = text_of_pdf(owner, f"/lab/balance/statements/{month}.pdf")

    assert "Together" in balance
    assert "Reserved for a job" in moved
    assert "Closing" in shown
    closing = queries.standing(session, lab, "USD", month_after(ledger.book_today().replace(day=1)))
    assert rows[-1].split(",")[-2] == f"{closing.total.decimal():f}"
    assert "Statement of" in document
    assert 404 == owner.get("/lab/balance/statements/2999-01").status_code
    assert 404 == owner.get("/lab/balance/statements/x.pdf").status_code
    invoice = service.issue_month(session, organisation, "USD", ledger.book_today().replace(day=1))
    if invoice is not None:
        page = text_of(checked(owner.get(f"/lab/balance/invoices/{invoice.id}")))
        assert "Platform fee" in page
