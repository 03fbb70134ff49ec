"""Invoices, the balance with its parts, and statements over the API."""

from __future__ import annotations

from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session

from marketplace.ledger import service as ledger
from marketplace.money import Money
from tests.make import identity, invoices, work


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
