"""People: signing up, proving an address, passwords, profile."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Fault, Faulty, Refused
from marketplace.identity import queries, rules
from marketplace.identity.models import (
    Membership,
    OneTimeToken,
    Organisation,
    Person,
)
from marketplace.identity.rules import (
    OrganisationKind,
    OrganisationState,
    PersonState,
    Purpose,
    Role,
)
from marketplace.identity.service.sign_ins import end_all_sign_ins, hash_password, password_fits
from marketplace.ids import new_id
from marketplace.secrets import new_token, token_hash

LASTS = {
    Purpose.VERIFY_EMAIL: timedelta(hours=rules.VERIFY_HOURS),
    Purpose.RESET_PASSWORD: timedelta(minutes=rules.RESET_MINUTES),
}


class LinkGone(Refused):
    """The mailed link was used, has expired, or was never ours."""

    code = "link_gone"


def sign_up(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    kind: str,
    organisation_name: str = "",
    timezone: str = "UTC",
) -> Person | None:
    """A new person, as a `specialist`, or as the owner of a new `lab`; a link is mailed.

    None when the address belongs to someone already: they get a mail, the caller learns nothing.
    Faulty for what cannot be used.
    """
    if kind not in {"lab", "specialist"}:
        raise Faulty("Say who you are.", [Fault("/kind", "Choose a lab or a specialist.")])
    lab_name = (
        rules.clean_name(organisation_name, pointer="/organisation_name") if kind == "lab" else ""
    )
    person = add_person(
        session,
        email=email,
        name=name,
        password=password,
        timezone=timezone,
        is_specialist=kind == "specialist",
    )
    if person is None:
        mail.send(session, to=rules.clean_email(email), template="already_here")
        return None
    if lab_name:
        found_organisation(session, person, OrganisationKind.LAB, lab_name, Role.OWNER)
    send_verification(session, person.id)
    return person


def add_person(
    session: Session, *, email: str, name: str, password: str, timezone: str, is_specialist: bool
) -> Person | None:
    """The row of a new person, or None when the address is taken; takes as long either way."""
    address = rules.clean_email(email)
    cleaned = rules.clean_name(name)
    rules.check_password(password, email=address)
    row = insert(Person).values(
        id=new_id(),
        email=address,
        name=cleaned,
        password_hash=hash_password(password),
        timezone=rules.clean_zone(timezone),
        state=PersonState.ACTIVE,
        is_specialist=is_specialist,
        created_at=clock.now(),
    )
    person_id = session.scalar(
        row.on_conflict_do_nothing(index_elements=["email"]).returning(Person.id)
    )
    if person_id is None:
        return None
    person = session.get_one(Person, person_id)
    audit.record(session, _self(person), "signed up", person.id)
    return person


def found_organisation(
    session: Session, person: Person, kind: OrganisationKind, name: str, role: Role
) -> Organisation:
    """A new organisation with its first member."""
    organisation = Organisation(
        id=new_id(),
        kind=kind,
        name=name,
        state=OrganisationState.ACTIVE,
        created_at=clock.now(),
    )
    session.add(organisation)
    session.flush()  # The membership refers to it.
    session.add(
        Membership(
            person_id=person.id,
            organisation_id=organisation.id,
            role=role,
            created_at=clock.now(),
        )
    )
    audit.record(session, _self(person), "founded organisation", organisation.id, kind=kind.value)
    return organisation


def register_verified(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    is_specialist: bool = False,
    lab_name: str = "",
    timezone: str = "UTC",
) -> Person:
    """Whoever runs this installation vouches for an address: for its commands only.

    lab_name: also found a lab that the person owns. Refused when the address is taken.
    """
    person = add_person(
        session,
        email=email,
        name=name,
        password=password,
        timezone=timezone,
        is_specialist=is_specialist,
    )
    if person is None:
        raise Refused("Someone has this e-mail address already.", code="email_taken")
    person.email_verified_at = clock.now()
    if lab_name:
        cleaned = rules.clean_name(lab_name, pointer="/organisation_name")
        found_organisation(session, person, OrganisationKind.LAB, cleaned, Role.OWNER)
    audit.record(session, SYSTEM, "vouched for address", person.id)
    return person


def found_platform(session: Session, person: Person, roles: frozenset[Role]) -> Organisation:
    """Give a person roles on the platform, founding it when it is not there: for commands only."""
    allowed = set(rules.ROLES_IN[OrganisationKind.PLATFORM])
    if not roles <= allowed:
        raise Faulty("These are not roles of the platform.", [Fault("/roles", ", ".join(allowed))])
    organisation = queries.platform(session)
    if organisation is None:
        organisation = found_organisation(
            session, person, OrganisationKind.PLATFORM, "Platform", Role.ADMINISTRATOR
        )
        session.flush()  # The first role is among those held below.
    held = set(
        session.scalars(
            select(Membership.role).where(
                Membership.person_id == person.id, Membership.organisation_id == organisation.id
            )
        )
    )
    for role in sorted(roles - held):
        session.add(
            Membership(
                person_id=person.id,
                organisation_id=organisation.id,
                role=role,
                created_at=clock.now(),
            )
        )
    audit.record(session, SYSTEM, "gave roles", person.id, roles=sorted(roles))
    return organisation


def send_verification(session: Session, person_id: UUID) -> None:
    """Mail the link that proves the address; nothing happens when it is proved already."""
    person = queries.active_person(session, person_id)
    if person.email_verified_at is None:
        link = _mailed_token(session, person, Purpose.VERIFY_EMAIL)
        mail.send(session, to=person.email, template="verify_email", name=person.name, token=link)


def verify_email(session: Session, token: str) -> Person:
    """Prove the address with the mailed token; LinkGone when it is used or too old."""
    person = _used(session, token, Purpose.VERIFY_EMAIL)
    if person.email_verified_at is None:
        person.email_verified_at = clock.now()
        audit.record(session, _self(person), "verified address", person.id)
    return person


def ask_for_reset(session: Session, email: str) -> None:
    """Mail a link for a new password, if the address is known; the caller learns nothing."""
    person = queries.person_by_email(session, rules.clean_email(email))
    if person is not None and person.state is PersonState.ACTIVE:
        link = _mailed_token(session, person, Purpose.RESET_PASSWORD)
        mail.send(session, to=person.email, template="reset_password", name=person.name, token=link)


def check_link(session: Session, token: str, purpose: Purpose) -> Person:
    """Whose link this is, without using it; LinkGone when it is used or too old."""
    return _row_of(session, token, purpose)[1]


def reset_password(session: Session, token: str, password: str) -> Person:
    """A new password by the mailed token; all sign-ins end, and the address is proved by it."""
    row, person = _row_of(session, token, Purpose.RESET_PASSWORD)
    rules.check_password(password, email=person.email)
    row.used_at = clock.now()
    _withdraw_links(session, person.id, Purpose.RESET_PASSWORD)
    person.password_hash = hash_password(password)
    person.email_verified_at = person.email_verified_at or clock.now()
    end_all_sign_ins(session, person.id)
    audit.record(session, _self(person), "reset password", person.id)
    mail.send(session, to=person.email, template="password_changed", name=person.name)
    return person


def change_password(
    session: Session, actor: Actor, *, current: str, password: str, kept: UUID | None
) -> None:
    """A new password by who knows the old one; all sign-ins end but `kept`."""
    person = queries.person_of(session, actor)
    if not password_fits(person, current):
        fault = Fault("/current_password", "This is not your present password.")
        raise Faulty("The present password is not right.", [fault])
    rules.check_password(password, email=person.email)
    person.password_hash = hash_password(password)
    end_all_sign_ins(session, person.id, but=kept)
    audit.record(session, actor, "changed password", person.id)
    mail.send(session, to=person.email, template="password_changed", name=person.name)


def change_profile(session: Session, actor: Actor, *, name: str, timezone: str) -> None:
    """The name and the zone that times are shown in."""
    person = queries.person_of(session, actor)
    person.name, person.timezone = rules.clean_name(name), rules.clean_zone(timezone)
    audit.record(session, actor, "changed profile", person.id)


def _mailed_token(session: Session, person: Person, purpose: Purpose) -> str:
    plain = new_token("mkl")
    session.add(
        OneTimeToken(
            id=new_id(),
            person_id=person.id,
            purpose=purpose,
            token_hash=token_hash(plain),
            created_at=clock.now(),
            expires_at=clock.now() + LASTS[purpose],
        )
    )
    return plain


def _row_of(session: Session, token: str, purpose: Purpose) -> tuple[OneTimeToken, Person]:
    """The unused row of a mailed token, locked so that it is used once, and its person."""
    row = session.scalar(
        select(OneTimeToken)
        .where(OneTimeToken.token_hash == token_hash(token), OneTimeToken.purpose == purpose)
        .where(OneTimeToken.used_at.is_(None), OneTimeToken.expires_at > clock.now())
        .with_for_update()
    )
    if row is None:
        raise LinkGone("This link was used or has expired. Ask for a new one.")
    return row, queries.active_person(session, row.person_id)


def _used(session: Session, token: str, purpose: Purpose) -> Person:
    row, person = _row_of(session, token, purpose)
    row.used_at = clock.now()
    return person


def _withdraw_links(session: Session, person_id: UUID, purpose: Purpose) -> None:
    waiting = update(OneTimeToken).where(
        OneTimeToken.person_id == person_id,
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
    )
    session.execute(waiting.values(used_at=clock.now()))


def _self(person: Person) -> Actor:
    return queries.actor_for(person, (), None)
