"""Builders of invoices and of cash that came by transfer."""

from __future__ import annotations

from datetime import date
from itertools import count

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing import queries, service
from marketplace.billing.models import CashReceipt, Invoice
from marketplace.ids import OrganisationId
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from tests.make import billing

A_DAY = date(2026, 5, 3)
_numbers = count(1)


def a_buyer(session: Session, *, country: str = "DE", tax_id: str = "DE123456789") -> Actor:
    """The owner of a lab that has written its billing details."""
    lab = billing.a_lab(session)
    service.set_details(
        session,
        lab,
        legal_name="Universität Nirgendwo",
        address="Am Hang 1\n12345 Nirgendwo",
        country=country,
        tax_id=tax_id,
    )
    return lab


def asked_for(session: Session, lab: Actor, amount: Money) -> tuple[Invoice, str]:
    """A prepayment invoice, and the reference that pays it."""
    invoice = service.issue_prepayment(session, lab, amount)
    reference = queries.invoice_of(session, lab, invoice.id).payment_reference
    assert reference is not None
    return invoice, reference


def wired(session: Session, amount: Money, remittance: str, *, source_id: str = "") -> CashReceipt:
    """A transfer on the bank's statement, as reconciliation hands it on."""
    return service.receive_wire(
        session,
        source_id=source_id or f"line-{next(_numbers)}",
        amount=amount,
        remittance=remittance,
        payer="SOMEBODY AG",
        on=A_DAY,
    )


def available(session: Session, lab: Actor, currency: str = "USD") -> Money:
    """What a lab may spend now."""
    organisation = OrganisationId(lab.organisation())
    return ledger.balance(session, f"L:lab:{organisation}:available:{currency}")


def issued(session: Session, lab: Actor) -> Invoice:
    """A prepayment invoice of a lab that had no billing details yet."""
    service.set_details(session, lab, legal_name="A lab", address="Weg 1", country="DE")
    return service.issue_prepayment(session, lab, Money(100_00, "USD"))
