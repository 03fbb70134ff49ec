"""A lab's invoices and statements over the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.billing import queries, service
from marketplace.billing.models import Invoice
from marketplace.billing.queries import InvoiceView
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState, month_after
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT, Money
from marketplace.settings import current
from marketplace.web import api, bills
from marketplace.web.downloads import sent_file
from marketplace.web.guards import me, needs

invoices_api = api.blueprint("invoices", "Invoices and statements of a lab's money.")
MOVEMENTS_MAX = 1_000


class InvoiceLineShown(Schema):
    """A line; `rate_basis_points` are hundredths of a per cent."""

    kind = fields.String()
    words = fields.String()
    job_id = fields.UUID(allow_none=True)
    net = fields.Nested(api.MoneySchema)
    tax = fields.Nested(api.MoneySchema)
    rate_basis_points = fields.Integer()
    treatment = fields.String()


class InvoiceShown(Schema):
    """An invoice; `reference` is its number, `payment_reference` what a transfer must name."""

    id = fields.UUID()
    reference = fields.String()
    kind = fields.String()
    state = fields.String()
    issued_on = fields.Date()
    due_on = fields.Date(allow_none=True)
    month = fields.String(allow_none=True)
    net = fields.Nested(api.MoneySchema)
    tax = fields.Nested(api.MoneySchema)
    total = fields.Nested(api.MoneySchema)


class InvoiceInFull(InvoiceShown):
    """An invoice with its lines and what came in for it."""

    paid = fields.Nested(api.MoneySchema)
    open = fields.Nested(api.MoneySchema)
    payment_reference = fields.String(allow_none=True)
    buyer = fields.Dict(keys=fields.String(), values=fields.String())
    seller = fields.Dict(keys=fields.String(), values=fields.String())
    note = fields.String()
    lines = fields.List(fields.Nested(InvoiceLineShown))
    credited_by = fields.UUID(allow_none=True)


class InvoiceQuery(api.PageQuery):
    """Which invoices."""

    state = fields.String(load_default=None, validate=validate.OneOf([*InvoiceState]))
    kind = fields.String(load_default=None, validate=validate.OneOf([*InvoiceKind]))


class PrepaymentAsked(Schema):
    """How much a transfer shall bring."""

    amount = fields.Nested(api.MoneySchema, required=True)


def shown(invoice: Invoice) -> dict[str, Any]:
    """What a list says of an invoice."""
    return {
        "id": invoice.id,
        "reference": invoice.reference,
        "kind": invoice.kind.value,
        "state": invoice.state.value,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "month": f"{invoice.month:%Y-%m}" if invoice.month else None,
        "net": invoice.net,
        "tax": invoice.tax,
        "total": invoice.gross,
    }


def in_full(view: InvoiceView) -> dict[str, Any]:
    """An invoice with its lines and payments."""
    currency = view.invoice.currency
    return shown(view.invoice) | {
        "paid": view.paid,
        "open": view.open,
        "payment_reference": view.payment_reference,
        "buyer": view.invoice.buyer,
        "seller": view.invoice.seller,
        "note": view.invoice.note,
        "credited_by": view.credited_by.id if view.credited_by else None,
        "lines": [
            {
                "kind": line.kind.value,
                "words": line.words,
                "job_id": line.job_id,
                "net": Money(line.net_minor, currency),
                "tax": Money(line.tax_minor, currency),
                "rate_basis_points": line.rate_basis_points,
                "treatment": line.treatment.value,
            }
            for line in view.lines
        ],
    }


@invoices_api.get("/invoices")
@needs(Permission.BALANCE_VIEW)
@invoices_api.arguments(InvoiceQuery, location="query")
@invoices_api.response(200, api.listing(InvoiceShown))
def list_invoices(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's invoices, newest first."""
    with transaction() as session:
        rows = queries.invoices_of(
            session,
            me(),
            state=InvoiceState(asked["state"]) if asked["state"] else None,
            kind=InvoiceKind(asked["kind"]) if asked["kind"] else None,
            after=asked["after"],
            limit=asked["limit"] + 1,
        )
        listed = [shown(row) for row in rows]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


@invoices_api.post("/invoices")
@needs(Permission.BALANCE_TOP_UP)
@api.once
@invoices_api.arguments(PrepaymentAsked)
@invoices_api.response(201, InvoiceInFull)
def post_invoice(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Issue an invoice for a prepayment by bank transfer; it posts nothing until money comes."""
    invoice = service.issue_prepayment(session, me(), asked["amount"])
    return in_full(queries.invoice_of(session, me(), invoice.id))


@invoices_api.get("/invoices/<uuid:invoice_id>")
@needs(Permission.BALANCE_VIEW)
@invoices_api.response(200, InvoiceInFull)
def get_invoice(invoice_id: UUID) -> dict[str, Any]:
    """One invoice with its lines."""
    with transaction() as session:
        return in_full(queries.invoice_of(session, me(), invoice_id))


@invoices_api.get("/invoices/<uuid:invoice_id>.pdf")
@needs(Permission.BALANCE_VIEW)
@invoices_api.doc(responses={"200": api.file("The document", "application/pdf")})
def get_invoice_pdf(invoice_id: UUID) -> Response:
    """The document itself, as tagged PDF."""
    with transaction() as session:
        view = queries.invoice_of(session, me(), invoice_id)
        content = bills.invoice_pdf(view, current().bank_accounts)
    return sent_file(content, f"{view.invoice.reference}.pdf", "application/pdf")


class LabStandingShown(Schema):
    """A lab's money at a moment, by what may happen to it."""

    available = fields.Nested(api.MoneySchema)
    pending = fields.Nested(api.MoneySchema)
    reserved = fields.Nested(api.MoneySchema)
    dispute_hold = fields.Nested(api.MoneySchema)
    owed = fields.Nested(api.MoneySchema)
    total = fields.Nested(api.MoneySchema)


class LabMovementShown(Schema):
    """A movement: what it added to all of the money, and what there was after it."""

    on = fields.Date()
    posted_at = fields.AwareDateTime(attribute="at")
    kind = fields.String(attribute="kind.value")
    words = fields.String()
    reference = fields.String()
    amount = fields.Nested(api.MoneySchema)
    available_change = fields.Nested(api.MoneySchema, attribute="available")
    balance_after = fields.Nested(api.MoneySchema, attribute="after")
    transaction_id = fields.UUID()
    job_id = fields.UUID(allow_none=True)


class LabStatementShown(Schema):
    """A month: opening, movements, closing; `next` continues the movements, None at the end."""

    month = fields.String()
    over = fields.Boolean()
    opening = fields.Nested(LabStandingShown)
    closing = fields.Nested(LabStandingShown)
    movements = fields.List(fields.Nested(LabMovementShown))
    next = fields.Integer(allow_none=True)


class LabStatementQuery(Schema):
    """Which currency, and which movements of the month."""

    currency = fields.String(load_default="USD", validate=validate.OneOf(sorted(EXPONENT)))
    after = fields.Integer(load_default=0, validate=validate.Range(min=0, max=2**31))
    limit = fields.Integer(load_default=200, validate=validate.Range(min=1, max=MOVEMENTS_MAX))


@invoices_api.get("/statements/<month>")
@needs(Permission.BALANCE_VIEW)
@invoices_api.arguments(LabStatementQuery, location="query")
@invoices_api.response(200, LabStatementShown)
def get_statement(asked: dict[str, Any], month: str) -> Mapping[str, Any]:
    """The statement of a month such as `2026-11`, in a currency."""
    today = clock.book_day(clock.now(), current().book_timezone)
    since = _month(month, today)
    until = month_after(since)
    with transaction() as session:
        rows = queries.movements(
            session, me(), asked["currency"], since=since, until=until, place=asked["after"],
            limit=min(asked["limit"], MOVEMENTS_MAX - 1) + 1,
        )  # fmt: skip
        listed = rows[: min(asked["limit"], MOVEMENTS_MAX - 1)]
        opening = queries.standing(session, me(), asked["currency"], since)
        closing = queries.standing(session, me(), asked["currency"], until)
    return {
        "month": month,
        "over": until <= today,
        "opening": opening,
        "closing": closing,
        "movements": listed,
        "next": listed[-1].place if len(rows) > len(listed) else None,
    }


def _month(text: str, today: date) -> date:
    try:
        month = date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        month = None
    if month is None or month > today or month.year < 2000:
        raise Missing("There is no such month.")
    return month
