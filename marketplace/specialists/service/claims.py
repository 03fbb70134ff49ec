"""Claiming a credential, what can be checked about it without asking anyone, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.secrets import keyed_hash
from marketplace.specialists.models import (
    CredentialCase,
    CredentialClaim,
    CredentialProposal,
    CredentialRenewal,
)
from marketplace.specialists.queries.catalogue import catalogue, known_type
from marketplace.specialists.rules import (
    CaseKind,
    CredentialState,
    CredentialType,
    Verdict,
    check_identifier,
    credential_type,
)
from marketplace.specialists.rules.catalogue import clean_jurisdiction, clean_specialties
from marketplace.specialists.rules.checks import normal_form
from marketplace.specialists.rules.lifecycle import FREE, HOLDING, UNDECIDED
from marketplace.specialists.service.screening import screen_later
from marketplace.specialists.service.steps import locked_claim, record_run, set_state, trace

HASH_PURPOSE = "credential-identifier"
VALID_YEARS_MAX = 15
# Claims of one person that may be undecided at once; nobody honest holds so many.
OPEN_MAX = 20


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

    Raises Faulty for an identifier that cannot be right; Conflict for one that the actor claimed
    before, and while twenty others wait for a decision. One that another account holds is stored
    as `blocked`, with a case for operations.
    """
    actor.require(Permission.CREDENTIALS_CLAIM)
    known = catalogue(session)
    kind = credential_type(known, type)
    place = clean_jurisdiction(kind, jurisdiction)
    check_identifier(kind, place, identifier)
    _refuse_day(valid_until)
    listed = clean_specialties(known.professions[kind.profession], specialties)
    wanted = _drafted(
        actor.person(),
        kind,
        place,
        identifier.strip(),
        specialties=listed,
        valid_until=valid_until,
    )
    claim = _stored(session, wanted)
    _refuse_many(session, claim.person_id)
    trace(session, actor, claim)
    if claim.state is CredentialState.CLAIMED:
        run_checks(session, claim.id)
        outbox.enqueue(session, "specialists.verify", claim_id=claim.id)
        screen_later(session, claim.person_id)
    return claim


def _refuse_day(valid_until: date | None) -> None:
    today = clock.now().date()
    if valid_until is not None and valid_until < today:
        fault = Fault("/valid_until", "This day has passed. Renew the licence, then claim it.")
        raise Faulty("The licence has expired.", [fault])
    if valid_until is not None and valid_until.year > today.year + VALID_YEARS_MAX:
        advice = f"Look at the year: no licence lasts {VALID_YEARS_MAX} years and more."
        raise Faulty("The last day cannot be right.", [Fault("/valid_until", advice)])


def _refuse_many(session: Session, person_id: UUID) -> None:
    """Each claim takes a person's time, and keeps its identifier from others meanwhile."""
    open_ones = select(func.count()).where(
        CredentialClaim.person_id == person_id, CredentialClaim.state.in_(UNDECIDED)
    )
    if (session.scalar(open_ones) or 0) > OPEN_MAX:
        raise Conflict(
            f"{OPEN_MAX} claims of yours are being looked at. Wait for some, or take one back."
        )


def run_checks(session: Session, claim_id: UUID) -> Verdict:
    """Run the checks that need nobody else, keep what they found, and hand over to a person."""
    claim = locked_claim(session, claim_id)
    if claim.identifier is None:
        raise Conflict("The identifier was erased; there is nothing to check.")
    kind = known_type(session, claim.type)
    verdict = check_identifier(kind, claim.jurisdiction, claim.identifier)
    record_run(session, SYSTEM, claim, verdict)
    claim.level = max(claim.level, verdict.level)
    if claim.state is CredentialState.CLAIMED:
        set_state(session, SYSTEM, claim, CredentialState.CHECKING)
    return verdict


def check_anew(session: Session, claim: CredentialClaim) -> None:
    """Have a claim that came back into the queue checked like a new one, lists included."""
    if claim.identifier is not None:
        run_checks(session, claim.id)
    outbox.enqueue(session, "specialists.verify", claim_id=claim.id)
    screen_later(session, claim.person_id)


def withdraw_credential(session: Session, actor: Actor, claim_id: UUID) -> CredentialClaim:
    """Take one's own claim back before a decision; its identifier is free again.

    Raises Conflict once there was a decision: what was decided stays on the record.
    """
    claim = own_claim(session, actor, claim_id)
    if claim.state not in UNDECIDED:
        raise Conflict("This was decided already, so it stays on the record.")
    now = clock.now()
    session.execute(
        update(CredentialProposal)
        .where(CredentialProposal.claim_id == claim.id, CredentialProposal.settled_at.is_(None))
        .values(settled_at=now, agreed=False)
    )
    session.execute(
        update(CredentialRenewal)
        .where(CredentialRenewal.claim_id == claim.id, CredentialRenewal.settled_at.is_(None))
        .values(settled_at=now, granted=False)
    )
    set_state(session, actor, claim, CredentialState.WITHDRAWN, reason="withdrawn")
    return claim


def grant_credential(
    session: Session,
    person_id: UUID,
    *,
    type: str,  # noqa: A002 - the field's own name.
    verdict: Verdict,
    valid_until: date,
    specialties: Sequence[str] = (),
) -> CredentialClaim:
    """Give a person a credential that nobody claims, such as a passed qualification.

    verdict: what it rests on, at the level that it shows (2 to 4). Granted again, it is renewed;
    one that operations suspended or revoked stays as it is, with the verdict on record.
    """
    kind = known_type(session, type)
    listed = clean_specialties(catalogue(session).professions[kind.profession], specialties)
    mark = str(person_id)
    wanted = _drafted(person_id, kind, "", mark, specialties=listed, valid_until=valid_until)
    claim = _granted(session, wanted)
    record_run(session, SYSTEM, claim, verdict)
    if claim.state is CredentialState.CLAIMED:
        set_state(session, SYSTEM, claim, CredentialState.CHECKING)
    if claim.state in {*HOLDING, CredentialState.CHECKING, CredentialState.EXPIRED}:
        claim.level, claim.checked_at = verdict.level, clock.now()
        claim.valid_until, claim.specialties = valid_until, listed
        set_state(session, SYSTEM, claim, CredentialState.VERIFIED)
    return claim


def own_claim(session: Session, actor: Actor, claim_id: UUID) -> CredentialClaim:
    """The actor's own claim, locked; Missing for anybody else's."""
    actor.require(Permission.CREDENTIALS_CLAIM)
    claim = locked_claim(session, claim_id)
    if claim.person_id != actor.person():
        raise Missing("There is no such credential.")
    return claim


def _drafted(
    person_id: UUID,
    kind: CredentialType,
    place: str,
    identifier: str,
    *,
    specialties: list[str],
    valid_until: date | None,
) -> CredentialClaim:
    return CredentialClaim(
        id=new_id(),
        person_id=person_id,
        profession=kind.profession,
        type=kind.key,
        specialties=specialties,
        jurisdiction=place,
        identifier=identifier,
        identifier_hash=keyed_hash(HASH_PURPOSE, normal_form(kind, place, identifier)),
        valid_until=valid_until,
    )


def _granted(session: Session, wanted: CredentialClaim) -> CredentialClaim:
    """The claim that the person has of this type, or a new one."""
    stored = _insert(session, wanted, CredentialState.CLAIMED)
    if stored is not None:
        trace(session, SYSTEM, stored)
        return stored
    return _holder(session, wanted)


def _stored(session: Session, claim: CredentialClaim) -> CredentialClaim:
    """The claim, stored; blocked where someone else holds the identifier."""
    stored = _insert(session, claim, CredentialState.CLAIMED)
    if stored is not None:
        return stored
    holder = _holder(session, claim)
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


def _holder(session: Session, claim: CredentialClaim) -> CredentialClaim:
    """The row that stands in the way, locked, so that it is still the holder's afterwards."""
    return session.scalars(
        select(CredentialClaim)
        .where(
            CredentialClaim.type == claim.type,
            CredentialClaim.jurisdiction == claim.jurisdiction,
            CredentialClaim.identifier_hash == claim.identifier_hash,
            CredentialClaim.state.not_in(FREE),
        )
        .with_for_update(key_share=True)
    ).one()


def _claimed_before(session: Session, claim: CredentialClaim) -> bool:
    own = select(CredentialClaim.id).where(
        CredentialClaim.person_id == claim.person_id,
        CredentialClaim.type == claim.type,
        CredentialClaim.jurisdiction == claim.jurisdiction,
        CredentialClaim.identifier_hash == claim.identifier_hash,
        CredentialClaim.state != CredentialState.WITHDRAWN,
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
