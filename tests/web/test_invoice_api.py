"""Invoices, the balance with its parts, and statements over the API."""

from __future__ import annotations

from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session

from marketplace.billing import service
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId
from marketplace.ledger import service as ledger
from marketplace.money import Money
from tests.make import identity, invoices, work
from tests.make import ledger as book
from tests.make.ledger import usd


def test_a_lab_asks_for_an_invoice_and_reads_its_month(
    app: Flask, session: Session, redis: Redis
) -> None:
    lab = identity.lab_owner(session)
    client, token = app.test_client(), identity.token(session, lab)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}
    asked = {"amount": {"amount_minor": 1_000_00, "currency": "USD"}}
    session.flush()

    refused = client.post("/api/v1/invoices", json=asked, headers=headers)
    issued = invoices.issued(session, lab)
    headers["Idempotency-Key"] = "two"
    made = client.post("/api/v1/invoices", json=asked, headers=headers).json or {}
    again = client.post("/api/v1/invoices", json=asked, headers=headers).json or {}
    invoices.wired(session, Money(400_00, "USD"), made["payment_reference"])
    work.money_in(session, lab, Money(20_00, "USD"))
    session.flush()
    shown = client.get(f"/api/v1/invoices/{made['id']}", headers=headers).json or {}
    listed = client.get("/api/v1/invoices?state=open", headers=headers).json or {}
    balance = client.get("/api/v1/balance", headers=headers).json or {}
    month = f"{ledger.book_today():%Y-%m}"
    statement = client.get(f"/api/v1/statements/{month}", headers=headers).json or {}

    assert "billing_details_missing" == (refused.json or {})["code"]
    assert made["id"] == again["id"]
    assert ("partly_paid", 600_00) == (shown["state"], shown["open"]["amount_minor"])
    assert [str(issued.id)] == [row["id"] for row in listed["items"]]
    assert 420_00 == balance["available"]["amount_minor"] == balance["total"]["amount_minor"]
    moved = sum(row["amount"]["amount_minor"] for row in statement["movements"])
    sums = [statement[part]["total"]["amount_minor"] for part in ("opening", "closing")]
    assert sums[1] == sums[0] + moved
    with client.get(f"/api/v1/invoices/{made['id']}.pdf", headers=headers) as document:
        assert document.data.startswith(b"%PDF")
    assert 404 == client.get("/api/v1/statements/2026-13", headers=headers).status_code


def test_finance_corrects_an_invoice_over_the_api(
    app: Flask, session: Session, redis: Redis
) -> None:
    lab = invoices.a_buyer(session)
    organisation = OrganisationId(lab.organisation())
    book.topped_up(session, usd(112_30), lab_id=organisation, effective_on=ledger.book_today())
    job = book.funded_job(session, usd(112_30), lab_id=organisation)
    book.accepted(session, job, book.a_specialist(), usd(100_00), usd(12_30))
    month = ledger.book_today().replace(day=1)
    invoice = service.issue_month(session, organisation, "USD", month)
    assert invoice is not None
    client = app.test_client()
    people = [identity.staff(session, role) for role in (Role.RECONCILER, Role.APPROVER)]
    asker, approver = (
        {"Authorization": f"Bearer {identity.token(session, one)}", "Idempotency-Key": "a"}
        for one in people
    )
    session.flush()

    at = f"/api/v1/finance/invoices/{invoice.id}"
    reason = {"reason": "Their tax id was missing."}
    wish = client.post(f"{at}/corrections", json=reason, headers=asker).json or {}
    decide = f"/api/v1/finance/invoice-corrections/{wish['id']}/decision"
    refused = client.post(decide, json={"approve": True}, headers=asker)
    done = client.post(decide, json={"approve": True}, headers=approver).json or {}
    shown = client.get(at, headers=approver).json or {}
    listed = client.get("/api/v1/finance/invoices?kind=consumption", headers=asker).json or {}
    span = f"from={month:%Y-%m}&to={month:%Y-%m}"
    tax = client.get(f"/api/v1/finance/tax-totals?{span}", headers=asker).json or {}

    assert 403 == refused.status_code
    assert ("approved", "void", done["credit_note_id"]) == (
        done["state"],
        shown["state"],
        shown["credited_by"],
    )
    assert [done["anew_id"], str(invoice.id)] == [row["id"] for row in listed["items"]]
    assert [112_30] == [row["net"]["amount_minor"] for row in tax["totals"]]
