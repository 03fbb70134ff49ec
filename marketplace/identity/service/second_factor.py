"""The second factor: time-based codes (RFC 6238), none accepted twice, and recovery codes."""

from __future__ import annotations

import secrets as entropy
from base64 import b32encode
from uuid import UUID

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing, Refused
from marketplace.identity import queries, rules
from marketplace.identity.models import Person, RecoveryCode
from marketplace.ids import new_id
from marketplace.secrets import token_hash

ISSUER = "Marketplace"
# One step to either side forgives a clock that is 30 seconds off.
WINDOW_STEPS = 1
STEP_SECONDS = 30


class WrongCode(Faulty):
    """The code is wrong, too old, or was used already."""

    code = "wrong_code"


class TotpNeeded(Refused):
    """This step asks for a second factor, and the person has none."""

    code = "totp_needed"


def start_totp(session: Session, actor: Actor) -> tuple[str, str]:
    """A new secret that waits for its first code; the secret and its otpauth:// address.

    Conflict while a second factor is on: stop it first.
    """
    person = _locked(session, actor.person())
    if person.totp_confirmed_at is not None:
        raise Conflict("Your second factor is on already.")
    if person.totp_secret is None:
        person.totp_secret = pyotp.random_base32()
    return person.totp_secret, _totp(person).provisioning_uri(name=person.email, issuer_name=ISSUER)


def confirm_totp(session: Session, actor: Actor, code: str) -> list[str]:
    """Turn the second factor on with a first code; the recovery codes, shown this once."""
    person = _locked(session, actor.person())
    if person.totp_secret is None or person.totp_confirmed_at is not None:
        raise Conflict("Start again: there is no secret that waits for its first code.")
    _accept(person, code)
    person.totp_confirmed_at = clock.now()
    audit.record(session, actor, "turned second factor on", person.id)
    return _make_codes(session, person.id)


def stop_totp(session: Session, actor: Actor, code: str) -> None:
    """Turn the second factor off, with a last code or a recovery code."""
    check_second_factor(session, actor.person(), code)
    person = _locked(session, actor.person())
    person.totp_secret = person.totp_confirmed_at = person.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    audit.record(session, actor, "turned second factor off", person.id)


def new_recovery_codes(session: Session, actor: Actor, code: str) -> list[str]:
    """Ten new recovery codes instead of the old ones, for a present code."""
    check_totp(session, actor.person(), code)
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == actor.person()))
    audit.record(session, actor, "made recovery codes", actor.person())
    return _make_codes(session, actor.person())


def check_totp(session: Session, person_id: UUID, code: str) -> None:
    """Step-up: accept a present code once, in the transaction of the deed.

    TotpNeeded when the person has no second factor; WrongCode when it is wrong, too old or used.
    A recovery code does not do: it replaces a lost device at sign-in only.
    """
    person = _locked(session, person_id)
    if person.totp_confirmed_at is None:
        raise TotpNeeded("Turn on your second factor first, under Account.")
    _accept(person, code)


def check_second_factor(session: Session, person_id: UUID, code: str) -> None:
    """As `check_totp`, and a recovery code will do as well, once."""
    plain = "".join(code.split()).replace("-", "").upper()
    if len(plain) == 6:
        check_totp(session, person_id, plain)
        return
    row = session.scalar(
        select(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
        .where(RecoveryCode.code_hash == _code_hash(person_id, plain))
        .with_for_update()
    )
    if row is None:
        raise _wrong()
    row.used_at = clock.now()
    person = session.get_one(Person, person_id)
    actor = queries.actor_for(person, (), None)
    audit.record(session, actor, "used recovery code", person_id)


def _locked(session: Session, person_id: UUID) -> Person:
    """The person's row, held so that two browsers cannot use one code at once."""
    person = session.scalar(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if person is None:
        raise Missing("This person is not there.")
    return person


def _totp(person: Person) -> pyotp.TOTP:
    return pyotp.TOTP(person.totp_secret or "", interval=STEP_SECONDS)


def _accept(person: Person, code: str) -> None:
    """Take the code when it belongs to a step near now that is later than the last one used."""
    plain = "".join(code.split())
    totp = _totp(person)
    now = totp.timecode(clock.now())
    for step in range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1):
        fits = entropy.compare_digest(totp.generate_otp(step).encode(), plain.encode())
        if fits and step > (person.totp_last_step or 0):
            person.totp_last_step = step
            return
    raise _wrong()


def _wrong() -> WrongCode:
    fault = Fault("/code", "Wait for the next code in your app, then type that one.")
    return WrongCode("The code is wrong or was used already.", [fault])


def _make_codes(session: Session, person_id: UUID) -> list[str]:
    codes = [_new_code() for _ in range(rules.RECOVERY_CODES)]
    for code in codes:
        session.add(
            RecoveryCode(
                id=new_id(),
                person_id=person_id,
                code_hash=_code_hash(person_id, code.replace("-", "")),
            )
        )
    return codes


def _new_code() -> str:
    """80 random bits as four groups of four letters."""
    letters = b32encode(entropy.token_bytes(10)).decode()
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def _code_hash(person_id: UUID, code: str) -> bytes:
    return token_hash(f"{person_id}:{code}")
