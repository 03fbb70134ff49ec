"""Cash that came by bank transfer: kept as unapplied, then its lab's by exact reference only.

Nothing is applied by amount, by payer or by likeness. What no reference settles waits for a person
who proposes with evidence, and another who approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM
from marketplace.billing.models import (
    CashApplication,
    CashProposal,
    CashReceipt,
    Invoice,
    PaymentReference,
)
from marketplace.billing.rules import cash as rules
from marketplace.billing.rules import references
from marketplace.billing.rules.cash import CashSource, CashState
from marketplace.billing.service.invoices import locked_invoice, note_payment, open_amount
from marketplace.errors import Conflict, Missing
from marketplace.ids import OrganisationId, TransactionId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money

TEXT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    """Whose cash it is: a lab's, for its balance or for one of its invoices."""

    organisation_id: OrganisationId
    invoice_id: UUID | None
    rule: str


def receive_wire(
    session: Session,
    *,
    source_id: str,
    amount: Money,
    remittance: str,
    payer: str,
    on: date,
    where: str = "bank",
) -> CashReceipt:
    """Rule 4: a transfer arrived at our bank. It is posted as unapplied, and applied to the lab
    whose reference it names, letter for letter.

    source_id: the natural id of the statement's line: the same one again gives the same receipt,
    with another amount Conflict; where: `bank` (clients' funds) or `operating`; on: the day the
    bank booked it.
    """
    known = _known(session, CashSource.BANK, source_id, amount)
    if known is not None:
        return known
    posted = ledger.receive_cash(
        session, amount=amount, source_id=source_id, where=where, effective_on=on
    )
    receipt = _receipt(session, CashSource.BANK, source_id, amount, posted=posted, on=on)
    receipt.remittance, receipt.payer = remittance[:TEXT_MAX], payer[:TEXT_MAX]
    session.flush()  # Applications point at it.
    target, note = _target(session, amount, remittance)
    return _settle(session, receipt, target, note)


def receive_stripe_cash(
    session: Session,
    *,
    source_id: str,
    amount: Money,
    fee: Money,
    balance_transaction_id: str,
    organisation_id: OrganisationId | None,
    on: date,
) -> CashReceipt:
    """Rule 4: a lab's cash balance at Stripe was funded. Stripe's customer is the lab, exactly;
    organisation_id is None for a customer that is no lab of ours, whose cash waits."""
    known = _known(session, CashSource.STRIPE, source_id, amount)
    if known is not None:
        return known
    posted = ledger.receive_cash(
        session,
        amount=amount,
        fee=fee,
        source_id=source_id,
        where="stripe",
        balance_transaction_id=balance_transaction_id,
        effective_on=on,
    )
    receipt = _receipt(session, CashSource.STRIPE, source_id, amount, posted=posted, on=on)
    session.flush()  # Applications point at it.
    target = Target(organisation_id, None, "stripe_customer") if organisation_id else None
    return _settle(session, receipt, target, "" if target else "Its customer is no lab of ours.")


def _known(
    session: Session, source: CashSource, source_id: str, amount: Money
) -> CashReceipt | None:
    same = select(CashReceipt).where(
        CashReceipt.source == source, CashReceipt.source_id == source_id
    )
    receipt = session.scalars(same.with_for_update()).first()
    if receipt is not None and receipt.amount != amount:
        raise Conflict(f"The line {source_id} came before with {receipt.amount}, not {amount}.")
    return receipt


def _receipt(
    session: Session,
    source: CashSource,
    source_id: str,
    amount: Money,
    *,
    posted: TransactionId,
    on: date,
) -> CashReceipt:
    receipt = CashReceipt(
        id=new_id(),
        source=source,
        source_id=source_id,
        currency=amount.currency,
        amount_minor=amount.minor,
        left_minor=amount.minor,
        remittance="",
        payer="",
        booked_on=on,
        state=CashState.UNAPPLIED,
        note="",
        ledger_transaction_id=posted,
        received_at=clock.now(),
    )
    session.add(receipt)
    facts = {"amount_minor": amount.minor, "currency": amount.currency}
    audit.record(session, SYSTEM, "received cash", receipt.id, **facts)
    return receipt


def _target(session: Session, amount: Money, remittance: str) -> tuple[Target | None, str]:
    """Whose a transfer is by the reference in its text, or why nobody can tell."""
    found = references.references_in(remittance)
    listed = select(PaymentReference).where(PaymentReference.reference.in_(found.valid))
    known = list(session.scalars(listed)) if found.valid else []
    if len(known) > 1:
        return None, rules.SEVERAL.format(", ".join(sorted(row.reference for row in known)))
    if not known:
        if found.valid:
            return None, rules.UNKNOWN.format(", ".join(found.valid))
        wrong = ", ".join(found.mistyped)
        return None, rules.MISTYPED.format(wrong) if wrong else rules.NO_REFERENCE
    (reference,) = known
    if reference.invoice_id is not None:
        invoice = locked_invoice(session, reference.invoice_id)
        if invoice.currency != amount.currency:
            words = rules.OTHER_CURRENCY.format(invoice.reference, invoice.currency)
            return None, words
        if not open_amount(session, invoice):
            return None, rules.CLOSED.format(invoice.reference)
    rule = f"reference {reference.reference}"
    return Target(reference.organisation_id, reference.invoice_id, rule), ""


def _settle(
    session: Session, receipt: CashReceipt, target: Target | None, note: str
) -> CashReceipt:
    if target is None:
        receipt.note = note
        session.flush()  # Who looks next sees why it waits.
        return receipt
    apply_receipt(session, receipt, target, receipt.left)
    return receipt


def apply_receipt(
    session: Session,
    receipt: CashReceipt,
    target: Target,
    amount: Money,
    *,
    proposal: CashProposal | None = None,
) -> CashApplication:
    """Give an amount of a locked receipt to its lab, and to its invoice as far as that is open.

    What came beyond an invoice stays unapplied: only what was asked for is known to be meant.
    """
    # Before the invoice, as whoever has just received cash holds it already.
    ledger.lock_unapplied(session, amount.currency)
    invoice: Invoice | None = None
    if target.invoice_id is not None:
        invoice = locked_invoice(session, target.invoice_id)
        wanted = open_amount(session, invoice)
        if not wanted:
            raise Conflict(rules.CLOSED.format(invoice.reference))
        if wanted < amount:
            receipt.note = rules.REST.format(invoice.reference)
            amount = wanted
    if receipt.left < amount:
        raise Conflict(f"Only {receipt.left} of this payment is left.")
    application_id = new_id()
    posted = ledger.apply_cash(
        session, lab_id=target.organisation_id, amount=amount, source_id=str(application_id)
    )
    application = CashApplication(
        id=application_id,
        receipt_id=receipt.id,
        organisation_id=target.organisation_id,
        invoice_id=target.invoice_id,
        proposal_id=proposal.id if proposal else None,
        currency=amount.currency,
        amount_minor=amount.minor,
        rule=target.rule,
        ledger_transaction_id=posted,
        applied_at=clock.now(),
    )
    session.add(application)
    take_from(receipt, amount)
    session.flush()  # What is paid of an invoice counts it.
    if invoice is not None:
        note_payment(session, invoice)
    facts = {"amount_minor": amount.minor, "currency": amount.currency}
    outbox.announce(
        session, "cash.applied", application.id, facts, organisation_id=target.organisation_id
    )
    audit.record(session, SYSTEM, "applied cash", receipt.id, rule=target.rule, **facts)
    return application


def take_from(receipt: CashReceipt, amount: Money) -> None:
    """Count an amount of a locked receipt as settled; the rest waits on."""
    receipt.left_minor -= amount.minor
    receipt.state = CashState.UNAPPLIED if receipt.left_minor else CashState.SETTLED


def locked_receipt(session: Session, receipt_id: UUID) -> CashReceipt:
    """The receipt, locked until the transaction ends; Missing when there is none."""
    wanted = select(CashReceipt).where(CashReceipt.id == receipt_id).with_for_update()
    receipt = session.scalars(wanted, execution_options={"populate_existing": True}).first()
    if receipt is None:
        raise Missing("There is no such payment.")
    return receipt
