"""Erasing a person: written down by one, looked at by another; what is personal is emptied.

Who may be erased, and what else goes with them, is decided above (see `payouts.service.erasure`).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity.models import (
    ApiToken,
    Erasure,
    IdempotencyRecord,
    Invitation,
    OneTimeToken,
    Person,
    RecoveryCode,
    SignIn,
)
from marketplace.identity.rules import Permission, PersonState
from marketplace.ids import new_id

NAME = "Erased person"
OWN = "Nobody sees to their own erasure. Ask a colleague."
# Fits no password whatever is typed: it is no hash.
NO_PASSWORD = "!"  # noqa: S105 - the mark of none.


def locked_person(session: Session, person_id: UUID) -> Person:
    """The person, safe from other writers; Missing for one that there is not or that is erased."""
    person = session.get(Person, person_id, with_for_update=True, populate_existing=True)
    if person is None or person.state is PersonState.ERASED:
        raise Missing("There is no such person.")
    return person


def open_erasure(session: Session, person_id: UUID) -> Erasure | None:
    """What waits for a second person, locked."""
    waiting = select(Erasure).where(Erasure.person_id == person_id, Erasure.settled_at.is_(None))
    return session.scalar(waiting.with_for_update())


def ask_erasure(session: Session, actor: Actor, person_id: UUID) -> Erasure:
    """Write down that somebody asked to be erased; nothing changes until a second person agrees.

    Raises Conflict where it is written down already, Denied for oneself.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    if actor.person_id == person_id:
        raise Denied(OWN)
    person = locked_person(session, person_id)
    if open_erasure(session, person.id) is not None:
        raise Conflict("A colleague wrote it down already; a second person looks.")
    row = Erasure(id=new_id(), person_id=person.id, asked_by=actor.person_id, asked_at=clock.now())
    session.add(row)
    session.flush()  # The unique index speaks here.
    audit.record(session, actor, "asked for erasure", person.id)
    return row


def drop_erasure(session: Session, actor: Actor, person_id: UUID) -> None:
    """Take it off the table, also one's own; Conflict where nothing waits."""
    actor.require(Permission.CREDENTIALS_VERIFY)
    row = _waiting(session, person_id)
    row.settled_by, row.settled_at, row.carried_out = actor.person_id, clock.now(), False
    session.flush()
    audit.record(session, actor, "dropped erasure", person_id)


def settle_erasure(session: Session, actor: Actor, person_id: UUID) -> None:
    """Say that a second person looked and agrees; who carries it out follows in this transaction.

    Raises Conflict where nobody wrote it down, Denied for whoever did, and for oneself.
    """
    actor.require(Permission.PEOPLE_MANAGE)
    row = _waiting(session, person_id)
    if actor.person_id is not None and actor.person_id in {person_id, row.asked_by}:
        raise Denied(OWN if actor.person_id == person_id else "This takes a second person.")
    row.settled_by, row.settled_at, row.carried_out = actor.person_id, clock.now(), True
    session.flush()


def erase_identity(session: Session, actor: Actor, person_id: UUID) -> None:
    """Close the sign-in, end sessions and tokens, and empty name, address and second factor."""
    person = locked_person(session, person_id)
    address = f"erased-{person.id.hex}@erased.invalid"
    mine = select(ApiToken.id).where(ApiToken.person_id == person.id)
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.token_id.in_(mine)))
    revoked = update(ApiToken).where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
    session.execute(revoked.values(revoked_at=clock.now()))
    session.execute(update(ApiToken).where(ApiToken.person_id == person.id).values(name=""))
    for kind in (SignIn, OneTimeToken, RecoveryCode):
        session.execute(delete(kind).where(kind.person_id == person.id))
    session.execute(
        update(Invitation).where(Invitation.email == person.email).values(email=address)
    )
    person.email, person.name, person.password_hash = address, NAME, NO_PASSWORD
    person.timezone, person.email_verified_at = "UTC", None
    person.totp_confirmed_at = person.totp_last_step = person.totp_secret = None
    person.state = PersonState.ERASED
    session.flush()
    audit.record(session, actor, "erased person", person.id)


def _waiting(session: Session, person_id: UUID) -> Erasure:
    row = open_erasure(session, person_id)
    if row is None:
        raise Conflict("Nobody wrote down that this person is to be erased.")
    return row
