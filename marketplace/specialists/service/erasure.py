"""What is personal in credentials and profiles, emptied; what was decided and when stays."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import Actor
from marketplace.specialists.models import (
    Accommodation,
    CredentialCase,
    CredentialClaim,
    CredentialProposal,
    EvidenceFile,
    GithubConnection,
    IdentityCheck,
    ListScreening,
    OnboardingStep,
    PersonLink,
    SanctionHit,
    SpecialistProfile,
    VerificationEvidence,
    VerificationRun,
)
from marketplace.specialists.rules import CredentialState
from marketplace.specialists.rules.identity import IdentityState
from marketplace.specialists.rules.lifecycle import UNDECIDED
from marketplace.specialists.rules.lists import HitState
from marketplace.specialists.service.amendments import drop_amendment
from marketplace.specialists.service.renewals import settle_renewal
from marketplace.specialists.service.steps import set_state

ERASED = "erased"
_S = CredentialState


def matters_open(session: Session, person_id: UUID) -> list[str]:
    """What somebody has yet to settle about a person, as sentences; empty where nothing is."""
    claims = select(CredentialClaim.id).where(CredentialClaim.person_id == person_id)
    case = select(CredentialCase.id).where(
        CredentialCase.closed_at.is_(None),
        CredentialCase.claim_id.in_(claims) | CredentialCase.other_claim_id.in_(claims),
    )
    hits = select(SanctionHit.state).where(
        SanctionHit.person_id == person_id,
        SanctionHit.state.in_([HitState.OPEN, HitState.CONFIRMED]),
    )
    found = []
    if session.scalar(case.limit(1)) is not None:
        found.append("A case about one of their identifiers is open; settle it first.")
    states = set(session.scalars(hits))
    if HitState.OPEN in states:
        found.append("A hit on a published list is open; clear or confirm it first.")
    if HitState.CONFIRMED in states:
        found.append(
            "A hit on a published list was confirmed. Its record has to be kept; ask whoever "
            "answers for sanctions."
        )
    return found


def erase_specialist(session: Session, actor: Actor, person_id: UUID) -> None:
    """Empty what is personal; credentials end, evidence files are destroyed.

    What each credential was, and when, stays, so that work keeps the level that it was done at.
    The files' keys are destroyed now, so nobody opens them; the store deletes them afterwards.
    """
    # All of them, however many: one that stayed would not be erased.
    claims = session.scalars(
        select(CredentialClaim)
        .where(CredentialClaim.person_id == person_id)
        .order_by(CredentialClaim.id)
        .with_for_update()
    ).all()
    for claim in claims:
        _end(session, actor, claim)
    _empty_words(session, [claim.id for claim in claims])
    _destroy_files(session, [claim.id for claim in claims])
    _empty_comparisons(session, person_id)
    held = (GithubConnection, ListScreening, OnboardingStep, PersonLink, SanctionHit)
    for kind in (Accommodation, *held):
        session.execute(delete(kind).where(kind.person_id == person_id))
    session.execute(delete(SpecialistProfile).where(SpecialistProfile.person_id == person_id))
    session.flush()


def _end(session: Session, actor: Actor, claim: CredentialClaim) -> None:
    settle_renewal(session, actor, claim.id, granted=False)
    drop_amendment(session, actor, claim.id)
    if claim.state is _S.CLAIMED or claim.state in UNDECIDED:
        set_state(session, actor, claim, _S.WITHDRAWN, reason=ERASED)
    elif claim.state not in {_S.REVOKED, _S.WITHDRAWN}:
        set_state(session, actor, claim, _S.REVOKED, reason=ERASED)
    # A hash over the identifier would still tell whose it was to who has the key.
    claim.identifier, claim.identifier_hash = None, secrets.token_bytes(32)
    session.flush()


def _empty_words(session: Session, claim_ids: list[UUID]) -> None:
    """What people wrote about the claims, and the addresses that they looked at."""
    runs = select(VerificationRun.id).where(VerificationRun.claim_id.in_(claim_ids))
    session.execute(
        update(VerificationEvidence)
        .where(VerificationEvidence.run_id.in_(runs))
        .values(note=None, url=None)
    )
    now = clock.now()
    waiting = CredentialProposal.claim_id.in_(claim_ids)
    session.execute(
        update(CredentialProposal)
        .where(waiting, CredentialProposal.settled_at.is_(None))
        .values(settled_at=now, agreed=False)
    )
    session.execute(update(CredentialProposal).where(waiting).values(note=None, settled_note=None))
    about = CredentialCase.claim_id.in_(claim_ids) | CredentialCase.other_claim_id.in_(claim_ids)
    session.execute(update(CredentialCase).where(about).values(note=None))


def _destroy_files(session: Session, claim_ids: list[UUID]) -> None:
    kept = select(EvidenceFile).where(
        EvidenceFile.claim_id.in_(claim_ids), EvidenceFile.purged_at.is_(None)
    )
    for file in session.scalars(kept.with_for_update()):
        file.purged_at, file.file_key, file.name = clock.now(), None, None
        outbox.enqueue(session, "specialists.delete_file", reference=file.reference)
    session.flush()


def _empty_comparisons(session: Session, person_id: UUID) -> None:
    """How identity documents compared; open showings end."""
    mine = IdentityCheck.person_id == person_id
    session.execute(
        update(IdentityCheck)
        .where(mine, IdentityCheck.state.not_in([IdentityState.VERIFIED, IdentityState.CANCELLED]))
        .values(state=IdentityState.CANCELLED)
    )
    session.execute(
        update(IdentityCheck)
        .where(mine)
        .values(papers_hash=None, document_country=None, document_until=None)
    )
