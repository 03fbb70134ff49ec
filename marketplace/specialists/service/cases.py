"""Cases: two accounts say that they hold one identifier, and a person finds out who does."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import CredentialCase, CredentialClaim
from marketplace.specialists.rules import CaseOutcome, CredentialState
from marketplace.specialists.rules.lifecycle import FREE
from marketplace.specialists.service.claims import check_anew
from marketplace.specialists.service.steps import locked_claim, set_state

NOTE_MAX = 5_000


def close_case(
    session: Session,
    actor: Actor,
    case_id: UUID,
    *,
    outcome: CaseOutcome | str = CaseOutcome.SETTLED,
    note: str = "",
) -> CredentialCase:
    """Settle a case. note: why, kept encrypted.

    `claimant_holds` gives the identifier to the second account, whose claim is then checked; the
    first account's must have been revoked before (else Conflict). Otherwise the second account's
    claim stays blocked. Settling again changes nothing.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    case = session.get(CredentialCase, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise Missing("There is no such case.")
    sides = select(CredentialClaim.person_id).where(
        CredentialClaim.id.in_([case.claim_id, case.other_claim_id])
    )
    if actor.person() in session.scalars(sides).all():
        raise Denied("Nobody settles a case about themselves. Ask a colleague.")
    settled = _outcome(outcome)
    if len(note) > NOTE_MAX or "\0" in note:
        fault = Fault("/note", f"Write at most {NOTE_MAX:,} ordinary characters.")
        raise Faulty("The note cannot be kept like this.", [fault])
    if case.closed_at is None:
        _close(session, actor, case, settled, note.strip() or None)
        if settled is CaseOutcome.CLAIMANT_HOLDS:
            _hand_over(session, actor, case)
    return case


def _outcome(outcome: CaseOutcome | str) -> CaseOutcome:
    try:
        return CaseOutcome(outcome)
    except ValueError:
        fault = Fault("/outcome", f"Choose one of {', '.join(CaseOutcome)}.")
        raise Faulty("A case does not end like this.", [fault]) from None


def _close(
    session: Session, actor: Actor, case: CredentialCase, outcome: CaseOutcome, note: str | None
) -> None:
    case.closed_at, case.closed_by = clock.now(), actor.person()
    case.outcome, case.note = outcome, note
    session.flush()
    audit.record(session, actor, "closed case", case.id, outcome=outcome.value)


def _hand_over(session: Session, actor: Actor, case: CredentialCase) -> None:
    """Take the identifier from the first account's revoked claim and check the second's."""
    # Both are locked in the order of their ids, as everywhere.
    first, second = sorted((case.claim_id, case.other_claim_id))
    locked = {each: locked_claim(session, each) for each in (first, second)}
    claim, holder = locked[case.claim_id], locked[case.other_claim_id]
    if holder.state is CredentialState.REVOKED:
        set_state(session, actor, holder, CredentialState.BLOCKED, reason="identifier_taken")
    elif holder.state not in FREE:
        raise Conflict("Revoke the first account's credential, then settle the case.")
    if claim.state is CredentialState.BLOCKED:
        refuse_taken(session, actor, claim)
        set_state(session, actor, claim, CredentialState.CHECKING, reason="reopened")
        check_anew(session, claim)


def refuse_taken(session: Session, actor: Actor, claim: CredentialClaim) -> None:
    """Conflict while another account holds a blocked claim's identifier; else its cases end."""
    holder = select(CredentialClaim.id).where(
        CredentialClaim.type == claim.type,
        CredentialClaim.jurisdiction == claim.jurisdiction,
        CredentialClaim.identifier_hash == claim.identifier_hash,
        CredentialClaim.state.not_in(FREE),
    )
    if session.scalar(holder.limit(1)) is not None:
        raise Conflict("The other account still holds this identifier; settle that one first.")
    cases = select(CredentialCase).where(
        CredentialCase.claim_id == claim.id, CredentialCase.closed_at.is_(None)
    )
    for case in session.scalars(cases.with_for_update()):
        _close(session, actor, case, CaseOutcome.CLAIMANT_HOLDS, None)
