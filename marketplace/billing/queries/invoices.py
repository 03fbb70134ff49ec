"""Invoices as their lab, and the finance desk, may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import (
    BillingDetails,
    CashApplication,
    Invoice,
    InvoiceLine,
    PaymentReference,
    TaxRate,
)
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState
from marketplace.errors import Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.money import Money

PAGE = 50
PAGE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice with all that its page shows. payment_reference: what a transfer must name;
    credited_by: the credit note that takes it back."""

    invoice: Invoice
    lines: Sequence[InvoiceLine]
    payments: Sequence[CashApplication]
    payment_reference: str | None
    credits: Invoice | None
    credited_by: Invoice | None

    @property
    def paid(self) -> Money:
        """What came in for it by transfer."""
        return Money(sum(each.amount_minor for each in self.payments), self.invoice.currency)

    @property
    def open(self) -> Money:
        """What it still asks for."""
        asks = self.invoice.state in {InvoiceState.OPEN, InvoiceState.PARTLY_PAID}
        return self.invoice.gross - self.paid if asks else Money(0, self.invoice.currency)


def invoices_of(
    session: Session,
    viewer: Actor,
    *,
    state: InvoiceState | None = None,
    kind: InvoiceKind | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[Invoice]:
    """The acting lab's invoices, newest first; after: the id of the last one already seen."""
    viewer.require(Permission.BALANCE_VIEW)
    rows = select(Invoice).where(Invoice.organisation_id == viewer.organisation())
    if state is not None:
        rows = rows.where(Invoice.state == state)
    if kind is not None:
        rows = rows.where(Invoice.kind == kind)
    if after is not None:
        rows = rows.where(Invoice.id < after)
    return list(session.scalars(rows.order_by(Invoice.id.desc()).limit(min(limit, PAGE_MAX))))


def paid_by_invoice(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """What came in for each of some invoices, in minor units; for lists of what a viewer has."""
    sums = select(CashApplication.invoice_id, func.sum(CashApplication.amount_minor)).where(
        CashApplication.invoice_id.in_(ids)
    )
    rows = session.execute(sums.group_by(CashApplication.invoice_id))
    return {invoice_id: int(minor) for invoice_id, minor in rows if invoice_id}


def invoice_of(session: Session, viewer: Actor, invoice_id: UUID) -> InvoiceView:
    """One invoice of the acting lab; Missing when it is not there or another lab's."""
    viewer.require(Permission.BALANCE_VIEW)
    invoice = session.get(Invoice, invoice_id)
    if invoice is None or invoice.organisation_id != viewer.organisation():
        raise Missing("There is no such invoice.")
    return view_of(session, invoice)


def view_of(session: Session, invoice: Invoice) -> InvoiceView:
    """All that a page shows of an invoice that the viewer may see."""
    lines = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)
    payments = select(CashApplication).where(CashApplication.invoice_id == invoice.id)
    reference = select(PaymentReference.reference).where(PaymentReference.invoice_id == invoice.id)
    taken_back = select(Invoice).where(Invoice.credits_id == invoice.id)
    return InvoiceView(
        invoice,
        session.scalars(lines.order_by(InvoiceLine.position)).all(),
        session.scalars(payments.order_by(CashApplication.id)).all(),
        session.scalar(reference),
        session.get(Invoice, invoice.credits_id) if invoice.credits_id else None,
        session.scalars(taken_back.order_by(Invoice.id).limit(1)).first(),
    )


def details_of(session: Session, viewer: Actor) -> BillingDetails | None:
    """Whom the acting lab's invoices are made out to."""
    viewer.require(Permission.BALANCE_VIEW)
    return session.get(BillingDetails, viewer.organisation())


def buyer_of(session: Session, viewer: Actor) -> dict[str, str]:
    """Whom documents that are not invoices are made out to: the details, else the lab's name."""
    details = details_of(session, viewer)
    names = ("legal_name", "address", "country", "tax_id")
    if details is not None:
        return {name: getattr(details, name) for name in names}
    lab = session.get_one(Organisation, viewer.organisation())
    return dict.fromkeys(names, "") | {"legal_name": lab.name}


def last_invoiced(session: Session, lab: OrganisationId, currency: str) -> date | None:
    """The last month of which a lab has an invoice in a currency."""
    months = select(func.max(Invoice.month)).where(
        Invoice.organisation_id == lab, Invoice.currency == currency
    )
    return session.scalar(months)


def tax_rates(session: Session, viewer: Actor) -> list[TaxRate]:
    """Rates that the accountant added, the latest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(TaxRate).order_by(TaxRate.valid_from.desc(), TaxRate.country)
    return list(session.scalars(rows.limit(PAGE_MAX)))


_GAPS = """
SELECT format('Invoices %s %s of %s have a gap: %s of %s are there.', i.entity, i.kind, i.year,
              count(*), max(i.number))
FROM invoice i GROUP BY i.entity, i.kind, i.year HAVING count(*) <> max(i.number) LIMIT 100"""
_PAID = """
SELECT format('Invoice %s is %s, and %s of %s came in for it.', i.reference, i.state,
              coalesce(p.paid, 0), i.gross_minor)
FROM invoice i LEFT JOIN (
  SELECT invoice_id, sum(amount_minor) AS paid FROM cash_application GROUP BY 1) p
  ON p.invoice_id = i.id
WHERE i.kind = 'prepayment' AND (
  coalesce(p.paid, 0) > i.gross_minor OR (i.state = 'open') <> (coalesce(p.paid, 0) = 0
    AND i.state <> 'void') OR i.state = 'partly_paid' AND coalesce(p.paid, 0) = 0)
LIMIT 100"""
_CASH = """
SELECT format('Of payment %s, %s is left, and its settlements say otherwise.', r.source_id,
              r.left_minor)
FROM cash_receipt r
LEFT JOIN (SELECT receipt_id, sum(amount_minor) AS minor FROM cash_application GROUP BY 1) a
  ON a.receipt_id = r.id
LEFT JOIN (SELECT receipt_id, sum(amount_minor) AS minor FROM cash_proposal
           WHERE kind = 'send_back' AND state = 'approved' GROUP BY 1) b ON b.receipt_id = r.id
WHERE r.amount_minor - coalesce(a.minor, 0) - coalesce(b.minor, 0) <> r.left_minor LIMIT 100"""


def broken_documents(session: Session) -> list[str]:
    """What must always be true of invoices and cash and is not, one sentence each."""
    return [
        str(told)
        for statement in (_GAPS, _PAID, _CASH)
        for told in session.scalars(text(statement))
    ]
