"""Finance over the API: invoices of all labs, their correction by two people, tax by rate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.billing import service
from marketplace.billing.models import InvoiceCorrection
from marketplace.billing.queries import desk as queries
from marketplace.billing.queries.desk import Correctable, TaxTotal
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState, month_after
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.settings import current
from marketplace.web import api, bills
from marketplace.web.api.invoices import InvoiceInFull, InvoiceShown, in_full, shown
from marketplace.web.downloads import sent_file
from marketplace.web.guards import me, needs

corrections_api = api.blueprint("finance_invoices", "Finance: invoices, corrections, tax by rate.")


class CorrectionShown(Schema):
    """A wish to correct an invoice; the two documents are there once it is approved."""

    id = fields.UUID()
    invoice_id = fields.UUID()
    state = fields.String(attribute="state.value")
    reason = fields.String()
    proposed_by = fields.UUID()
    proposed_at = fields.AwareDateTime()
    decided_by = fields.UUID(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    credit_note_id = fields.UUID(allow_none=True)
    anew_id = fields.UUID(allow_none=True)


class LabInvoiceShown(InvoiceShown):
    """An invoice and whose it is."""

    organisation_id = fields.UUID()


class LabInvoiceInFull(InvoiceInFull):
    """An invoice with its lines, whose it is, and every wish to correct it, newest first."""

    organisation_id = fields.UUID()
    corrections = fields.List(fields.Nested(CorrectionShown))


class LabInvoiceQuery(api.PageQuery):
    """Which invoices; number: a part of what people see and quote."""

    state = fields.String(load_default=None, validate=validate.OneOf([*InvoiceState]))
    kind = fields.String(load_default=None, validate=validate.OneOf([*InvoiceKind]))
    number = fields.String(load_default="", validate=validate.Length(max=40))


class CorrectionAsked(Schema):
    """What is wrong with the invoice."""

    reason = fields.String(required=True)


class CorrectionDecision(Schema):
    """Whether a wish is granted."""

    approve = fields.Boolean(required=True)


class TaxTotalShown(Schema):
    """Net and tax of a month of issue at a rate, credit notes taken off. country: the buyer's."""

    entity = fields.String()
    month = fields.Date(format="%Y-%m")
    country = fields.String()
    treatment = fields.String(attribute="treatment.value")
    rate_basis_points = fields.Integer()
    net = fields.Nested(api.MoneySchema)
    tax = fields.Nested(api.MoneySchema)
    documents = fields.Integer()


class TaxTotalsShown(Schema):
    """All totals of a period."""

    totals = fields.List(fields.Nested(TaxTotalShown))


class PeriodQuery(Schema):
    """The first and the last month, such as `2026-03`."""

    since = fields.Date(format="%Y-%m", required=True, data_key="from")
    last = fields.Date(format="%Y-%m", required=True, data_key="to")


def _with_wishes(found: Correctable) -> dict[str, Any]:
    more = {"organisation_id": found.view.invoice.organisation_id}
    return in_full(found.view) | more | {"corrections": found.corrections}


@corrections_api.get("/finance/invoices")
@needs(Permission.FINANCE_VIEW)
@corrections_api.arguments(LabInvoiceQuery, location="query")
@corrections_api.response(200, api.listing(LabInvoiceShown))
def list_lab_invoices(asked: dict[str, Any]) -> dict[str, Any]:
    """Every lab's invoices, newest first."""
    with transaction() as session:
        rows = queries.all_invoices(
            session,
            me(),
            state=InvoiceState(asked["state"]) if asked["state"] else None,
            kind=InvoiceKind(asked["kind"]) if asked["kind"] else None,
            number=asked["number"].replace("\0", ""),
            after=asked["after"],
            limit=asked["limit"] + 1,
        )
        listed = [shown(row) | {"organisation_id": row.organisation_id} for row in rows]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


@corrections_api.get("/finance/invoices/<uuid:invoice_id>")
@needs(Permission.FINANCE_VIEW)
@corrections_api.response(200, LabInvoiceInFull)
def get_lab_invoice(invoice_id: UUID) -> dict[str, Any]:
    """One invoice of any lab, with its lines and corrections."""
    with transaction() as session:
        return _with_wishes(queries.any_invoice(session, me(), invoice_id))


@corrections_api.get("/finance/invoices/<uuid:invoice_id>.pdf")
@needs(Permission.FINANCE_VIEW)
@corrections_api.doc(responses={"200": api.file("The document", "application/pdf")})
def get_lab_invoice_pdf(invoice_id: UUID) -> Response:
    """The document as its lab gets it."""
    with transaction() as session:
        view = queries.any_invoice(session, me(), invoice_id).view
        content = bills.invoice_pdf(view, current().bank_accounts)
    return sent_file(content, f"{view.invoice.reference}.pdf", "application/pdf")


@corrections_api.post("/finance/invoices/<uuid:invoice_id>/corrections")
@needs(Permission.RECONCILIATION_WORK)
@api.once
@corrections_api.arguments(CorrectionAsked)
@corrections_api.response(201, CorrectionShown)
def post_correction(session: Session, asked: dict[str, Any], invoice_id: UUID) -> InvoiceCorrection:
    """Ask that the invoice of a month be taken back and issued anew."""
    return service.propose_correction(session, me(), invoice_id, reason=asked["reason"])


@corrections_api.post("/finance/invoice-corrections/<uuid:correction_id>/decision")
@needs(Permission.BREAKS_APPROVE)
@api.once
@corrections_api.arguments(CorrectionDecision)
@corrections_api.response(200, CorrectionShown)
def post_correction_decision(
    session: Session, asked: dict[str, Any], correction_id: UUID
) -> InvoiceCorrection:
    """Approve or reject what somebody else asked for; an approval issues both documents."""
    return service.decide_correction(session, me(), correction_id, approve=asked["approve"])


@corrections_api.get("/finance/tax-totals")
@needs(Permission.FINANCE_VIEW)
@corrections_api.arguments(PeriodQuery, location="query")
@corrections_api.response(200, TaxTotalsShown)
def get_tax_totals(asked: dict[str, Any]) -> dict[str, list[TaxTotal]]:
    """Net and tax by month of issue, country, treatment and rate."""
    if asked["last"] < asked["since"]:
        raise ValidationError({"to": ["Choose a month that is not before the first."]})
    with transaction() as session:
        rows = queries.tax_totals(session, me(), asked["since"], month_after(asked["last"]))
    return {"totals": rows}
