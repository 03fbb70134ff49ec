"""Specialties that a holder earned after the decision: asked for beside what stands, and shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.specialists.models import CredentialAmendment, CredentialClaim
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import HOLDING, Refusal
from marketplace.specialists.rules.catalogue import clean_specialties
from marketplace.specialists.service.claims import own_claim
from marketplace.specialists.service.renewals import refusal_of
from marketplace.specialists.service.steps import locked_claim, trace


def amend_credential(
    session: Session, actor: Actor, claim_id: UUID, *, specialties: Sequence[str]
) -> CredentialAmendment:
    """Ask for specialties beside those that a credential of one's own covers.

    They are checked as a claim is, by its register or by people; the credential holds meanwhile as
    it did. Raises Faulty at /specialties for none, or for one that it covers; Conflict for a
    credential that does not hold, and while somebody looks at others.
    """
    claim = own_claim(session, actor, claim_id)
    if claim.state not in HOLDING:
        raise Conflict("Specialties are added to a credential that holds. This one does not now.")
    if open_amendment(session, claim.id) is not None:
        raise Conflict("You asked for specialties already; somebody looks at it.")
    wanted = clean_specialties(catalogue(session).professions[claim.profession], specialties)
    if not wanted or set(wanted) & set(claim.specialties):
        fault = Fault("/specialties", "Choose specialties that this credential does not cover yet.")
        raise Faulty("There is nothing to add.", [fault])
    amendment = CredentialAmendment(
        id=new_id(), claim_id=claim.id, specialties=wanted, asked_at=clock.now()
    )
    session.add(amendment)
    session.flush()  # The unique index speaks here, beside the cause.
    audit.record(session, actor, "asked to add specialties", claim.id, specialties=wanted)
    outbox.enqueue(session, "specialists.verify", claim_id=claim.id)
    return amendment


def take_back_amendment(session: Session, actor: Actor, claim_id: UUID) -> CredentialClaim:
    """Ask for the specialties no more; Conflict where none wait."""
    claim = own_claim(session, actor, claim_id)
    amendment = _waiting(session, claim)
    _settle(session, actor, amendment, (), Refusal.TAKEN_BACK)
    audit.record(session, actor, "took back specialties asked for", claim.id)
    return claim


def refuse_amendment(
    session: Session, actor: Actor, claim_id: UUID, *, refusal: Refusal | str
) -> CredentialClaim:
    """Say that nothing shows the specialties asked for; what holds, holds as it did.

    refusal: why, which its holder reads. Raises Conflict where none wait; Denied for one's own.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied("Nobody decides on their own credential. Ask a colleague.")
    amendment, why = _waiting(session, claim), refusal_of(refusal)
    _settle(session, actor, amendment, (), why)
    audit.record(session, actor, "refused to add specialties", claim.id, refusal=why.value)
    return claim


def shown_specialties(
    session: Session, claim: CredentialClaim, shown: Collection[str]
) -> list[str]:
    """Those of the open amendment that somebody says the source shows, in its order.

    Raises Faulty at /specialties for others than were asked for.
    """
    amendment = open_amendment(session, claim.id) if shown else None
    asked = amendment.specialties if amendment is not None else []
    if not set(shown) <= set(asked):
        fault = Fault("/specialties", "Only specialties that the holder asked for are added.")
        raise Faulty("The decision cannot be taken like this.", [fault])
    return [each for each in asked if each in set(shown)]


def grant_amendment(
    session: Session, actor: Actor, claim: CredentialClaim, shown: Collection[str]
) -> None:
    """Add what was shown, and settle what was asked; nothing happens where nothing was shown."""
    amendment = open_amendment(session, claim.id) if shown else None
    if amendment is None:
        return
    granted = [each for each in amendment.specialties if each in set(shown)]
    fresh = [each for each in granted if each not in claim.specialties]
    claim.specialties = [*claim.specialties, *fresh]
    rest = len(granted) < len(amendment.specialties)
    _settle(session, actor, amendment, granted, Refusal.NOT_SHOWN if rest else None)
    audit.record(session, actor, "added specialties", claim.id, specialties=granted)


def settle_by_register(session: Session, actor: Actor, claim: CredentialClaim) -> None:
    """Settle what was asked where the credential's register turned out to list all of it."""
    amendment = open_amendment(session, claim.id)
    if amendment is not None and set(amendment.specialties) <= set(claim.specialties):
        _settle(session, actor, amendment, amendment.specialties, None)
        trace(session, actor, claim)


def drop_amendment(session: Session, actor: Actor, claim_id: UUID) -> None:
    """Settle what was asked for a credential that ended; nothing happens where nothing was."""
    amendment = open_amendment(session, claim_id)
    if amendment is not None:
        _settle(session, actor, amendment, (), Refusal.NOT_SHOWN)


def open_amendment(session: Session, claim_id: UUID) -> CredentialAmendment | None:
    """The specialties that nobody has looked at yet, locked."""
    waiting = select(CredentialAmendment).where(
        CredentialAmendment.claim_id == claim_id, CredentialAmendment.settled_at.is_(None)
    )
    return session.scalar(waiting.with_for_update())


def _waiting(session: Session, claim: CredentialClaim) -> CredentialAmendment:
    amendment = open_amendment(session, claim.id)
    if amendment is None:
        raise Conflict("No specialties wait here to be added.")
    return amendment


def _settle(
    session: Session,
    actor: Actor,
    amendment: CredentialAmendment,
    granted: Sequence[str],
    refusal: Refusal | None,
) -> None:
    amendment.settled_at, amendment.settled_by = clock.now(), actor.person_id
    amendment.granted, amendment.refusal = list(granted), refusal
    session.flush()
