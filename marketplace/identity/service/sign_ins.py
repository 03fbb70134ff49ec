"""Signing in with a password, being recognised afterwards, and ending it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Denied, Fault, Faulty, Missing, SignInNeeded
from marketplace.identity import queries
from marketplace.identity.models import Person, SignIn
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import (
    HALF_SIGNED_IN_MINUTES,
    PASSWORD_MAX,
    PersonState,
    sign_in_is_live,
)
from marketplace.ids import new_id
from marketplace.secrets import new_token, token_hash

SEEN_EVERY = timedelta(minutes=1)
MISFIT = "The e-mail address and the password do not fit together."
# The hash of a password that nobody knows: an unknown address costs as long as a known one.
NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$EnsPpE2CT+IUSznq4K2RmA"
    "$pFnbjAYDltJknj6Y/QFwI710HEnMQucWUP2BP+0Zz7E"
)


class _Here:
    hasher = PasswordHasher()  # argon2id with the second recommendation of RFC 9106.


class WrongPassword(Faulty):
    """The address and the password do not belong together; which is wrong is not said."""

    code = "wrong_password"


def use_hasher(hasher: PasswordHasher) -> None:
    """Set what passwords cost in this process; tests, which make thousands of people, take less.

    A hash carries its own costs, and a sign-in renews one that cost less than they are now.
    """
    _Here.hasher = hasher


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its own salt and parameters in it."""
    return _Here.hasher.hash(password)


def password_fits(person: Person | None, password: str) -> bool:
    """Whether the password is this person's; takes as long when there is nobody."""
    try:
        _Here.hasher.verify(
            person.password_hash if person else NOBODY, password[: PASSWORD_MAX + 1]
        )
    except (VerifyMismatchError, InvalidHashError):
        return False
    return person is not None


def sign_in(
    session: Session, *, email: str, password: str, browser: str = ""
) -> tuple[SignIn, str]:
    """Sign a browser in: the row and the token for its cookie, which is not kept anywhere.

    With a second factor on, the row is half a sign-in (`completed_at` is None) until
    `complete_sign_in`. Raises WrongPassword, and Denied for a suspended account.
    """
    person = queries.person_by_email(session, email)
    fits = password_fits(person, password)
    if person is None or not fits:
        raise WrongPassword(MISFIT, [Fault("", MISFIT)])
    if person.state is not PersonState.ACTIVE:
        raise Denied("This account is suspended. Write to us if you think that is wrong.")
    if _Here.hasher.check_needs_rehash(person.password_hash):
        person.password_hash = hash_password(password)
    return _start(session, person, browser, complete=person.totp_confirmed_at is None)


def sign_in_proved(session: Session, person: Person, *, browser: str = "") -> tuple[SignIn, str]:
    """Sign in somebody who just proved their address in the browser that signed them up.

    The caller has seen the mailed link and knows the browser. A second factor is still asked for:
    then the row is half a sign-in, as after a password.
    """
    return _start(session, person, browser, complete=person.totp_confirmed_at is None)


def _start(session: Session, person: Person, browser: str, *, complete: bool) -> tuple[SignIn, str]:
    organisations = queries.belongings(session, person.id)
    plain = new_token("mks")
    now = clock.now()
    row = SignIn(
        id=new_id(),
        person_id=person.id,
        organisation_id=organisations[0].organisation_id
        if organisations and not person.is_specialist
        else None,
        token_hash=token_hash(plain),
        browser=" ".join(browser.split())[:200],
        created_at=now,
        completed_at=now if complete else None,
        last_seen_at=now,
    )
    session.add(row)
    if complete:
        audit.record(session, _self(person), "signed in", row.id)
    return row, plain


def _self(person: Person) -> Actor:
    return queries.actor_for(person, (), None)


def half_signed_in(session: Session, token: str) -> SignIn:
    """The half sign-in that waits for its second factor; SignInNeeded when there is none."""
    row = session.scalar(
        select(SignIn)
        .where(SignIn.token_hash == token_hash(token))
        .where(SignIn.completed_at.is_(None), SignIn.ended_at.is_(None))
        .where(SignIn.created_at > clock.now() - timedelta(minutes=HALF_SIGNED_IN_MINUTES))
    )
    if row is None:
        raise SignInNeeded("The sign-in took too long. Start again with your password.")
    return row


def complete_sign_in(session: Session, row: SignIn) -> str:
    """Complete a half sign-in once its second factor was checked; a new token for the cookie."""
    plain = new_token("mks")
    row.token_hash, row.completed_at, row.last_seen_at = token_hash(plain), clock.now(), clock.now()
    person = queries.active_person(session, row.person_id)
    audit.record(session, _self(person), "signed in", row.id, second_factor=True)
    return plain


def visitor_of_sign_in(session: Session, token: str) -> Visitor | None:
    """Who holds this cookie; None when it is unknown, ended, idle or too old.

    The time it was last seen is written at most once a minute.
    """
    found = session.execute(
        select(SignIn, Person)
        .join(Person, Person.id == SignIn.person_id)
        .where(SignIn.token_hash == token_hash(token), SignIn.ended_at.is_(None))
        .where(SignIn.completed_at.is_not(None), Person.state == PersonState.ACTIVE)
    ).first()
    if found is None:
        return None
    row, person = found
    organisations = queries.belongings(session, person.id)
    staff, now = queries.is_staff(organisations), clock.now()
    if not sign_in_is_live(
        staff=staff, created_at=row.created_at, last_seen_at=row.last_seen_at, now=now
    ):
        return None
    if now - row.last_seen_at > SEEN_EVERY:
        row.last_seen_at = now
    actor = queries.actor_for(person, organisations, row.organisation_id)
    return queries.visitor_of(person, organisations, actor, row.id)


def act_for(session: Session, visitor: Visitor, organisation_id: UUID | None) -> None:
    """Let this sign-in act for an organisation of the person's, or (None) for themselves.

    Missing when the person has no role there.
    """
    row = _own_sign_in(session, visitor.actor, visitor.sign_in_id)
    known = {one.organisation_id for one in queries.belongings(session, visitor.person_id)}
    if organisation_id is None:
        if not visitor.is_specialist:
            raise Missing("You have no work of your own here; choose an organisation.")
    elif organisation_id not in known:
        raise Missing("You are not a member of this organisation.")
    row.organisation_id = organisation_id


def end_sign_in(session: Session, actor: Actor, sign_in_id: UUID | None) -> None:
    """End one of the actor's own sign-ins; Missing for anyone else's."""
    row = _own_sign_in(session, actor, sign_in_id)
    if row.ended_at is None:
        row.ended_at = clock.now()
        audit.record(session, actor, "signed out", row.id)


def end_all_sign_ins(session: Session, person_id: UUID, *, but: UUID | None = None) -> None:
    """End every sign-in of a person, except perhaps the one in use."""
    rows = update(SignIn).where(SignIn.person_id == person_id, SignIn.ended_at.is_(None))
    if but is not None:
        rows = rows.where(SignIn.id != but)
    session.execute(rows.values(ended_at=clock.now()))


def _own_sign_in(session: Session, actor: Actor, sign_in_id: UUID | None) -> SignIn:
    row = session.get(SignIn, sign_in_id) if sign_in_id else None
    if row is None or row.person_id != actor.person():
        raise Missing("This sign-in is not there.")
    return row
