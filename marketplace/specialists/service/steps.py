"""The one place that sets a credential's state, and the traces that each step leaves."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Missing
from marketplace.ids import new_id
from marketplace.specialists.models import (
    CredentialChange,
    CredentialClaim,
    VerificationEvidence,
    VerificationRun,
)
from marketplace.specialists.rules import NEXT, CredentialState, Verdict


def locked_claim(session: Session, claim_id: UUID) -> CredentialClaim:
    """The claim, safe from other writers until the end; Missing when there is none."""
    claim = session.get(
        CredentialClaim, claim_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if claim is None:
        raise Missing("There is no such credential.")
    return claim


def set_state(
    session: Session,
    actor: Actor,
    claim: CredentialClaim,
    state: CredentialState,
    *,
    reason: str | None = None,
) -> None:
    """Take the step and leave its traces; Conflict for one that the lifecycle does not have.

    A step to the same state is a change of level or of dates only.
    """
    if state is not claim.state and state not in NEXT[claim.state]:
        raise Conflict(f"A credential that is {claim.state} cannot become {state}.")
    claim.state = state
    claim.reason = reason
    trace(session, actor, claim)


def trace(session: Session, actor: Actor, claim: CredentialClaim) -> None:
    """Write down what holds from now on, for the record, the audit and whoever listens."""
    session.add(
        CredentialChange(
            id=new_id(),
            claim_id=claim.id,
            at=clock.now(),
            state=claim.state,
            level=claim.level,
            specialties=list(claim.specialties),
            checked_at=claim.checked_at,
            reason=claim.reason,
            person_id=actor.person_id,
        )
    )
    session.flush()  # Guards of the database speak here, beside the cause.
    facts = {"state": claim.state.value, "level": claim.level, "reason": claim.reason}
    audit.record(session, actor, "changed credential", claim.id, **facts)
    outbox.announce(
        session,
        "credential.changed",
        claim.id,
        facts | {"person_id": claim.person_id},
        person_id=claim.person_id,
    )


def record_run(
    session: Session,
    actor: Actor,
    claim: CredentialClaim,
    verdict: Verdict,
    *,
    note: str | None = None,
) -> VerificationRun:
    """Keep what a verifier found; note: what a person wrote about it, kept encrypted."""
    now = clock.now()
    run = VerificationRun(
        id=new_id(),
        claim_id=claim.id,
        verifier=verdict.verifier,
        kind=verdict.kind,
        outcome=verdict.outcome,
        level=verdict.level,
        observed=verdict.observed,
        match=verdict.match,
        reasons=list(verdict.reasons),
        person_id=actor.person_id,
        ran_at=now,
        next_check_at=verdict.next_check_at,
    )
    session.add(run)
    session.flush()  # Its evidence refers to it.
    for number, each in enumerate(verdict.evidence):
        session.add(
            VerificationEvidence(
                id=new_id(),
                run_id=run.id,
                source=each["source"],
                source_version=each.get("source_version"),
                url=each.get("url"),
                sha256=each.get("sha256"),
                note=each.get("note") or (note if number == 0 else None),
                retrieved_at=now,
            )
        )
    session.flush()
    return run
