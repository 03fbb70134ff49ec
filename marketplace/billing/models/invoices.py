"""Invoices and what they stand on: series, lines, buyers' details, rates of tax."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState, LineKind
from marketplace.billing.rules.tax import Treatment
from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class BillingDetails(Root):
    """Whom a lab's invoices are made out to; an invoice keeps a copy as it was that day.

    country: ISO 3166 code; tax_id: as its country writes it, empty for none.
    """

    __tablename__ = "billing_details"
    organisation_id: Mapped[OrganisationId] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    legal_name: Mapped[str]
    address: Mapped[str]
    country: Mapped[str] = mapped_column(CHAR(2))
    tax_id: Mapped[str]
    purchase_order: Mapped[str]
    changed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]


class PaymentReference(Root):
    """A creditor reference that we gave out: a lab's own, or one invoice's."""

    __tablename__ = "payment_reference"
    reference: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    made_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("reference ~ '^RF[0-9]{12}$'", name="reference"),
        Index(
            "uq_payment_reference_lab",
            "organisation_id",
            unique=True,
            postgresql_where=text("invoice_id IS NULL"),
        ),
    )


class InvoiceSeries(Root):
    """The numbers of one legal entity, one kind and one year; a trigger of `invoice` moves it."""

    __tablename__ = "invoice_series"
    entity: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[InvoiceKind] = mapped_column(text_enum(InvoiceKind), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last_number: Mapped[int]

    __table_args__ = (
        one_of("kind", InvoiceKind),
        CheckConstraint("last_number >= 0", name="last_number"),
    )


class Invoice(Root):
    """A legal document: only its state ever changes, and it is never removed.

    gross_minor = net_minor + tax_minor; a credit note's amounts are positive and take back.
    month: the first day of the month that a consumption invoice is for. buyer, seller: who they
    were on the day of issue. once_key: what it was issued for, once.
    """

    __tablename__ = "invoice"
    id: Mapped[IdKey]
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[InvoiceKind] = mapped_column(text_enum(InvoiceKind))
    state: Mapped[InvoiceState] = mapped_column(text_enum(InvoiceState))
    entity: Mapped[str]
    year: Mapped[int]
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    gross_minor: Mapped[int]
    month: Mapped[date | None]
    credits_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"))
    buyer: Mapped[dict[str, Any]]
    seller: Mapped[dict[str, Any]]
    note: Mapped[str]
    issued_on: Mapped[date]
    due_on: Mapped[date | None]
    issued_at: Mapped[datetime]
    issued_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    once_key: Mapped[str] = mapped_column(unique=True)

    __table_args__ = (
        UniqueConstraint("entity", "kind", "year", "number"),
        one_of("kind", InvoiceKind),
        one_of("state", InvoiceState),
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("gross_minor = net_minor + tax_minor", name="adds_up"),
        CheckConstraint("gross_minor > 0", name="positive"),
        CheckConstraint("(kind = 'consumption') <= (month IS NOT NULL)", name="month"),
        CheckConstraint("(kind = 'prepayment') = (due_on IS NOT NULL)", name="due"),
        Index("ix_invoice_organisation_id_id", "organisation_id", "id"),
        Index("ix_invoice_credits_id", "credits_id"),
    )

    @property
    def gross(self) -> Money:
        """What it asks for, or states, with tax."""
        return Money(self.gross_minor, self.currency)

    @property
    def net(self) -> Money:
        """The same without tax."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """The tax in it."""
        return Money(self.tax_minor, self.currency)


class InvoiceLine(Root):
    """A line, with the tax in it; the lines of an invoice add up to it, which a trigger checks."""

    __tablename__ = "invoice_line"
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[LineKind] = mapped_column(text_enum(LineKind))
    job_id: Mapped[UUID | None]
    words: Mapped[str]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    treatment: Mapped[Treatment] = mapped_column(text_enum(Treatment))
    rate_basis_points: Mapped[int]

    __table_args__ = (
        one_of("kind", LineKind),
        one_of("treatment", Treatment),
        CheckConstraint("rate_basis_points BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("position >= 1", name="position"),
    )


class TaxRate(Root):
    """A standard rate of tax that the accountant added, from a day on."""

    __tablename__ = "tax_rate"
    id: Mapped[IdKey]
    country: Mapped[str] = mapped_column(CHAR(2))
    basis_points: Mapped[int]
    valid_from: Mapped[date]
    source: Mapped[str]
    added_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("country", "valid_from"),
        CheckConstraint("basis_points BETWEEN 0 AND 5000", name="basis_points"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
    )
