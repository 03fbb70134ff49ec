"""Invoices of all labs for finance, their correction by two people, and the tax that they state."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.billing import queries as billing
from marketplace.billing import service
from marketplace.billing.models import Invoice
from marketplace.billing.queries import desk as queries
from marketplace.billing.rules.invoices import (
    KIND_LABELS,
    STATE_LABELS,
    InvoiceKind,
    InvoiceState,
    month_after,
)
from marketplace.billing.rules.tax import LABELS
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.settings import current
from marketplace.web import bills
from marketplace.web.countries import country_name
from marketplace.web.downloads import amount, csv_text, download, sent_file
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs

PAGE = 50
CSV_MAX = 1_000
CSV_HEAD = (
    "number", "lab_id", "buyer", "country", "tax_id", "kind", "state", "issued_on", "month",
    "currency", "net", "tax", "total",
)  # fmt: skip
TAX_HEAD = (
    "entity", "month_of_issue", "country", "treatment", "rate_percent", "currency", "net", "tax",
    "documents",
)  # fmt: skip
# How each state is drawn: the nearest state that the macros know.
DRAWN = {"open": "waiting", "partly_paid": "partially_sent", "paid": "paid", "void": "cancelled"}


class CorrectionForm(Form):
    """What is wrong with an invoice."""

    reason = fields.String(load_default="")


def _asked() -> dict[str, Any]:
    return {
        "state": {each.value: each for each in InvoiceState}.get(request.args.get("state", "")),
        "kind": {each.value: each for each in InvoiceKind}.get(request.args.get("kind", "")),
        "number": request.args.get("number", "").replace("\0", "").strip()[:40],
    }


@finance.get("/invoices")
@needs(Permission.FINANCE_VIEW)
def list_invoices() -> str:
    """Every lab's invoices, newest first, and corrections that wait for another person."""
    asked, after = _asked(), parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.all_invoices(session, me(), **asked, after=after, limit=PAGE + 1)
        waiting = queries.waiting_corrections(session, me())
    return render_template(
        "finance/invoices.html",
        rows=found[:PAGE],
        last=found[PAGE - 1].id if len(found) > PAGE else None,
        waiting=waiting,
        **asked,
        chosen={name: value for name, value in asked.items() if value},
        states=STATE_LABELS,
        kinds=KIND_LABELS,
        drawn=DRAWN,
    )


@finance.get("/invoices.csv")
@needs(Permission.FINANCE_VIEW)
def invoices_csv() -> Response:
    """The invoices of the page as a file, newest first."""
    with transaction() as session:
        found = queries.all_invoices(session, me(), **_asked(), limit=CSV_MAX)
        return download(csv_text(CSV_HEAD, map(_cells, found)), "invoices.csv", "text/csv")


def _cells(row: Invoice) -> tuple[str, ...]:
    return (
        row.reference,
        str(row.organisation_id),
        row.buyer["legal_name"],
        row.buyer["country"],
        row.buyer["tax_id"],
        row.kind.value,
        row.state.value,
        row.issued_on.isoformat(),
        f"{row.month:%Y-%m}" if row.month else "",
        row.currency,
        amount(row.net),
        amount(row.tax),
        amount(row.gross),
    )


def _facts(invoice_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        found = queries.any_invoice(session, me(), invoice_id)
        view, invoice = found.view, found.view.invoice
        people = {one for each in found.corrections for one in (each.proposed_by, each.decided_by)}
        return {
            "found": found,
            "view": view,
            "invoice": invoice,
            "names": shown.names_of(session, {one for one in people if one}),
            "lab": dict(billing.labs(session, me())).get(invoice.organisation_id, "a lab"),
            "sums": bills.sums(view),
            "lines": bills.line_rows(view),
            "month": bills.month_name(invoice.month) if invoice.month else "",
            "seller": bills.party(invoice.seller),
            "buyer": bills.party(invoice.buyer),
            "kinds": KIND_LABELS,
            "states": STATE_LABELS,
            "drawn": DRAWN,
            "mine": me().person_id,
        }


@finance.get("/invoices/<uuid:invoice_id>")
@needs(Permission.FINANCE_VIEW)
def show_invoice(invoice_id: UUID) -> str:
    """One invoice, what takes it back, and the form that asks for its correction."""
    return render_template("finance/invoice.html", **_facts(invoice_id))


@finance.get("/invoices/<uuid:invoice_id>.pdf")
@needs(Permission.FINANCE_VIEW)
def invoice_pdf(invoice_id: UUID) -> Response:
    """The document as its lab gets it."""
    with transaction() as session:
        view = queries.any_invoice(session, me(), invoice_id).view
        content = bills.invoice_pdf(view, current().bank_accounts)
    return sent_file(content, f"{view.invoice.reference}.pdf", "application/pdf")


@finance.post("/invoices/<uuid:invoice_id>/correct")
@needs(Permission.RECONCILIATION_WORK)
def propose_correction(invoice_id: UUID) -> Response:
    """Ask that the invoice of a month be taken back and issued anew."""
    try:
        asked = load(CorrectionForm)
        with transaction() as session:
            service.propose_correction(session, me(), invoice_id, reason=asked["reason"])
    except Faulty as error:
        return refill("finance/invoice.html", error, **_facts(invoice_id))
    flash("Proposed. Somebody else approves it.", "good")
    return redirect(url_for("finance.show_invoice", invoice_id=invoice_id), code=303)


@finance.post("/invoices/corrections/<uuid:correction_id>/<decision>")
@needs(Permission.BREAKS_APPROVE)
def decide_correction(correction_id: UUID, decision: str) -> Response:
    """Approve or reject what somebody else asked for."""
    if decision not in {"approve", "reject"}:
        advice = Fault("/decision", "Approve or reject.")
        raise Faulty("A correction is approved or rejected.", [advice])
    approve = decision == "approve"
    with transaction() as session:
        wish = service.decide_correction(session, me(), correction_id, approve=approve)
        target = wish.anew_id or wish.invoice_id
    flash("Approved. This is the invoice issued anew." if approve else "Rejected.", "good")
    return redirect(url_for("finance.show_invoice", invoice_id=target), code=303)


def _period() -> tuple[date, date]:
    """The months asked for, first and last, each by its first day; else this year so far."""
    today = clock.book_day(clock.now(), current().book_timezone)
    first = _month("from", date(today.year, 1, 1))
    last = _month("to", today.replace(day=1))
    if last < first:
        advice = Fault("/to", "Choose a month that is not before the first.")
        raise Faulty("The period ends before it begins.", [advice])
    return first, last


def _month(name: str, usual: date) -> date:
    typed = request.args.get(name, "").strip()
    if not typed:
        return usual
    try:
        found = date.fromisoformat(f"{typed}-01") if len(typed) == 7 else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year < 2100:
        advice = Fault(f"/{name}", "Write a month such as 2026-03.")
        raise Faulty("This is not a month.", [advice])
    return found


def _totals() -> dict[str, Any]:
    first, last = _period()
    with transaction() as session:
        rows = queries.tax_totals(session, me(), first, month_after(last))
    return {"first": f"{first:%Y-%m}", "last": f"{last:%Y-%m}", "rows": rows}


@finance.get("/tax-totals")
@needs(Permission.FINANCE_VIEW)
def tax_totals() -> str | Response:
    """Net and tax by rate, country and month, for the accountant's return."""
    words = {"labels": LABELS, "rate": bills.rate, "country_name": country_name}
    try:
        return render_template("finance/tax_totals.html", **_totals(), **words)
    except Faulty as error:
        typed = {"first": request.args.get("from", ""), "last": request.args.get("to", "")}
        return refill("finance/tax_totals.html", error, rows=[], **typed, **words)


@finance.get("/tax-totals.csv")
@needs(Permission.FINANCE_VIEW)
def tax_totals_csv() -> Response:
    """The same as a file."""
    found = _totals()
    rows = (
        (
            each.entity,
            f"{each.month:%Y-%m}",
            each.country,
            each.treatment.value,
            f"{each.rate_basis_points // 100}.{each.rate_basis_points % 100:02d}",
            each.net.currency,
            amount(each.net),
            amount(each.tax),
            str(each.documents),
        )
        for each in found["rows"]
    )
    name = f"tax-{found['first']}-{found['last']}.csv"
    return download(csv_text(TAX_HEAD, rows), name, "text/csv")
