"""A specialist's money pages: calendar, timeline, statements as page, PDF and CSV, the tax form."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ledger.rules import HoldReason
from marketplace.payouts import queries, service
from marketplace.payouts.models import TaxFormRow
from marketplace.payouts.service import pay_holds
from tests.make import identity, specialists, work
from tests.make.ledger import cleared_pay, usd
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

FORM: dict[str, object] = {
    "kind": "w9", "legal_name": "Ann Lee", "classification": "individual", "address": "1 Way",
    "city": "Boston", "region": "MA", "postcode": "02101", "country": "US", "tin": "123-45-6789",
    "certified": "1", "signed_name": "Ann Lee",
}  # fmt: skip


def test_money_is_told_by_what_comes_next(desk: Browser, session: Session, doctor: Actor) -> None:
    lab, job = work.published(session, review_sample_ratio=1)
    work.decided(session, lab, work.submitted(session, doctor, job))
    cleared_pay(session, doctor.person(), usd(60_00))
    officer = identity.staff(session, Role.OPERATIONS)
    pay_holds.place_hold(
        session, officer, doctor.person(), amount=usd(20_00), reason=HoldReason.DISPUTE,
        note="The lab's bank disputes a payment.",
    )  # fmt: skip
    session.flush()
    (task,) = queries.task_pay(session, doctor)

    page = text_of(checked(desk.get("/work/earnings")))
    one = text_of(checked(desk.get(f"/work/earnings/tasks/{task.accrual.id}")))
    other = specialists.doctor(session)
    session.flush()
    (month,) = [first for _, first in queries.statement_months(session, doctor)]
    period = f"{month:%Y-%m}"
    statements = text_of(checked(desk.get("/work/earnings/statements")))
    statement = text_of(checked(desk.get(f"/work/earnings/statements/USD/{period}")))
    with desk.get(f"/work/earnings/statements/USD/{period}/csv") as download:
        csv = download.get_data(as_text=True)
    with desk.get(f"/work/earnings/statements/USD/{month:%Y}/pdf") as document:
        pages = PdfReader(io.BytesIO(document.data)).pages
    printed = "\n".join(each.extract_text() for each in pages)

    for words in ("Pending $4.50", "Available $40.00", "What clears when", "1 task",
                  "$20.00 is held.", "A payment is disputed. The lab's bank disputes a payment.",
                  "The smallest payout is $10.00"):  # fmt: skip
        assert words in page
    assert "Clears and becomes available on" in one
    assert f"{month:%B %Y}" in statements
    assert "At the end $64.50" in statement
    assert 3 == len(csv.splitlines())
    assert "Statement of" in printed
    assert "$64.50" in printed
    assert [] == queries.own_pay_holds(session, other)
    for bad in ("2026-13", "26", "\u0662026"):
        assert 404 == desk.get(f"/work/earnings/statements/USD/{bad}").status_code
    assert 404 == desk.get("/work/earnings/statements/XXX/2026").status_code


def test_a_tax_form_is_signed_on_its_page_and_its_number_never_comes_back(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    service.open_onboarding(session, doctor, payee_name="Ann Lee", country="US", currency="USD")
    session.flush()

    asked = text_of(checked(desk.get("/work/earnings/tax")))
    wrong = checked(desk.post("/work/earnings/tax", FORM | {"signed_name": "Bob"}), 422)
    signed = desk.post("/work/earnings/tax", FORM)
    after = checked(desk.get("/work/earnings/tax"))
    form = session.scalars(select(TaxFormRow)).one()

    assert "Please fill in your W-9 in good time." in asked
    assert "From $2,000.00 paid in a year on, 24 % of each payout" in asked
    assert "it signs this" in wrong
    assert 303 == signed.status_code
    assert "number ending in 6789" in text_of(after)
    for page in (wrong, after):
        assert not re.search("123-?45", page)
    assert ("123456789", "US") == (form.tin, form.country)
    for kind in ("w8ben", "w8bene", "dac7", "nothing"):
        checked(desk.get(f"/work/earnings/tax?kind={kind}"))
