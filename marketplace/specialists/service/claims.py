"""Claiming a credential, and what can be checked about it without asking anyone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.secrets import keyed_hash
from marketplace.specialists.models import CredentialCase, CredentialClaim
from marketplace.specialists.rules import (
    CaseKind,
    CredentialState,
    Verdict,
    check_identifier,
    credential_type,
)
from marketplace.specialists.rules.catalogue import clean_jurisdiction, clean_specialties
from marketplace.specialists.rules.checks import normal_form
from marketplace.specialists.service.steps import locked_claim, record_run, set_state, trace

HASH_PURPOSE = "credential-identifier"


def claim_credential(
    session: Session,
    actor: Actor,
    *,
    type: str,  # noqa: A002 - the field's own name.
    identifier: str,
    jurisdiction: str = "",
    specialties: Sequence[str] = (),
    valid_until: date | None = None,
) -> CredentialClaim:
    """Say that the actor holds a credential; what can be checked offline is checked at once.

    Raises Faulty for an identifier that cannot be right, Conflict for one that the actor claimed
    before. One that another account holds is stored as `blocked`, with a case for operations.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    kind = credential_type(type)
    place = clean_jurisdiction(kind, jurisdiction)
    check_identifier(kind, place, identifier)
    if valid_until is not None and valid_until < clock.now().date():
        fault = Fault("/valid_until", "This day has passed. Renew the licence, then claim it.")
        raise Faulty("The licence has expired.", [fault])
    claim = _stored(
        session,
        CredentialClaim(
            id=new_id(),
            person_id=actor.person(),
            profession=kind.profession,
            type=kind.key,
            specialties=clean_specialties(kind.profession, list(specialties)),
            jurisdiction=place,
            identifier=identifier.strip(),
            identifier_hash=keyed_hash(HASH_PURPOSE, normal_form(kind, place, identifier)),
            valid_until=valid_until,
        ),
    )
    trace(session, actor, claim)
    if claim.state is CredentialState.CLAIMED:
        run_checks(session, claim.id)
    return claim


def run_checks(session: Session, claim_id: UUID) -> Verdict:
    """Run the checks that need nobody else, keep what they found, and hand over to a person."""
    claim = locked_claim(session, claim_id)
    if claim.identifier is None:
        raise Conflict("The identifier was erased; there is nothing to check.")
    kind = credential_type(claim.type)
    verdict = check_identifier(kind, claim.jurisdiction, claim.identifier)
    record_run(session, SYSTEM, claim, verdict)
    claim.level = max(claim.level, verdict.level)
    if claim.state is CredentialState.CLAIMED:
        set_state(session, SYSTEM, claim, CredentialState.CHECKING)
    return verdict


def _stored(session: Session, claim: CredentialClaim) -> CredentialClaim:
    """The claim, stored; blocked where someone else holds the identifier."""
    stored = _insert(session, claim, CredentialState.CLAIMED)
    if stored is not None:
        return stored
    # The row that stands in the way is locked, so that it is still the holder's afterwards.
    holder = session.scalars(
        select(CredentialClaim)
        .where(
            CredentialClaim.type == claim.type,
            CredentialClaim.jurisdiction == claim.jurisdiction,
            CredentialClaim.identifier_hash == claim.identifier_hash,
            CredentialClaim.state != CredentialState.BLOCKED,
        )
        .with_for_update(key_share=True)
    ).one()
    if holder.person_id == claim.person_id or _claimed_before(session, claim):
        raise Conflict("You claimed this credential before; look at it in your list.")
    blocked = _insert(session, claim, CredentialState.BLOCKED)
    assert blocked is not None  # noqa: S101 - the unique index leaves blocked ones out.
    session.add(
        CredentialCase(
            id=new_id(),
            kind=CaseKind.SAME_IDENTIFIER,
            claim_id=blocked.id,
            other_claim_id=holder.id,
            opened_at=clock.now(),
        )
    )
    return blocked


def _claimed_before(session: Session, claim: CredentialClaim) -> bool:
    own = select(CredentialClaim.id).where(
        CredentialClaim.person_id == claim.person_id,
        CredentialClaim.type == claim.type,
        CredentialClaim.jurisdiction == claim.jurisdiction,
        CredentialClaim.identifier_hash == claim.identifier_hash,
    )
    return session.scalar(own.limit(1)) is not None


def _insert(
    session: Session, claim: CredentialClaim, state: CredentialState
) -> CredentialClaim | None:
    """The row, or None where the unique index says that the identifier is taken."""
    row = insert(CredentialClaim).values(
        id=claim.id,
        person_id=claim.person_id,
        profession=claim.profession,
        type=claim.type,
        specialties=claim.specialties,
        jurisdiction=claim.jurisdiction,
        identifier=claim.identifier,
        identifier_hash=claim.identifier_hash,
        state=state,
        reason="identifier_taken" if state is CredentialState.BLOCKED else None,
        level=0,
        valid_until=claim.valid_until,
        created_at=clock.now(),
    )
    return session.scalar(row.on_conflict_do_nothing().returning(CredentialClaim))
