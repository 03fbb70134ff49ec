"""Invoices of all labs as finance sees them, their corrections, and the tax that they state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import Invoice, InvoiceCorrection, InvoiceLine
from marketplace.billing.queries.invoices import InvoiceView, view_of
from marketplace.billing.rules.cash import ProposalState
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState
from marketplace.billing.rules.tax import Treatment
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.money import Money

PAGE = 50
PAGE_MAX = 1_000
TAXED_KINDS = (InvoiceKind.CONSUMPTION, InvoiceKind.CREDIT_NOTE)


@dataclass(frozen=True, slots=True)
class Correctable:
    """An invoice with every wish to correct it, the newest first."""

    view: InvoiceView
    corrections: Sequence[InvoiceCorrection]

    @property
    def waiting(self) -> InvoiceCorrection | None:
        """The wish that waits for another person."""
        return next((one for one in self.corrections if one.state is ProposalState.PROPOSED), None)

    @property
    def open_to_correction(self) -> bool:
        """Whether somebody may ask to correct it now."""
        invoice = self.view.invoice
        stands = invoice.kind is InvoiceKind.CONSUMPTION and invoice.state is InvoiceState.PAID
        return stands and self.waiting is None


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """What documents of a period state at one rate in one country: net and tax, credit notes
    taken off; documents: how many there are. country: the buyer's."""

    entity: str
    month: date
    country: str
    treatment: Treatment
    rate_basis_points: int
    net: Money
    tax: Money
    documents: int


def all_invoices(
    session: Session,
    viewer: Actor,
    *,
    state: InvoiceState | None = None,
    kind: InvoiceKind | None = None,
    number: str = "",
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[Invoice]:
    """Every lab's invoices, newest first. number: a part of what people see and quote."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Invoice)
    if state is not None:
        rows = rows.where(Invoice.state == state)
    if kind is not None:
        rows = rows.where(Invoice.kind == kind)
    if number:
        rows = rows.where(Invoice.reference.contains(number.upper(), autoescape=True))
    if after is not None:
        rows = rows.where(Invoice.id < after)
    return list(session.scalars(rows.order_by(Invoice.id.desc()).limit(min(limit, PAGE_MAX))))


def any_invoice(session: Session, viewer: Actor, invoice_id: UUID) -> Correctable:
    """One invoice of any lab, with its corrections; Missing when it is not there."""
    viewer.require(Permission.FINANCE_VIEW)
    invoice = session.get(Invoice, invoice_id)
    if invoice is None:
        raise Missing("There is no such invoice.")
    wishes = select(InvoiceCorrection).where(InvoiceCorrection.invoice_id == invoice.id)
    rows = session.scalars(wishes.order_by(InvoiceCorrection.id.desc()).limit(PAGE)).all()
    return Correctable(view_of(session, invoice), rows)


def waiting_corrections(session: Session, viewer: Actor) -> list[tuple[InvoiceCorrection, Invoice]]:
    """Wishes that wait for another person, the oldest first, with what they would take back."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(InvoiceCorrection, Invoice)
        .join(Invoice, Invoice.id == InvoiceCorrection.invoice_id)
        .where(InvoiceCorrection.state == ProposalState.PROPOSED)
        .order_by(InvoiceCorrection.id)
        .limit(PAGE)
    )
    return [(wish, invoice) for wish, invoice in session.execute(rows)]


def tax_totals(session: Session, viewer: Actor, since: date, until: date) -> list[TaxTotal]:
    """Net and tax by month of issue, country, treatment and rate, of what was issued from
    `since`, before `until`; prepayment invoices state no tax and are left out."""
    viewer.require(Permission.FINANCE_VIEW)
    sign = case((Invoice.kind == InvoiceKind.CREDIT_NOTE, -1), else_=1)
    month = func.date_trunc("month", Invoice.issued_on)
    country = Invoice.buyer["country"].astext
    keys = (
        Invoice.entity,
        month,
        Invoice.currency,
        country,
        InvoiceLine.treatment,
        InvoiceLine.rate_basis_points,
    )
    rows = (
        select(
            *keys,
            func.sum(InvoiceLine.net_minor * sign),
            func.sum(InvoiceLine.tax_minor * sign),
            func.count(Invoice.id.distinct()),
        )
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            Invoice.kind.in_(TAXED_KINDS),
            InvoiceLine.treatment != Treatment.PREPAYMENT,
            Invoice.issued_on >= since,
            Invoice.issued_on < until,
        )
        .group_by(*keys)
        .order_by(*keys)
        .limit(PAGE_MAX)
    )
    return [
        TaxTotal(
            entity,
            at.date(),
            where,
            treatment,
            points,
            Money(int(net), currency),
            Money(int(tax), currency),
            number,
        )
        for entity, at, currency, where, treatment, points, net, tax, number in session.execute(
            rows
        )
    ]
