"""Households that people declare, and the browsers that they sign in with."""

from __future__ import annotations

import secrets as entropy
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.secrets import keyed_hash
from marketplace.specialists.models import PersonLink
from marketplace.specialists.rules.links import (
    ALPHABET,
    CODE_LETTERS,
    LinkKind,
    household_code,
    plain_code,
)

DEVICES_MAX = 20


def found_household(session: Session, actor: Actor) -> str:
    """Begin a household; the code to share with who lives there. It is shown once, kept hashed."""
    actor.require(Permission.WORK_DO)
    code = household_code([entropy.choice(ALPHABET) for _ in range(CODE_LETTERS)])
    _join(session, actor, keyed_hash("household", plain_code(code)))
    return code


def declare_household(session: Session, actor: Actor, code: str) -> None:
    """Say that one lives with whoever began the household; Faulty for a code that nobody has."""
    actor.require(Permission.WORK_DO)
    mark = keyed_hash("household", plain_code(code))
    known = select(PersonLink.person_id).where(
        PersonLink.kind == LinkKind.HOUSEHOLD, PersonLink.link_hash == mark
    )
    if session.scalar(known.limit(1)) is None:
        advice = "Nobody has this code. Ask for it again, or begin a household of your own."
        raise Faulty("The household is not known.", [Fault("/code", advice)])
    _join(session, actor, mark)


def leave_household(session: Session, actor: Actor) -> None:
    """Say that one lives with none of them any more."""
    actor.require(Permission.WORK_DO)
    own = delete(PersonLink).where(
        PersonLink.person_id == actor.person(), PersonLink.kind == LinkKind.HOUSEHOLD
    )
    session.execute(own)
    audit.record(session, actor, "left household", actor.person())


def _join(session: Session, actor: Actor, mark: bytes) -> None:
    own = delete(PersonLink).where(
        PersonLink.person_id == actor.person(), PersonLink.kind == LinkKind.HOUSEHOLD
    )
    session.execute(own)  # One household at a time.
    _mark(session, actor.person(), LinkKind.HOUSEHOLD, mark)
    audit.record(session, actor, "declared household", actor.person())


def seen_device(session: Session, person_id: UUID, cookie: str) -> None:
    """Remember that a person signed in with the browser that carries this random cookie.

    The twenty that were used last are kept.
    """
    _mark(session, person_id, LinkKind.DEVICE, keyed_hash("device", cookie))
    older = (
        select(PersonLink.link_hash)
        .where(PersonLink.person_id == person_id, PersonLink.kind == LinkKind.DEVICE)
        .order_by(PersonLink.linked_at.desc(), PersonLink.link_hash)
        .offset(DEVICES_MAX)
    )
    session.execute(
        delete(PersonLink).where(
            PersonLink.person_id == person_id,
            PersonLink.kind == LinkKind.DEVICE,
            PersonLink.link_hash.in_(older),
        )
    )


def _mark(session: Session, person_id: UUID, kind: LinkKind, mark: bytes) -> None:
    seen = {"person_id": person_id, "kind": kind, "link_hash": mark, "linked_at": clock.now()}
    again = insert(PersonLink).values(seen)
    session.execute(
        again.on_conflict_do_update(
            index_elements=["person_id", "kind", "link_hash"],
            set_={"linked_at": func.greatest(PersonLink.linked_at, again.excluded.linked_at)},
        )
    )
