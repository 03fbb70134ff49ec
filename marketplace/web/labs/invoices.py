"""A lab's invoices, the way to pay by transfer, and whom invoices are made out to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.billing import background, queries, service
from marketplace.billing.rules import references
from marketplace.billing.rules.invoices import (
    KIND_LABELS,
    STATE_LABELS,
    InvoiceKind,
    InvoiceState,
)
from marketplace.billing.stripe_gateway import FUNDING_KINDS
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, parse_id
from marketplace.money import Money, parse_money
from marketplace.settings import current
from marketplace.web import bills
from marketplace.web.countries import countries
from marketplace.web.downloads import amount, csv_text, download, sent_file
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import money_words
from marketplace.web.labs.builder import CURRENCY

invoices = Blueprint("lab_invoices", __name__, url_prefix="/lab/balance")
PAGE = 30
CSV_MAX = 1_000
CSV_HEAD = (
    "number", "kind", "state", "issued_on", "due_on", "month", "currency", "net", "tax", "total",
    "paid",
)  # fmt: skip
# How each state is drawn: the nearest state that the macros know.
DRAWN = {"open": "waiting", "partly_paid": "partially_sent", "paid": "paid", "void": "cancelled"}


class PrepaymentForm(Form):
    """How much a transfer shall bring."""

    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    currency = fields.String(load_default="USD", validate=CURRENCY)


class DetailsForm(Form):
    """Whom invoices are made out to."""

    legal_name = fields.String(load_default="")
    address = fields.String(load_default="")
    country = fields.String(load_default="")
    tax_id = fields.String(load_default="")
    purchase_order = fields.String(load_default="")


@invoices.get("/invoices")
@needs(Permission.BALANCE_VIEW)
def listing() -> str:
    """Invoices, newest first, of one state or all."""
    state = {each.value: each for each in InvoiceState}.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.invoices_of(session, me(), state=state, after=after, limit=PAGE + 1)
        paid = queries.paid_by_invoice(session, [row.id for row in found])
        known = queries.details_of(session, me()) is not None
    return render_template(
        "labs/invoices.html",
        tabs=money_words.tabs("lab_invoices.listing"),
        rows=[(row, Money(paid.get(row.id, 0), row.currency)) for row in found[:PAGE]],
        last=found[PAGE - 1].id if len(found) > PAGE else None,
        state=state,
        states=STATE_LABELS,
        kinds=KIND_LABELS,
        drawn=DRAWN,
        known=known,
    )


@invoices.get("/invoices.csv")
@needs(Permission.BALANCE_VIEW)
def listing_csv() -> Response:
    """All invoices as a file, newest first."""
    with transaction() as session:
        found = queries.invoices_of(session, me(), limit=CSV_MAX)
        paid = queries.paid_by_invoice(session, [row.id for row in found])
        rows = (
            (
                row.reference,
                row.kind.value,
                row.state.value,
                row.issued_on.isoformat(),
                row.due_on.isoformat() if row.due_on else "",
                f"{row.month:%Y-%m}" if row.month else "",
                row.currency,
                amount(row.net),
                amount(row.tax),
                amount(row.gross),
                amount(Money(paid.get(row.id, 0), row.currency)),
            )
            for row in found
        )
        return download(csv_text(CSV_HEAD, rows), "invoices.csv", "text/csv")


@invoices.get("/invoices/<uuid:invoice_id>")
@needs(Permission.BALANCE_VIEW)
def show(invoice_id: UUID) -> str:
    """One invoice, what came in for it, and how to pay the rest."""
    with transaction() as session:
        view = queries.invoice_of(session, me(), invoice_id)
        reference = view.payment_reference
        return render_template(
            "labs/invoice.html",
            view=view,
            invoice=view.invoice,
            sums=bills.sums(view),
            lines=bills.line_rows(view),
            month=bills.month_name(view.invoice.month) if view.invoice.month else "",
            seller=bills.party(view.invoice.seller),
            buyer=bills.party(view.invoice.buyer),
            account=dict(current().bank_accounts).get(view.invoice.currency, ()),
            payment_reference=references.spaced(reference) if reference else "",
            may_cancel=view.open and view.invoice.kind is InvoiceKind.PREPAYMENT,
            kinds=KIND_LABELS,
            states=STATE_LABELS,
            drawn=DRAWN,
        )


@invoices.get("/invoices/<uuid:invoice_id>.pdf")
@needs(Permission.BALANCE_VIEW)
def show_pdf(invoice_id: UUID) -> Response:
    """The document itself."""
    with transaction() as session:
        view = queries.invoice_of(session, me(), invoice_id)
        content = bills.invoice_pdf(view, current().bank_accounts)
    return sent_file(content, f"{view.invoice.reference}.pdf", "application/pdf")


@invoices.post("/invoices/<uuid:invoice_id>/credit")
@needs(Permission.BALANCE_TOP_UP)
def credit(invoice_id: UUID) -> Response:
    """Take back what nobody has paid of a prepayment invoice."""
    with transaction() as session:
        note = service.credit_invoice(session, me(), invoice_id)
    flash(f"The credit note {note.reference} takes back what was not paid.", "good")
    return redirect(url_for("lab_invoices.show", invoice_id=invoice_id), code=303)


def _transfer_facts() -> dict[str, Any]:
    accounts = current().bank_accounts
    with transaction() as session:
        reference = ""
        if accounts and me().may(Permission.BALANCE_TOP_UP):
            reference = service.lab_reference(session, OrganisationId(me().organisation()))
        details = queries.details_of(session, me())
    return {
        "tabs": money_words.tabs("lab_invoices.transfer"),
        "accounts": accounts,
        "reference": references.spaced(reference),
        "currencies": [(code, code) for code, _ in accounts],
        "by_stripe": [code for code in FUNDING_KINDS if code not in dict(accounts)],
        "asked": "",
        "funding": (),
        "known": details is not None,
        "suggested": request.args.get("amount", "")[:20],
    }


@invoices.get("/transfer")
@needs(Permission.BALANCE_VIEW)
def transfer() -> str:
    """How to pay by bank transfer, and an invoice to pay it with."""
    return render_template("labs/transfer.html", **_transfer_facts())


@invoices.post("/transfer")
@needs(Permission.BALANCE_TOP_UP)
def ask_for_account() -> str:
    """Ask Stripe which account takes this lab's transfers in a currency that we have none in."""
    facts = _transfer_facts()
    currency = request.form.get("currency", "")
    if currency not in facts["by_stripe"]:
        advice = Fault("/currency", "Choose a currency of the list.")
        raise Faulty("Stripe takes no transfers in it.", [advice])
    found = background.funding_accounts(OrganisationId(me().organisation()), currency)
    return render_template("labs/transfer.html", **facts | {"asked": currency, "funding": found})


@invoices.post("/invoices")
@needs(Permission.BALANCE_TOP_UP)
@form_page("labs/transfer.html", _transfer_facts)
def create() -> Response:
    """Issue an invoice for a prepayment."""
    asked = load(PrepaymentForm)
    with transaction() as session:
        invoice = service.issue_prepayment(
            session, me(), parse_money(asked["amount"], asked["currency"])
        )
    return redirect(url_for("lab_invoices.show", invoice_id=invoice.id), code=303)


def _details_facts() -> dict[str, Any]:
    with transaction() as session:
        details = queries.details_of(session, me())
    return {
        "tabs": money_words.tabs("lab_invoices.details"),
        "details": details,
        "countries": [("", "Choose a country"), *countries()],
    }


@invoices.get("/details")
@needs(Permission.BALANCE_VIEW)
def details() -> str:
    """Whom the next invoices are made out to."""
    return render_template("labs/billing_details.html", **_details_facts())


@invoices.post("/details")
@needs(Permission.BALANCE_TOP_UP)
@form_page("labs/billing_details.html", _details_facts)
def save_details() -> Response:
    """Change it; invoices that were issued stay as they are."""
    asked = load(DetailsForm)
    with transaction() as session:
        service.set_details(session, me(), **asked)
    flash("Saved. Your next invoices are made out so; those that were issued stay.", "good")
    return redirect(url_for("lab_invoices.details"), code=303)
