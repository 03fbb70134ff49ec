"""Correcting the invoice of a month: one person asks with a reason, another agrees; a credit note
takes it back and the same use is stated anew, with the buyer and the tax of today's details."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.billing.models import Invoice, InvoiceCorrection
from marketplace.billing.queries.consumption import Used
from marketplace.billing.rules import invoices as rules
from marketplace.billing.rules.cash import ProposalState
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState
from marketplace.billing.service.invoices import issue, lines_of, locked_invoice, take_back_whole
from marketplace.billing.service.months import lines_for, lock_months
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id

REASON_MIN = 10
REASON_MAX = 2_000


def propose_correction(
    session: Session, actor: Actor, invoice_id: UUID, *, reason: str
) -> InvoiceCorrection:
    """Ask that the invoice of a month be taken back and issued anew; nothing is issued yet.

    reason: what is wrong with it, for the approver and the accountant. Raises Faulty without one,
    Conflict for what cannot be corrected so, or is asked for already.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    invoice = locked_invoice(session, invoice_id)
    _correctable(invoice)
    waiting = select(InvoiceCorrection.id).where(
        InvoiceCorrection.invoice_id == invoice.id,
        InvoiceCorrection.state == ProposalState.PROPOSED,
    )
    if session.scalar(waiting) is not None:
        raise Conflict("Somebody has asked for a correction of this invoice already.")
    reason = reason.strip()
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        advice = f"Say in {REASON_MIN} to {REASON_MAX} characters what is wrong with it."
        raise Faulty("A correction needs a reason.", [Fault("/reason", advice)])
    wish = InvoiceCorrection(
        id=new_id(),
        invoice_id=invoice.id,
        state=ProposalState.PROPOSED,
        reason=reason,
        proposed_by=actor.person(),
        proposed_at=clock.now(),
    )
    session.add(wish)
    session.flush()  # The page shows it at once.
    audit.record(session, actor, "proposed to correct an invoice", invoice.id, correction=wish.id)
    return wish


def _correctable(invoice: Invoice) -> None:
    if invoice.kind is not InvoiceKind.CONSUMPTION:
        raise Conflict("Only the invoice of a month is corrected so.")
    if invoice.state is InvoiceState.VOID:
        raise Conflict("This invoice was taken back already.")


def decide_correction(
    session: Session, actor: Actor, correction_id: UUID, *, approve: bool
) -> InvoiceCorrection:
    """Approve or reject somebody else's wish; an approval issues both documents in this
    transaction.

    Denied to whoever asked, Conflict when it has been decided.
    """
    actor.require(Permission.BREAKS_APPROVE)
    wish = session.get(InvoiceCorrection, correction_id)
    if wish is None:
        raise Missing("There is no such correction.")
    # Months are locked before invoices, as where they are issued.
    invoice = session.get_one(Invoice, wish.invoice_id)
    lock_months(session, invoice.organisation_id, invoice.currency)
    invoice = locked_invoice(session, wish.invoice_id)
    session.refresh(wish, with_for_update=True)
    if wish.state is not ProposalState.PROPOSED:
        raise Conflict("This correction has been decided already.")
    if approve and wish.proposed_by == actor.person():
        raise Denied("Somebody else must approve what you proposed.")
    if approve:
        _correctable(invoice)
        wish.credit_note_id = take_back_whole(session, actor, invoice).id
        wish.anew_id = _issue_anew(session, actor, invoice).id
    wish.state = ProposalState.APPROVED if approve else ProposalState.REJECTED
    wish.decided_by, wish.decided_at = actor.person(), clock.now()
    audit.record(session, actor, f"{wish.state} the correction of an invoice", invoice.id)
    session.flush()  # The database checks the step.
    return wish


def _issue_anew(session: Session, actor: Actor, invoice: Invoice) -> Invoice:
    """The same use again: its gross amounts stay, since the book was charged them."""
    assert invoice.month is not None  # noqa: S101 - a check of the table says so.
    used = [Used(line.job_id, line.kind, line.gross) for line in lines_of(session, invoice)]
    last_day = rules.month_after(invoice.month) - timedelta(days=1)
    return issue(
        session,
        actor,
        InvoiceKind.CONSUMPTION,
        rules.taxed(lines_for(session, invoice.organisation_id, used, last_day)),
        organisation_id=invoice.organisation_id,
        once_key=f"anew:{invoice.id}",
        month=invoice.month,
    )
