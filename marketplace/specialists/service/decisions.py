"""What people decide about credentials, alone or in twos, and what time decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Integer, cast, func, or_, select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.specialists.models import (
    CredentialClaim,
    CredentialProposal,
    CredentialTypeRow,
)
from marketplace.specialists.queries.catalogue import known_type
from marketplace.specialists.rules import (
    HOLDING,
    NEXT,
    CredentialState,
    CredentialType,
    Decision,
    Outcome,
    Verdict,
    due_state,
)
from marketplace.specialists.rules.catalogue import look_up_address
from marketplace.specialists.rules.lifecycle import DECIDED, NEEDS_SECOND, SOON
from marketplace.specialists.service.amendments import (
    drop_amendment,
    grant_amendment,
    shown_specialties,
)
from marketplace.specialists.service.cases import refuse_taken
from marketplace.specialists.service.claims import check_anew
from marketplace.specialists.service.renewals import open_renewal, settle_renewal
from marketplace.specialists.service.steps import locked_claim, set_state, trace
from marketplace.specialists.service.verification import record_verdict

NOTE_MIN = 10
NOTE_MAX = 5_000
OWN = "Nobody decides on their own credential. Ask a colleague."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A decision with what it rests on; level and specialties count for `verify` only."""

    decision: Decision
    level: int
    ticked: list[str]
    valid_until: date | None
    note: str
    specialties: Sequence[str] = ()


def decide_credential(
    session: Session,
    actor: Actor,
    claim_id: UUID,
    *,
    outcome: Decision | str,
    note: str,
    level: int = 2,
    checklist: Mapping[str, bool] | None = None,
    valid_until: date | None = None,
    specialties: Sequence[str] = (),
) -> CredentialClaim:
    """Decide on a claim after looking at its source; never on one's own.

    level: 2 to 4, for `verify` only, which needs every tick of the type's checklist up to that
    level. note: the evidence in words, kept encrypted. valid_until: the licence's last day.
    specialties: for `verify` only, those of the open amendment that the source shows. Where the
    type asks for two people, what grants or ends it becomes a proposal and nothing changes until
    `confirm_decision`. Raises Conflict where a proposal waits already.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied(OWN)
    kind = known_type(session, claim.type)
    ticked = sorted(key for key, ticked in (checklist or {}).items() if ticked)
    last = _last_day(session, claim, valid_until)
    shown = shown_specialties(session, claim, specialties)
    asked = _Asked(_decision(outcome), level, ticked, last, note, shown)
    _refuse_faulty(kind, asked)
    _refuse_step(claim, asked.decision)
    if open_proposal(session, claim.id) is not None:
        raise Conflict("A colleague's proposal waits here: confirm it, or disagree.")
    if kind.two_person and asked.decision in NEEDS_SECOND:
        _propose(session, actor, claim, asked)
    else:
        _carry_out(session, actor, claim, kind, asked)
    return claim


def confirm_decision(
    session: Session, actor: Actor, claim_id: UUID, *, agrees: bool, note: str
) -> CredentialClaim:
    """Look as well, and confirm a colleague's proposal, which carries it out, or disagree.

    Who proposed may take it back by disagreeing, and never confirm it. Raises Conflict where no
    proposal waits, or time has overtaken it; Denied for the claimant and for confirming one's own.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied(OWN)
    proposal = open_proposal(session, claim.id)
    if proposal is None:
        raise Conflict("No proposal waits here.")
    if agrees and proposal.person_id == actor.person():
        raise Denied("This takes a second person. Ask a colleague.")
    _refuse_note(note)
    proposal.settled_by, proposal.settled_at = actor.person(), clock.now()
    proposal.agreed, proposal.settled_note = agrees, note.strip()
    session.flush()
    said = "confirmed decision" if agrees else "disagreed with decision"
    audit.record(session, actor, said, claim.id, proposal_id=proposal.id)
    if agrees:
        asked = _Asked(
            proposal.outcome,
            proposal.level,
            proposal.checklist,
            proposal.valid_until,
            note,
            proposal.specialties,
        )
        kind = known_type(session, claim.type)
        _refuse_faulty(kind, asked)
        _refuse_step(claim, asked.decision)
        _carry_out(session, actor, claim, kind, asked, proposal_id=proposal.id)
    return claim


def strike_specialty(
    session: Session, actor: Actor, claim_id: UUID, specialty: str
) -> CredentialClaim:
    """Take a specialty off that neither the source nor a file shows: labs read those that stay.

    At any time, since it only takes away; Missing for one that the credential does not name.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied(OWN)
    if specialty not in claim.specialties:
        raise Missing("This credential names no such specialty.")
    claim.specialties = [each for each in claim.specialties if each != specialty]
    trace(session, actor, claim)
    audit.record(session, actor, "struck specialty", claim.id, specialty=specialty)
    return claim


def open_proposal(session: Session, claim_id: UUID) -> CredentialProposal | None:
    """The proposal that waits for a second person, locked."""
    waiting = select(CredentialProposal).where(
        CredentialProposal.claim_id == claim_id, CredentialProposal.settled_at.is_(None)
    )
    return session.scalar(waiting.with_for_update())


def expire_credentials(session: Session, *, limit: int = 500) -> int:
    """Take the steps that time alone asks for, oldest first; how many claims were due."""
    now = clock.now()
    today = now.date()
    soon = CredentialClaim.valid_until <= today + SOON
    held = func.make_interval(0, 0, 0, cast(CredentialTypeRow.reverify_days, Integer))
    due = (
        select(CredentialClaim, CredentialTypeRow.reverify_days)
        .join(CredentialTypeRow, CredentialTypeRow.key == CredentialClaim.type)
        .where(
            CredentialClaim.state.in_(HOLDING),
            or_(
                CredentialClaim.valid_until < today,
                CredentialClaim.checked_at + held <= now,
                (CredentialClaim.state == CredentialState.VERIFIED) & soon,
            ),
        )
        .order_by(CredentialClaim.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=CredentialClaim)
    )
    claims = session.execute(due).all()
    for claim, days in claims:
        after = timedelta(days=days)
        step = due_state(claim.state, claim.valid_until, claim.checked_at, now, after)
        if step is not None:
            set_state(session, SYSTEM, claim, step[0], reason=step[1])
    return len(claims)


_REASONS: Mapping[Decision, str | None] = {
    Decision.VERIFY: None,
    Decision.REJECT: "not_confirmed",
    Decision.SUSPEND: "suspended_by_person",
    Decision.REVOKE: "revoked_by_person",
    Decision.REOPEN: "reopened",
}


def _propose(session: Session, actor: Actor, claim: CredentialClaim, asked: _Asked) -> None:
    proposal = CredentialProposal(
        id=new_id(),
        claim_id=claim.id,
        person_id=actor.person(),
        outcome=asked.decision,
        level=asked.level if asked.decision is Decision.VERIFY else 0,
        checklist=asked.ticked,
        specialties=list(asked.specialties),
        valid_until=asked.valid_until,
        note=asked.note.strip(),
        proposed_at=clock.now(),
    )
    session.add(proposal)
    session.flush()  # The unique index speaks here, beside the cause.
    facts = {"outcome": asked.decision.value, "proposal_id": proposal.id}
    audit.record(session, actor, "proposed decision", claim.id, **facts)


def _carry_out(
    session: Session,
    actor: Actor,
    claim: CredentialClaim,
    kind: CredentialType,
    asked: _Asked,
    *,
    proposal_id: UUID | None = None,
) -> None:
    decision = asked.decision
    verdict = _verdict(claim, kind, asked)
    if proposal_id is not None:
        verdict = replace(verdict, observed=verdict.observed | {"proposal": str(proposal_id)})
    record_verdict(session, actor, claim.id, verdict, asked.note.strip())
    claim.decided_by = actor.person()
    if decision is Decision.VERIFY:
        claim.valid_until = asked.valid_until
        grant_amendment(session, actor, claim, asked.specialties)
    elif decision in NEEDS_SECOND:
        drop_amendment(session, actor, claim.id)
    if claim.state is CredentialState.BLOCKED and decision is Decision.REOPEN:
        refuse_taken(session, actor, claim)
    if decision in NEEDS_SECOND:
        settle_renewal(session, actor, claim.id, granted=decision is Decision.VERIFY)
    set_state(session, actor, claim, DECIDED[decision], reason=_REASONS[decision])
    if decision is Decision.REOPEN:
        check_anew(session, claim)


def _last_day(session: Session, claim: CredentialClaim, given: date | None) -> date | None:
    """What was given; else what its holder asked for, or what stands."""
    if given is not None:
        return given
    renewal = open_renewal(session, claim.id)
    return renewal.valid_until if renewal is not None else claim.valid_until


def _decision(outcome: Decision | str) -> Decision:
    try:
        return Decision(outcome)
    except ValueError:
        fault = Fault("/outcome", f"Choose one of {', '.join(Decision)}.")
        raise Faulty("There is no such decision.", [fault]) from None


def _verdict(claim: CredentialClaim, kind: CredentialType, asked: _Asked) -> Verdict:
    """What a person's look is worth, in the words of every other verifier."""
    url = look_up_address(kind, claim.jurisdiction)
    verdict = Verdict(
        verifier=f"manual.{claim.type}",
        kind="manual",
        outcome=Outcome.INCONCLUSIVE,
        level=0,
        observed={"decision": asked.decision.value, "checklist": asked.ticked},
        evidence=({"source": f"manual.{claim.type}", "url": url},),
    )
    if asked.decision is Decision.VERIFY:
        added = {"added": list(asked.specialties)} if asked.specialties else {}
        observed = verdict.observed | added
        return replace(verdict, outcome=Outcome.PASS, level=asked.level, observed=observed)
    if asked.decision in {Decision.REJECT, Decision.REVOKE, Decision.SUSPEND}:
        return replace(verdict, outcome=Outcome.FAIL)
    return verdict


def _refuse_step(claim: CredentialClaim, decision: Decision) -> None:
    """Conflict for a decision that the claim's state does not have."""
    wanted = DECIDED[decision]
    if claim.state is wanted and decision is not Decision.VERIFY:
        raise Conflict(f"This credential is {claim.state} already.")
    if claim.state is not wanted and wanted not in NEXT[claim.state]:
        raise Conflict(f"A credential that is {claim.state} cannot become {wanted}.")


def _refuse_note(note: str) -> None:
    if fault := _note_fault(note):
        raise Faulty("The decision cannot be taken like this.", [fault])


def _note_fault(note: str) -> Fault | None:
    if NOTE_MIN <= len(note.strip()) <= NOTE_MAX and "\0" not in note:
        return None
    advice = f"Write what you saw and where, in {NOTE_MIN} to {NOTE_MAX:,} characters."
    return Fault("/note", advice)


def _refuse_faulty(kind: CredentialType, asked: _Asked) -> None:
    fault = _note_fault(asked.note)
    faults = [fault] if fault else []
    if asked.decision is Decision.VERIFY:
        level = asked.level
        if type(level) is not int or not 2 <= level <= 4:
            faults.append(Fault("/level", "A person verifies at level 2, 3 or 4."))
        faults += [
            Fault(f"/checklist/{key}", f"Level {level} needs this: {sentence}")
            for key, (least, sentence) in kind.checklist.items()
            if least <= level and key not in asked.ticked
        ]
        until = asked.valid_until
        if until is None and kind.expires:
            faults.append(Fault("/valid_until", "Write the last day on which it is valid."))
        if until is not None and until < clock.now().date():
            faults.append(Fault("/valid_until", "This day has passed; it cannot be verified."))
    if faults:
        raise Faulty("The decision cannot be taken like this.", faults)
