"""Unapplied cash: one person proposes with evidence, another approves or rejects."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.billing.models import CashProposal, CashReceipt, Invoice
from marketplace.billing.rules.cash import CashSource, CashState, ProposalKind, ProposalState
from marketplace.billing.service.cash import Target, apply_receipt, locked_receipt, take_from
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import OrganisationKind, Permission
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money

EVIDENCE_MIN = 10
EVIDENCE_MAX = 2_000


def propose_cash(
    session: Session,
    actor: Actor,
    receipt_id: UUID,
    kind: ProposalKind,
    *,
    evidence: str,
    organisation_id: OrganisationId | None = None,
    invoice_reference: str = "",
) -> CashProposal:
    """Propose what to do with all that is left of a payment; posts nothing.

    evidence: what shows whose it is, in words that the approver can check. Raises Faulty for what
    is missing, Conflict where nothing is left or somebody else has proposed.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    receipt = locked_receipt(session, receipt_id)
    if receipt.state is not CashState.UNAPPLIED:
        raise Conflict("This payment does not wait for a proposal any more.")
    evidence = evidence.strip()
    if not EVIDENCE_MIN <= len(evidence) <= EVIDENCE_MAX:
        advice = "Say in a sentence or two what shows it, such as a message and its date."
        raise Faulty("A proposal needs evidence.", [Fault("/evidence", advice)])
    invoice = None
    if kind is ProposalKind.APPLY:
        organisation_id = _lab(session, organisation_id)
        invoice = _invoice(session, organisation_id, invoice_reference, receipt)
    proposal = CashProposal(
        id=new_id(),
        receipt_id=receipt.id,
        kind=kind,
        state=ProposalState.PROPOSED,
        organisation_id=organisation_id if kind is ProposalKind.APPLY else None,
        invoice_id=invoice.id if invoice else None,
        amount_minor=receipt.left_minor,
        evidence=evidence,
        proposed_by=actor.person(),
        proposed_at=clock.now(),
    )
    session.add(proposal)
    receipt.state = CashState.PROPOSED
    session.flush()  # The page shows it at once.
    audit.record(session, actor, f"proposed to {kind} cash", receipt.id, proposal=proposal.id)
    return proposal


def _lab(session: Session, organisation_id: OrganisationId | None) -> OrganisationId:
    lab = session.get(Organisation, organisation_id) if organisation_id else None
    if lab is None or lab.kind is not OrganisationKind.LAB:
        raise Faulty("The lab is missing.", [Fault("/organisation_id", "Choose the lab.")])
    return OrganisationId(lab.id)


def _invoice(
    session: Session, organisation_id: OrganisationId, reference: str, receipt: CashReceipt
) -> Invoice | None:
    if not reference.strip():
        return None
    named = select(Invoice).where(
        Invoice.reference == reference.strip().upper(),
        Invoice.organisation_id == organisation_id,
        Invoice.currency == receipt.currency,
    )
    invoice = session.scalars(named).first()
    if invoice is None:
        advice = f"This lab has no such invoice in {receipt.currency}; leave it empty for none."
        raise Faulty("The invoice is not there.", [Fault("/invoice_reference", advice)])
    return invoice


def decide_cash(
    session: Session, actor: Actor, proposal_id: UUID, *, approve: bool
) -> CashProposal:
    """Approve or reject somebody else's proposal; an approval posts it in the same transaction.

    Denied to whoever proposed it, Conflict when it has been decided.
    """
    actor.require(Permission.BREAKS_APPROVE)
    proposal = session.get(CashProposal, proposal_id)
    if proposal is None:
        raise Missing("There is no such proposal.")
    receipt = locked_receipt(session, proposal.receipt_id)
    session.refresh(proposal, with_for_update=True)
    if proposal.state is not ProposalState.PROPOSED:
        raise Conflict("This proposal has been decided already.")
    if approve and proposal.proposed_by == actor.person():
        raise Denied("Somebody else must approve what you proposed.")
    proposal.state = ProposalState.APPROVED if approve else ProposalState.REJECTED
    proposal.decided_by, proposal.decided_at = actor.person(), clock.now()
    receipt.state = CashState.UNAPPLIED
    session.flush()  # What follows moves the receipt on from here.
    if approve:
        _carry_out(session, receipt, proposal)
    audit.record(session, actor, f"{proposal.state} a proposal for cash", receipt.id)
    session.flush()  # The database checks the receipt's new state.
    return proposal


def _carry_out(session: Session, receipt: CashReceipt, proposal: CashProposal) -> None:
    amount = Money(proposal.amount_minor, receipt.currency)
    if proposal.kind is ProposalKind.APPLY:
        assert proposal.organisation_id is not None  # noqa: S101 - a check of the table says so.
        target = Target(proposal.organisation_id, proposal.invoice_id, "approved proposal")
        apply_receipt(session, receipt, target, amount, proposal=proposal)
        return
    where = "stripe" if receipt.source is CashSource.STRIPE else "bank"
    ledger.return_cash(session, amount=amount, source_id=str(proposal.id), where=where)
    take_from(receipt, amount)
