"""What people do with a break: take it, look into it, propose, and decide; never one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Denied, Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity import service as accounts
from marketplace.identity.rules import Permission
from marketplace.ids import TransactionId, new_id
from marketplace.ledger import service as ledger
from marketplace.ledger.rules import Leg
from marketplace.ledger.service import PeriodClosed, book_today
from marketplace.money import Money
from marketplace.reconciliation.models import Break, BreakProposal
from marketplace.reconciliation.queries import closing
from marketplace.reconciliation.rules.adjusting import (
    Content,
    ProposedLeg,
    account_of,
    checked_legs,
)
from marketplace.reconciliation.rules.breaks import (
    POSTING,
    WORKABLE,
    Action,
    BreakKind,
    BreakMoved,
    BreakState,
    Decision,
    OwnProposal,
    ReasonCode,
    Resolution,
    expect,
)
from marketplace.reconciliation.service.breaks import leave_event
from marketplace.reconciliation.service.evidence import StoredEvidence

log = structlog.get_logger(__name__)
NOTE_MAX = 4_000
WAIT_DAYS_MAX = 92


@dataclass(frozen=True, slots=True)
class Proposed:
    """What somebody proposes. legs and effective_on for what posts; wait_until for what waits."""

    action: Action
    reason: ReasonCode
    note: str
    legs: tuple[ProposedLeg, ...] = ()
    effective_on: date | None = None
    wait_until: date | None = None


def assign_break(
    session: Session, actor: Actor, break_id: UUID, owner_id: UUID, *, version: int | None = None
) -> Break:
    """Make somebody who works on reconciliation answer for a break.

    version: what the caller looked at; BreakMoved when the break has moved on since.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    row = _break(session, break_id, version)
    expect(row.state, *WORKABLE)
    owners = {one.person_id for one in identity.platform_addressees(session, _WORKERS)}
    if owner_id not in owners:
        fault = Fault("/owner_id", "Choose somebody who works on reconciliation.")
        raise Faulty("This person cannot own a break.", [fault])
    _step(session, row, state=BreakState.ASSIGNED, owner_id=owner_id)
    leave_event(session, row, "assigned", by=actor.person(), facts={"owner_id": str(owner_id)})
    audit.record(session, actor, "assigned a break", row.id, owner_id=owner_id)
    return row


def investigate_break(
    session: Session, actor: Actor, break_id: UUID, *, version: int | None = None
) -> Break:
    """Say that one is looking into it, and answer for it from now on."""
    actor.require(Permission.RECONCILIATION_WORK)
    row = _break(session, break_id, version)
    expect(row.state, BreakState.OPEN, BreakState.ASSIGNED)
    _step(session, row, state=BreakState.INVESTIGATING, owner_id=actor.person())
    leave_event(session, row, "began to investigate", by=actor.person())
    audit.record(session, actor, "investigates a break", row.id)
    return row


def comment_break(session: Session, actor: Actor, break_id: UUID, note: str) -> Break:
    """Add a word to the history of a break, in any state."""
    _require_hand(actor)
    row = _break(session, break_id, None)
    leave_event(session, row, "commented", by=actor.person(), note=checked_note(note))
    return row


def propose_for_break(
    session: Session,
    actor: Actor,
    break_id: UUID,
    proposed: Proposed,
    evidence: StoredEvidence | None = None,
    *,
    version: int | None = None,
) -> BreakProposal:
    """Propose what to do about a break; somebody else decides.

    Raises BreakMoved when it is not (any longer) to be worked on, Faulty for legs that do not
    balance, a missing file, or a date; PeriodClosed for an effective date in a closed month. The
    caller sets `evidence.taken` once the transaction has ended well.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    row = _break(session, break_id, version)
    expect(row.state, *WORKABLE)
    proposal = _proposal(session, actor, row, proposed, evidence)
    session.add(proposal)
    _step(session, row, state=BreakState.PROPOSED, owner_id=row.owner_id or actor.person())
    facts = {"proposal_id": str(proposal.id), "action": proposed.action.value}
    about = facts | {"difference_minor": row.difference_minor, "currency": row.currency}
    leave_event(session, row, "proposed", by=actor.person(), note=proposal.note, facts=about)
    audit.record(session, actor, "proposed for a break", row.id, **facts)
    return proposal


def _proposal(
    session: Session,
    actor: Actor,
    row: Break,
    proposed: Proposed,
    evidence: StoredEvidence | None,
) -> BreakProposal:
    note = checked_note(proposed.note)
    posts = proposed.action in POSTING
    legs = tuple(checked_legs(proposed.legs)) if posts else ()
    effective_on = _effective_on(session, proposed.effective_on) if posts else None
    wait_until = None if posts else _wait_until(proposed.wait_until)
    if posts and evidence is None:
        raise Faulty("There is no evidence.", [Fault("/file", "Add the file that shows why.")])
    content = Content(
        break_id=row.id,
        action=proposed.action,
        reason=proposed.reason,
        note=note,
        legs=legs,
        effective_on=effective_on,
        wait_until=wait_until,
        evidence_sha256=evidence.sha256 if evidence else None,
        difference=row.difference,
    )
    return BreakProposal(
        id=new_id(),
        break_id=row.id,
        action=proposed.action,
        reason=proposed.reason,
        note=note,
        legs=stored_legs(legs),
        effective_on=effective_on,
        wait_until=wait_until,
        evidence_reference=evidence and evidence.reference,
        evidence_name=evidence and evidence.name,
        evidence_kind=evidence and evidence.media_type,
        evidence_bytes=evidence and evidence.size_bytes,
        evidence_sha256=evidence.sha256 if evidence else None,
        content_sha256=content.sha256(),
        proposed_by=actor.person(),
        proposed_at=clock.now(),
    )


def approve_proposal(
    session: Session, actor: Actor, break_id: UUID, content_sha256: str, totp_code: str
) -> Break:
    """Approve exactly what was looked at, by its hash, with a fresh code of the second factor;
    what posts is posted at once.

    Raises what identity raises for a wrong or used code, OwnProposal for who proposed it,
    BreakMoved when it was decided already or says something else, PeriodClosed when its month was
    closed meanwhile, InsufficientFunds when an account of a lab or a specialist has less than the
    adjustment takes.
    """
    actor.require(Permission.BREAKS_APPROVE)
    row = _break(session, break_id, None)
    expect(row.state, BreakState.PROPOSED)
    proposal = _open_proposal(session, row)
    if proposal.proposed_by == actor.person():
        log.warning("own_proposal_refused", break_id=str(row.id), person_id=str(actor.person_id))
        raise OwnProposal("You proposed this, so somebody else must decide.")
    if content_sha256 != proposal.content_sha256:
        raise BreakMoved("What is proposed has changed since you looked at it. Look again.")
    accounts.check_totp(session, actor.person(), totp_code)
    _step(session, row, state=BreakState.APPROVED, wait_until=proposal.wait_until)
    posted = _posted(session, actor, row, proposal)
    _decide(session, proposal, Decision.APPROVED, actor, posted)
    facts: dict[str, Any] = {"proposal_id": str(proposal.id), "action": proposal.action.value}
    if posted is not None:
        facts["transaction_id"] = str(posted)
    leave_event(session, row, "approved", by=actor.person(), facts=facts)
    if posted is not None:
        written_off = proposal.action is Action.WRITE_OFF
        how = Resolution.WRITTEN_OFF if written_off else Resolution.ADJUSTED
        _step(session, row, state=BreakState.RESOLVED, resolution=how, resolved_at=clock.now())
        leave_event(session, row, "resolved", by=actor.person())
    audit.record(session, actor, "approved a proposal for a break", row.id, **facts)
    return row


def decline_proposal(session: Session, actor: Actor, break_id: UUID, note: str) -> Break:
    """Send a proposal back: declined by an approver, or withdrawn by who made it."""
    _require_hand(actor)
    row = _break(session, break_id, None)
    expect(row.state, BreakState.PROPOSED)
    proposal = _open_proposal(session, row)
    own = proposal.proposed_by == actor.person()
    if not own and not actor.may(Permission.BREAKS_APPROVE):
        raise Denied("An approver declines it, or who proposed it takes it back.")
    said = checked_note(note)
    _step(session, row, state=BreakState.INVESTIGATING)
    decision = Decision.WITHDRAWN if own else Decision.DECLINED
    _decide(session, proposal, decision, actor, None)
    facts = {"proposal_id": str(proposal.id)}
    leave_event(session, row, decision.value, by=actor.person(), note=said, facts=facts)
    audit.record(session, actor, f"{decision.value} a proposal for a break", row.id, **facts)
    return row


_WORKERS = Permission.RECONCILIATION_WORK


def _require_hand(actor: Actor) -> None:
    """An auditor sees all and changes nothing."""
    if not actor.may(Permission.BREAKS_APPROVE):
        actor.require(Permission.RECONCILIATION_WORK)


def _break(session: Session, break_id: UUID, version: int | None) -> Break:
    row = session.get(Break, break_id, populate_existing=True)
    if row is None:
        raise Missing("There is no such break.")
    if version is not None and version != row.version:
        raise BreakMoved("Somebody was faster: this break has changed. Look at it again.")
    return row


def _open_proposal(session: Session, row: Break) -> BreakProposal:
    found = session.scalars(
        select(BreakProposal).where(
            BreakProposal.break_id == row.id, BreakProposal.decision.is_(None)
        )
    ).one_or_none()
    if found is None:
        raise BreakMoved("This proposal was decided meanwhile. Load the page again.")
    return found


def _step(session: Session, row: Break, **values: Any) -> None:
    """Change a break only if it is still what was read: of two clicks, one wins."""
    changed = session.execute(
        update(Break)
        .where(Break.id == row.id, Break.version == row.version, Break.state == row.state)
        .values(**values, version=row.version + 1)
        .returning(Break.id),
        execution_options={"synchronize_session": False},
    ).first()
    session.refresh(row)
    if changed is None:
        raise BreakMoved("Somebody was faster: this break has changed. Look at it again.")


def _decide(
    session: Session,
    proposal: BreakProposal,
    decision: Decision,
    actor: Actor,
    posted: TransactionId | None,
) -> None:
    proposal.decision, proposal.decided_by = decision, actor.person()
    proposal.decided_at, proposal.transaction_id = clock.now(), posted
    session.flush()  # The constraint of two people speaks here, before anything more is done.


def _posted(
    session: Session, actor: Actor, row: Break, proposal: BreakProposal
) -> TransactionId | None:
    """The adjustment in the book; None for what only waits."""
    if proposal.action not in POSTING:
        return None
    legs = checked_legs(proposed_legs(proposal))
    unposted = row.kind is BreakKind.MISSING_IN_LEDGER
    return ledger.adjust(
        session,
        adjustment_id=str(proposal.id),
        legs=[Leg(account_of(leg.code), leg.amount) for leg in legs],
        reason=proposal.reason.value,
        evidence_sha256=bytes(proposal.evidence_sha256 or b"").hex(),
        proposed_by=proposal.proposed_by,
        approved_by=actor.person(),
        effective_on=_effective_on(session, proposal.effective_on),
        bt=row.balance_transaction_id if unposted else None,
    )


def _effective_on(session: Session, on: date | None) -> date:
    """The day that an adjustment takes effect; it must be past or present, in an open month."""
    today = book_today()
    day = on or today
    if day > today:
        fault = Fault("/effective_on", "Choose today or a day before.")
        raise Faulty("An adjustment cannot take effect in the future.", [fault])
    if closing.is_closed(session, day):
        raise PeriodClosed(f"{day:%Y-%m} is closed. Choose a day of an open month.")
    return day


def _wait_until(until: date | None) -> date:
    today = book_today()
    if until is None or until <= today or (until - today).days > WAIT_DAYS_MAX:
        advice = f"Choose a day after today, at most {WAIT_DAYS_MAX} days ahead."
        raise Faulty("There is no date to wait for.", [Fault("/wait_until", advice)])
    return until


def checked_note(note: str) -> str:
    """A note without blanks around it; Faulty when it is empty or longer than 4,000 characters."""
    said = note.strip().replace("\0", "")
    if not said:
        raise Faulty("There is no note.", [Fault("/note", "Say in a sentence what you found.")])
    if len(said) > NOTE_MAX:
        fault = Fault("/note", f"Write at most {NOTE_MAX:,} characters.")
        raise Faulty("The note is too long.", [fault])
    return said


def stored_legs(legs: Sequence[ProposedLeg]) -> list[dict[str, Any]]:
    """Legs as a row keeps them."""
    return [
        {"code": leg.code, "minor": leg.amount.minor, "currency": leg.amount.currency}
        for leg in legs
    ]


def proposed_legs(proposal: BreakProposal) -> list[ProposedLeg]:
    """The legs of a stored proposal."""
    rows: Sequence[Mapping[str, Any]] = proposal.legs
    return [ProposedLeg(row["code"], Money(row["minor"], row["currency"])) for row in rows]
