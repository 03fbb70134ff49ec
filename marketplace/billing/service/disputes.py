"""Disputed payments: followed as Stripe tells them, posted once each way, written off by two.

Rule 18. The lab's available money is held, what it has spent is owed once the dispute is lost, and
specialists' money is never touched.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing.models import Dispute, TopUp, WriteOff
from marketplace.billing.rules import disputes as rules
from marketplace.billing.rules.disputes import (
    DisputeLine,
    DisputeNow,
    DisputeState,
    WriteOffState,
)
from marketplace.billing.service import letters
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger import service as ledger
from marketplace.money import Money, zero

LOOK_EVERY = timedelta(hours=1)
REASON_MIN = 10
REASON_MAX = 500


def record_dispute(session: Session, seen: DisputeNow) -> Dispute:
    """Take over what Stripe says of a dispute; the book follows its lines, each once.

    Safe with the same or older facts, in parallel and in any order: an end is never left again.
    """
    dispute, is_new = _row(session, seen)
    before = dispute.state
    dispute.looked_at = clock.now()
    dispute.has_evidence = dispute.has_evidence or seen.has_evidence
    if rules.NEXT[before]:
        dispute.status, dispute.reason = seen.status, seen.reason
        dispute.evidence_due_at = seen.evidence_due_at
        _follow(session, dispute, seen)
    _post(session, dispute, seen)
    if is_new or dispute.state is not before:
        held, owed = _standing(session, dispute)
        letters.dispute_moved(session, dispute, held=held, owed=owed)
    session.flush()  # The database checks what was posted beside its cause.
    return dispute


def _row(session: Session, seen: DisputeNow) -> tuple[Dispute, bool]:
    """The dispute's row, locked, and whether it was made now."""
    wanted = select(Dispute).where(Dispute.stripe_dispute_id == seen.id).with_for_update()
    fresh = {"populate_existing": True}
    dispute = session.scalars(wanted, execution_options=fresh).first()
    if dispute is not None:
        _explain(session, dispute, seen)
        return dispute, False
    made = _inserted(session, seen)
    dispute = session.scalars(wanted, execution_options=fresh).one()
    _explain(session, dispute, seen)
    return dispute, made


def _inserted(session: Session, seen: DisputeNow) -> bool:
    """An end is reached by a step, which posts and tells it, so that a row begins before it."""
    state = rules.MEANS.get(seen.status, DisputeState.INQUIRY)
    row = insert(Dispute).values(
        id=new_id(),
        stripe_dispute_id=seen.id,
        charge_id=seen.charge_id,
        amount_minor=seen.amount.minor,
        currency=seen.amount.currency,
        state=state if state in rules.ONGOING else DisputeState.INQUIRY,
        status=seen.status,
        reason=seen.reason,
        evidence_due_at=seen.evidence_due_at,
        has_evidence=seen.has_evidence,
        opened_at=seen.opened_at,
        looked_at=clock.now(),
    )
    made = row.on_conflict_do_nothing().returning(Dispute.id)
    return session.scalar(made) is not None


def _explain(session: Session, dispute: Dispute, seen: DisputeNow) -> None:
    """Name the lab whose payment it is, once its top-up is known."""
    if dispute.top_up_id is not None or seen.payment_intent_id is None:
        return
    named = select(TopUp).where(TopUp.payment_intent_id == seen.payment_intent_id)
    top_up = session.scalars(named).first()
    if top_up is not None:
        dispute.top_up_id, dispute.organisation_id = top_up.id, top_up.organisation_id
        session.flush()  # What is posted next refers to the lab.


def _follow(session: Session, dispute: Dispute, seen: DisputeNow) -> None:
    state = rules.MEANS.get(seen.status)
    if state is None:
        words = "met a dispute of an unknown status"
        audit.record(session, SYSTEM, words, dispute.id, status=seen.status)
        return
    if not rules.may_follow(dispute.state, state):
        return
    dispute.state = state
    session.flush()  # The database checks each step of the lifecycle by itself.
    audit.record(session, SYSTEM, f"moved a dispute to {state}", dispute.id)
    outbox.announce(
        session,
        f"dispute.{state}",
        dispute.id,
        {"amount_minor": dispute.amount_minor, "currency": dispute.currency},
        organisation_id=dispute.organisation_id,
    )


def _post(session: Session, dispute: Dispute, seen: DisputeNow) -> None:
    """Post what Stripe's lines say: the withdrawal, then what came back or was lost for good.

    A payment that no top-up explains posts nothing; its lines stay open for reconciliation.
    """
    lab = dispute.organisation_id
    took, gave = seen.withdrawal, seen.reinstatement
    if lab is None or took is None:
        return
    amount, presented = -took.amount, _presented(dispute, took)
    if dispute.withdrawal_id is None:
        ledger.open_dispute(
            session,
            lab_id=lab,
            dispute_id=dispute.stripe_dispute_id,
            amount=amount,
            fee=took.fee,
            balance_transaction_id=took.id,
            effective_on=_day(took.created_at),
            presented=presented,
        )
        dispute.withdrawal_id = took.id
    if gave is not None and dispute.reinstatement_id is None and dispute.lost_posted_at is None:
        ledger.win_dispute(
            session,
            lab_id=lab,
            dispute_id=dispute.stripe_dispute_id,
            amount=amount,
            balance_transaction_id=gave.id,
            effective_on=_day(gave.created_at),
            fee=-gave.fee,
            presented=presented,
        )
        dispute.reinstatement_id = gave.id
    elif dispute.state is DisputeState.LOST and dispute.lost_posted_at is None and gave is None:
        ledger.lose_dispute(
            session,
            lab_id=lab,
            dispute_id=dispute.stripe_dispute_id,
            amount=amount,
            presented=presented,
        )
        dispute.lost_posted_at = clock.now()


def _presented(dispute: Dispute, took: DisputeLine) -> Money | None:
    return dispute.amount if took.amount.currency != dispute.currency else None


def _day(moment: datetime) -> date:
    return clock.book_day(moment, settings.current().book_timezone)


def _standing(session: Session, dispute: Dispute) -> tuple[Money, Money]:
    """What the lab has held by disputes, and what it owes or would owe if this one is lost."""
    if dispute.organisation_id is None:
        return zero(dispute.currency), zero(dispute.currency)
    has = ledger_queries.lab_balance(session, dispute.organisation_id, dispute.currency)
    if dispute.state is DisputeState.OPEN:
        beyond = dispute.amount - min(has.disputed, dispute.amount)
        return has.disputed, beyond
    return has.disputed, has.owed


def note_evidence(session: Session, actor: Actor, dispute_id: UUID, words: str) -> Dispute:
    """Check and note who answers a dispute; the caller sends it to Stripe after the commit."""
    actor.require(Permission.RECONCILIATION_WORK)
    dispute = session.get(Dispute, dispute_id, with_for_update=True)
    if dispute is None:
        raise Missing("There is no such dispute.")
    if dispute.status not in rules.ANSWERABLE:
        raise Conflict("The bank takes no evidence for this dispute now.")
    if not rules.EVIDENCE_MIN <= len(words.strip()) <= rules.EVIDENCE_MAX:
        advice = "Say in some sentences what was paid for, by whom, and what shows it."
        raise Faulty("The bank needs to be told something.", [Fault("/words", advice)])
    dispute.evidence_by, dispute.evidence_at = actor.person(), clock.now()
    audit.record(session, actor, "answered a dispute", dispute.id)
    return dispute


def disputes_to_look_at(session: Session, *, limit: int = 200) -> list[str]:
    """Stripe's ids of disputes that go on and were not looked at for an hour."""
    due = (
        select(Dispute.stripe_dispute_id)
        .where(Dispute.state.in_(rules.ONGOING), Dispute.looked_at <= clock.now() - LOOK_EVERY)
        .order_by(Dispute.looked_at)
        .limit(limit)
    )
    return list(session.scalars(due))


def propose_write_off(
    session: Session, actor: Actor, lab: OrganisationId, currency: str, *, reason: str
) -> WriteOff:
    """Propose that what a lab owes will not come; posts nothing. Conflict where it owes nothing."""
    actor.require(Permission.RECONCILIATION_WORK)
    owed = ledger_queries.lab_balance(session, lab, currency).owed
    if not owed:
        raise Conflict("This lab owes nothing.")
    if not REASON_MIN <= len(reason.strip()) <= REASON_MAX:
        advice = "Say in a sentence why it will not come, such as a closed business."
        raise Faulty("A write-off needs a reason.", [Fault("/reason", advice)])
    row = insert(WriteOff).values(
        id=new_id(),
        organisation_id=lab,
        amount_minor=owed.minor,
        currency=currency,
        state=WriteOffState.PROPOSED,
        reason=reason.strip(),
        proposed_by=actor.person(),
        proposed_at=clock.now(),
    )
    made = session.scalars(row.on_conflict_do_nothing().returning(WriteOff)).first()
    if made is None:
        raise Conflict("Somebody has proposed this already.")
    audit.record(session, actor, "proposed a write-off", made.id, amount=owed.minor)
    return made


def decide_write_off(
    session: Session, actor: Actor, write_off_id: UUID, *, approve: bool
) -> WriteOff:
    """Approve or reject somebody else's proposal; an approval posts it in the same transaction."""
    actor.require(Permission.BREAKS_APPROVE)
    row = session.get(WriteOff, write_off_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing("There is no such proposal.")
    if row.state is not WriteOffState.PROPOSED:
        raise Conflict("This proposal has been decided already.")
    if approve and row.proposed_by == actor.person():
        raise Denied("Somebody else must approve what you proposed.")
    owed = ledger_queries.lab_balance(session, row.organisation_id, row.currency).owed
    if approve and owed != row.amount:
        raise Conflict(f"Meanwhile {owed} is owed. Reject this, and propose it again.")
    row.state = WriteOffState.APPROVED if approve else WriteOffState.REJECTED
    row.decided_by, row.decided_at = actor.person(), clock.now()
    session.flush()  # The database checks that two people were there.
    if approve:
        ledger.write_off_receivable(
            session,
            amount=row.amount,
            source_id=str(row.id),
            proposed_by=row.proposed_by,
            approved_by=actor.person(),
            reason="uncollectable",
            lab_id=row.organisation_id,
        )
    audit.record(session, actor, f"{row.state} a write-off", row.id)
    return row
