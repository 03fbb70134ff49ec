"""The pages of unapplied cash and of rates of tax."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing.models import CashProposal
from marketplace.identity.rules import Role
from marketplace.money import Money
from tests.make import invoices
from tests.web.finance.conftest import Hire
from tests.web.pages import checked, text_of


def test_a_payment_without_a_reference_finds_its_lab_by_two_people(
    session: Session, hire: Hire
) -> None:
    lab = invoices.a_buyer(session)
    receipt = invoices.wired(session, Money(250_00, "USD"), "no reference at all")
    reconciler = hire(Role.RECONCILER, factor=False)
    approver = hire(Role.APPROVER, factor=False)
    session.flush()
    page = f"/finance/cash/{receipt.id}"
    listed = text_of(checked(reconciler.browser.get("/finance/cash")))
    assert "$250.00 in 1 payment wait for their owner" in listed
    assert "names no reference" in listed

    typed: dict[str, object] = {
        "kind": "apply",
        "organisation_id": str(lab.organisation()),
        "evidence": "short",
    }
    assert 422 == reconciler.browser.post(f"{page}/propose", typed).status_code
    typed["evidence"] = "Their message of 3 May names the amount."
    assert 303 == reconciler.browser.post(f"{page}/propose", typed).status_code
    proposal = session.query(CashProposal).one()
    decide = f"/finance/cash/proposals/{proposal.id}"
    assert 403 == reconciler.browser.post(f"{decide}/approve").status_code
    assert "Approve and post" in text_of(checked(approver.browser.get(page)))
    assert 303 == approver.browser.post(f"{decide}/approve").status_code
    assert 409 == approver.browser.post(f"{decide}/approve").status_code

    assert "All of it is settled" in text_of(checked(approver.browser.get(page)))
    session.expire_all()
    assert Money(250_00, "USD") == invoices.available(session, lab)


def test_the_accountant_adds_a_rate(session: Session, hire: Hire) -> None:
    closer = hire(Role.APPROVER, factor=False)
    day = clock.now().date() + timedelta(days=40)
    typed: dict[str, object] = {
        "country": "ie",
        "rate": "23.5",
        "valid_from": day.isoformat(),
        "source": "",
    }

    wrong = text_of(checked(closer.browser.post("/finance/tax-rates", typed), 422))
    right = closer.browser.post("/finance/tax-rates", typed | {"source": "Finance Act"})

    assert "Say where the rate is published" in wrong
    assert 303 == right.status_code
    assert "23.5 %" in text_of(checked(closer.browser.get("/finance/tax-rates")))
