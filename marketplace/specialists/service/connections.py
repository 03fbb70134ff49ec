"""Showing an identity document, once for all credentials, and connecting an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.secrets import keyed_hash
from marketplace.specialists.models import GithubConnection, IdentityCheck, SpecialistProfile
from marketplace.specialists.queries.connections import papers_hash
from marketplace.specialists.rules.identity import (
    ABANDONED_AFTER,
    ATTEMPTS_MAX,
    ATTEMPTS_WITHIN,
    IDENTITY_NEXT,
    OPEN,
    IdentityState,
    SeenDocument,
    compared,
)
from marketplace.specialists.service.verification import look_again

IDENTITY = "stripe.identity"
GITHUB = "github.oauth"
LOOK_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ProvenAccount:
    """An account at GitHub as GitHub itself tells it to whoever controls it; numbers: signals."""

    account_id: int
    login: str
    created_at: datetime
    numbers: Mapping[str, int]


def start_identity(session: Session, actor: Actor) -> IdentityCheck:
    """Begin to show a document, or go on with the showing that is open.

    Raises Conflict without a legal name to compare with, and after five showings in 30 days.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    person_id, now = actor.person(), clock.now()
    # One row a person to wait at, so that two clicks begin one showing.
    profile = session.get(SpecialistProfile, person_id, with_for_update=True)
    if profile is None or not profile.legal_name:
        raise Conflict("Write your legal name in your profile first: the document is compared.")
    current = _open_check(session, person_id)
    if current is not None:
        return current
    recent = select(func.count()).where(
        IdentityCheck.person_id == person_id, IdentityCheck.started_at > now - ATTEMPTS_WITHIN
    )
    if (session.scalar(recent) or 0) >= ATTEMPTS_MAX:
        raise Conflict("You tried five times in 30 days. Write to us, and a person looks at it.")
    check = IdentityCheck(
        id=new_id(), person_id=person_id, state=IdentityState.STARTED, started_at=now
    )
    session.add(check)
    session.flush()  # The session at Stripe is made under its id.
    audit.record(session, actor, "started identity check", check.id)
    return check


def _open_check(session: Session, person_id: UUID) -> IdentityCheck | None:
    found = select(IdentityCheck).where(
        IdentityCheck.person_id == person_id, IdentityCheck.state.in_(OPEN)
    )
    return session.scalar(found)


def record_session(session: Session, check_id: UUID, stripe_session_id: str) -> None:
    """Keep the name of the session at Stripe; the first one stays."""
    check = _locked(session, check_id)
    if check.stripe_session_id is None:
        check.stripe_session_id = stripe_session_id


def check_named(
    session: Session, stripe_session_id: str | None, check_id: UUID | None
) -> IdentityCheck | None:
    """The showing that a session at Stripe belongs to, by its name or else by ours."""
    if stripe_session_id is not None:
        named = select(IdentityCheck).where(IdentityCheck.stripe_session_id == stripe_session_id)
        found = session.scalar(named)
        if found is not None:
            return found
    return session.get(IdentityCheck, check_id) if check_id else None


def record_identity(session: Session, check_id: UUID, seen: SeenDocument) -> IdentityCheck:
    """Keep how a session stands; of a verified document only how it compared.

    Old news changes nothing. Afterwards every credential of the person is looked at again, and
    Stripe is asked to forget the document.
    """
    check = _locked(session, check_id)
    state = seen.state
    if state is not check.state and state not in IDENTITY_NEXT[check.state]:
        return check
    if check.state not in OPEN:
        return check
    if state is IdentityState.VERIFIED:
        _record_verified(session, check, seen)
    elif (state, seen.error) != (check.state, check.reason):
        check.state, check.reason = state, seen.error
        audit.record(session, SYSTEM, "read identity check", check.id, state=state.value)
    if check.state is IdentityState.PROCESSING:
        _look_later(session, check)
    session.flush()  # Guards of the database speak here, beside the cause.
    return check


def _look_later(session: Session, check: IdentityCheck) -> None:
    """Ask again in an hour: an event that never comes must not leave a person waiting."""
    due = clock.now() + LOOK_EVERY
    key = f"look_identity:{check.id}:{due:%Y%m%d%H}"
    name = "specialists.refresh_identity"
    outbox.enqueue_once(session, key, name, not_before=due, check_id=check.id)


def _record_verified(session: Session, check: IdentityCheck, seen: SeenDocument) -> None:
    profile = session.get(SpecialistProfile, check.person_id, populate_existing=True)
    name = (profile.legal_name if profile else None) or ""
    born_on = profile.born_on if profile else None
    fit = compared(seen, name, born_on)
    check.state, check.reason = IdentityState.VERIFIED, None
    check.name_score, check.birth_matches = fit.name_score, fit.birth_matches
    check.papers_hash = papers_hash(name, born_on)
    check.document_country, check.document_until = seen.document_country, seen.document_until
    check.verified_at = clock.now()
    audit.record(session, SYSTEM, "read identity check", check.id, state=check.state.value)
    outbox.enqueue(session, "specialists.redact_identity", check_id=check.id)
    look_again(session, check.person_id, only=[IDENTITY])


def record_redacted(session: Session, check_id: UUID) -> None:
    """Note that Stripe forgot what it held; a showing that was left open ends with that."""
    check = _locked(session, check_id)
    if check.redacted_at is None:
        check.redacted_at = clock.now()
        audit.record(session, SYSTEM, "had identity check redacted", check.id)
    if check.state in OPEN:
        check.state = IdentityState.CANCELLED


def forget_abandoned(session: Session, *, limit: int = 500) -> int:
    """Have what was begun a month ago and never finished forgotten; how many showings."""
    left = select(IdentityCheck.id).where(
        IdentityCheck.state.in_(OPEN), IdentityCheck.started_at < clock.now() - ABANDONED_AFTER
    )
    found = session.scalars(left.order_by(IdentityCheck.id).limit(limit)).all()
    for check_id in found:
        key = f"redact_identity:{check_id}"
        outbox.enqueue_once(session, key, "specialists.redact_identity", check_id=check_id)
    return len(found)


def _locked(session: Session, check_id: UUID) -> IdentityCheck:
    check = session.get(IdentityCheck, check_id, with_for_update=True, populate_existing=True)
    if check is None:
        raise Missing("There is no such identity check.")
    return check


def connect_account(session: Session, actor: Actor, proven: ProvenAccount) -> GithubConnection:
    """Keep an account that the actor has just shown to control, in place of an earlier one.

    Raises Conflict where another person connected it: one account shows one person's control.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    person_id, hashed = actor.person(), keyed_hash("github-account", str(proven.account_id))
    facts = {
        "account_hash": hashed,
        "login": proven.login,
        "account_created_at": proven.created_at,
        "connected_at": clock.now(),
        "numbers": dict(proven.numbers),
    }
    taken = select(GithubConnection.person_id).where(GithubConnection.account_hash == hashed)
    if session.scalar(taken) not in {None, person_id}:
        raise Conflict("Another account here is connected to this GitHub account already.")
    row = insert(GithubConnection).values(person_id=person_id, **facts)
    session.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=facts))
    audit.record(session, actor, "connected github", person_id)
    look_again(session, person_id, only=[GITHUB])
    return session.get_one(GithubConnection, person_id, populate_existing=True)


def disconnect_account(session: Session, actor: Actor) -> None:
    """Forget the connected account; what rested on it falls with the next look."""
    actor.require(Permission.CREDENTIALS_CLAIM)
    person_id = actor.person()
    connection = session.get(GithubConnection, person_id, with_for_update=True)
    if connection is not None:
        session.delete(connection)
        audit.record(session, actor, "disconnected github", person_id)
        look_again(session, person_id, only=[GITHUB])
