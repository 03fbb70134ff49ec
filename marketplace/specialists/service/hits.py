"""What people decide about hits, and what a hit does to credentials."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import CredentialClaim, VerificationRun
from marketplace.specialists.models.lists import ListEntry, SanctionHit
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import CredentialState, Outcome
from marketplace.specialists.rules.lists import CLEARED_FOR, VERIFIERS, HitState, PublishedList
from marketplace.specialists.service.screening import list_verdict, move_hit
from marketplace.specialists.service.verification import record_verdict

NOTE_MIN = 10
NOTE_MAX = 5_000
# A list says nothing about claims that ended, or that count on another account.
CONCERNED = frozenset(CredentialState) - {CredentialState.REVOKED, CredentialState.BLOCKED}


def clear_hit(session: Session, actor: Actor, hit_id: UUID, *, note: str) -> SanctionHit:
    """Say that the entry is another person; it holds for a year, for this entry.

    note: what tells the two apart. Raises Denied for one's own hit, Conflict for one not open.
    """
    hit = _decided(session, actor, hit_id, note, {HitState.OPEN})
    hit.cleared_by, hit.expires_at = actor.person(), clock.now() + CLEARED_FOR
    hit.proposed_by = hit.proposed_at = None
    _move(session, actor, hit, HitState.CLEARED, "another_person")
    settle_credentials(session, hit.person_id)
    return hit


def propose_hit(session: Session, actor: Actor, hit_id: UUID, *, note: str) -> SanctionHit:
    """Say that the entry is this person; it stays open until a second person confirms it."""
    hit = _decided(session, actor, hit_id, note, {HitState.OPEN})
    if hit.proposed_by is not None:
        raise Conflict("A colleague has said so already; confirm it, or clear it.")
    hit.proposed_by, hit.proposed_at = actor.person(), clock.now()
    audit.record(session, actor, "proposed to confirm a hit", hit.id)
    return hit


def confirm_hit(session: Session, actor: Actor, hit_id: UUID, *, note: str) -> SanctionHit:
    """Agree with a colleague that the entry is this person.

    Raises Denied for the one who proposed it, Conflict where nobody has.
    """
    hit = _decided(session, actor, hit_id, note, {HitState.OPEN})
    if hit.proposed_by is None:
        raise Conflict("Somebody has to say first that it is the same person.")
    if hit.proposed_by == actor.person():
        raise Denied("You said so yourself; a second person confirms it.")
    hit.confirmed_by = actor.person()
    _move(session, actor, hit, HitState.CONFIRMED, "same_person")
    settle_credentials(session, hit.person_id)
    return hit


def reopen_hit(session: Session, actor: Actor, hit_id: UUID, *, note: str) -> SanctionHit:
    """Look at a cleared or confirmed hit again."""
    hit = _decided(session, actor, hit_id, note, {HitState.CLEARED, HitState.CONFIRMED})
    move_hit(session, hit, HitState.OPEN, "looked_at_again")
    audit.record(session, actor, "reopened a hit", hit.id)
    settle_credentials(session, hit.person_id)
    return hit


def reopen_expired(session: Session, *, limit: int = 500) -> int:
    """Open the hits again whose clearance has run out; how many."""
    over = (
        select(SanctionHit)
        .where(SanctionHit.state == HitState.CLEARED, SanctionHit.expires_at <= clock.now())
        .order_by(SanctionHit.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    hits = session.scalars(over).all()
    for hit in hits:
        move_hit(session, hit, HitState.OPEN, "clearance_expired")
        settle_credentials(session, hit.person_id)
    return len(hits)


def settle_credentials(session: Session, person_id: UUID) -> None:
    """Tell each credential of a person what the lists say, where that is not what it knows."""
    types = catalogue(session).types
    claims = session.scalars(
        select(CredentialClaim)
        .where(CredentialClaim.person_id == person_id, CredentialClaim.state.in_(CONCERNED))
        .order_by(CredentialClaim.id)
    ).all()
    for claim in claims:
        kind = types.get(claim.type)
        for source, verifier in VERIFIERS.items():
            if kind is not None and verifier in kind.verifiers:
                _tell(session, claim, source)


def _tell(session: Session, claim: CredentialClaim, source: PublishedList) -> None:
    verdict = list_verdict(session, claim, source)
    if verdict.outcome is Outcome.UNAVAILABLE:
        return
    told = session.scalars(
        select(VerificationRun)
        .where(VerificationRun.claim_id == claim.id, VerificationRun.verifier == verdict.verifier)
        .order_by(VerificationRun.id.desc())
        .limit(1)
    ).first()
    said = (verdict.outcome, list(verdict.reasons))
    if told is None or (told.outcome, told.reasons) != said:
        record_verdict(session, SYSTEM, claim.id, verdict)


def _decided(
    session: Session, actor: Actor, hit_id: UUID, note: str, states: set[HitState]
) -> SanctionHit:
    """The hit, locked, with the note kept on it; refuses what nobody may do to it."""
    actor.require(Permission.CREDENTIALS_VERIFY)
    hit = session.get(SanctionHit, hit_id, with_for_update=True, populate_existing=True)
    if hit is None:
        raise Missing("There is no such hit.")
    if hit.person_id == actor.person():
        raise Denied("Nobody decides on a hit on themselves. Ask a colleague.")
    if hit.state not in states:
        raise Conflict(f"This hit is {hit.state} already.")
    plain = note.strip()
    if not NOTE_MIN <= len(plain) <= NOTE_MAX or "\0" in plain:
        advice = f"Write what you compared, in {NOTE_MIN} to {NOTE_MAX:,} characters."
        raise Faulty("The decision cannot be taken like this.", [Fault("/note", advice)])
    written = f"{clock.now():%Y-%m-%d}: {plain}"
    hit.note = f"{hit.note}\n{written}" if hit.note else written
    hit.changed_at = clock.now()
    return hit


def _move(session: Session, actor: Actor, hit: SanctionHit, state: HitState, reason: str) -> None:
    hit.state, hit.reason = state, reason
    session.flush()  # The guards of the database speak here.
    entry = session.get_one(ListEntry, hit.entry_id)
    audit.record(session, actor, f"moved a hit to {state}", hit.id, reason=reason, entry=entry.id)
    outbox.announce(session, f"sanction_hit.{state}", hit.id, {"list": hit.source.value})
