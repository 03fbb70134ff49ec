"""What people decide about credentials, and what time decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import CredentialCase, CredentialClaim
from marketplace.specialists.rules import (
    HOLDING,
    CredentialState,
    Decision,
    Outcome,
    Verdict,
    credential_type,
    due_state,
)
from marketplace.specialists.rules.catalogue import CHECKLIST, look_up_address
from marketplace.specialists.rules.lifecycle import DECIDED, REVERIFY_AFTER, SOON
from marketplace.specialists.service.steps import locked_claim, record_run, set_state

NOTE_MIN = 10
NOTE_MAX = 5_000


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
) -> CredentialClaim:
    """Decide on a claim after looking at its source; never on one's own.

    level: 2 to 4, for `verify` only, which needs every tick of the checklist up to that level.
    note: the evidence in words, kept encrypted. valid_until: the licence's last day.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied("Nobody decides on their own credential. Ask a colleague.")
    decision = _decision(outcome)
    ticked = sorted(key for key, ticked in (checklist or {}).items() if ticked)
    verdict = _verdict(claim, decision, level, ticked)
    _refuse_faulty(claim, decision, note, valid_until, verdict)
    record_run(session, actor, claim, verdict, note=note.strip())
    claim.decided_by = actor.person()
    if decision is Decision.VERIFY:
        claim.level = level
        claim.checked_at = clock.now()
        claim.valid_until = valid_until or claim.valid_until
    if claim.state is DECIDED[decision] and decision is not Decision.VERIFY:
        raise Conflict(f"This credential is {claim.state} already.")
    if claim.state is CredentialState.BLOCKED and decision is Decision.REOPEN:
        _refuse_taken(session, claim)
    set_state(session, actor, claim, DECIDED[decision], reason=_REASONS[decision])
    return claim


def close_case(session: Session, actor: Actor, case_id: UUID) -> CredentialCase:
    """Say that a case is settled; what follows from it is decided on the claims themselves."""
    actor.require(Permission.CREDENTIALS_VERIFY)
    case = session.get(CredentialCase, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise Missing("There is no such case.")
    sides = select(CredentialClaim.person_id).where(
        CredentialClaim.id.in_([case.claim_id, case.other_claim_id])
    )
    if actor.person() in session.scalars(sides).all():
        raise Denied("Nobody settles a case about themselves. Ask a colleague.")
    if case.closed_at is None:
        case.closed_at, case.closed_by = clock.now(), actor.person()
        audit.record(session, actor, "closed case", case.id)
    return case


def expire_credentials(session: Session, *, limit: int = 500) -> int:
    """Take the steps that time alone asks for, oldest first; how many claims were due."""
    now = clock.now()
    today = now.date()
    soon = CredentialClaim.valid_until <= today + SOON
    due = (
        select(CredentialClaim)
        .where(
            CredentialClaim.state.in_(HOLDING),
            or_(
                CredentialClaim.valid_until < today,
                CredentialClaim.checked_at <= now - REVERIFY_AFTER,
                (CredentialClaim.state == CredentialState.VERIFIED) & soon,
            ),
        )
        .order_by(CredentialClaim.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claims = session.scalars(due).all()
    for claim in claims:
        step = due_state(claim.state, claim.valid_until, claim.checked_at, now)
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


def _decision(outcome: Decision | str) -> Decision:
    try:
        return Decision(outcome)
    except ValueError:
        fault = Fault("/outcome", f"Choose one of {', '.join(Decision)}.")
        raise Faulty("There is no such decision.", [fault]) from None


def _verdict(claim: CredentialClaim, decision: Decision, level: int, ticked: list[str]) -> Verdict:
    """What a person's look is worth, in the words of every other verifier."""
    url = look_up_address(credential_type(claim.type), claim.jurisdiction)
    verdict = Verdict(
        verifier=f"manual.{claim.type}",
        kind="manual",
        outcome=Outcome.INCONCLUSIVE,
        level=0,
        observed={"decision": decision.value, "checklist": ticked},
        evidence=({"source": f"manual.{claim.type}", "url": url},),
    )
    if decision is Decision.VERIFY:
        return replace(verdict, outcome=Outcome.PASS, level=level)
    if decision in {Decision.REJECT, Decision.REVOKE, Decision.SUSPEND}:
        return replace(verdict, outcome=Outcome.FAIL)
    return verdict


def _refuse_faulty(
    claim: CredentialClaim,
    decision: Decision,
    note: str,
    valid_until: date | None,
    verdict: Verdict,
) -> None:
    faults = []
    if not NOTE_MIN <= len(note.strip()) <= NOTE_MAX or "\0" in note:
        advice = f"Write what you saw and where, in {NOTE_MIN} to {NOTE_MAX:,} characters."
        faults.append(Fault("/note", advice))
    if decision is Decision.VERIFY:
        level = verdict.level
        if type(level) is not int or not 2 <= level <= 4:
            faults.append(Fault("/level", "A person verifies at level 2, 3 or 4."))
        faults += [
            Fault(f"/checklist/{key}", f"Level {level} needs this: {sentence}")
            for key, (least, sentence) in CHECKLIST.items()
            if least <= level and key not in verdict.observed["checklist"]
        ]
        until = valid_until or claim.valid_until
        if until is None and credential_type(claim.type).expires:
            faults.append(Fault("/valid_until", "Write the last day on which it is valid."))
        if until is not None and until < clock.now().date():
            faults.append(Fault("/valid_until", "This day has passed; it cannot be verified."))
    if faults:
        raise Faulty("The decision cannot be taken like this.", faults)


def _refuse_taken(session: Session, claim: CredentialClaim) -> None:
    """Conflict while the account in the way still holds the identifier."""
    holder = select(CredentialClaim.id).where(
        CredentialClaim.type == claim.type,
        CredentialClaim.jurisdiction == claim.jurisdiction,
        CredentialClaim.identifier_hash == claim.identifier_hash,
        CredentialClaim.state != CredentialState.BLOCKED,
    )
    if session.scalar(holder.limit(1)) is not None:
        raise Conflict("The other account still holds this identifier; settle that one first.")
    session.execute(
        update(CredentialCase)
        .where(CredentialCase.claim_id == claim.id, CredentialCase.closed_at.is_(None))
        .values(closed_at=clock.now(), closed_by=claim.decided_by)
    )
