"""Claims, what was found about them, and the cases: for their owner and for operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import (
    CredentialCase,
    CredentialChange,
    CredentialClaim,
    VerificationEvidence,
    VerificationRun,
)
from marketplace.specialists.queries.profiles import refuse_strangers
from marketplace.specialists.rules import CredentialState, credential_type
from marketplace.specialists.rules.catalogue import look_up_address

LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class ClaimDetail:
    """A claim with all that was found about it, newest run first. look_up: the register's page."""

    claim: CredentialClaim
    runs: Sequence[tuple[VerificationRun, Sequence[VerificationEvidence]]]
    changes: Sequence[CredentialChange]
    cases: Sequence[CredentialCase]
    look_up: str | None


def credentials_of(session: Session, viewer: Actor, person_id: UUID) -> Sequence[CredentialClaim]:
    """A person's claims, newest first, at most 200; for the person and for operations."""
    refuse_strangers(viewer, person_id)
    claims = select(CredentialClaim).where(CredentialClaim.person_id == person_id)
    return session.scalars(claims.order_by(CredentialClaim.id.desc()).limit(LIMIT_MAX)).all()


def queue(
    session: Session,
    viewer: Actor,
    *,
    state: CredentialState | None = CredentialState.CHECKING,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[CredentialClaim]:
    """Claims in a state (None: in any), oldest first; `after`: the last id of the page before."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    claims = select(CredentialClaim)
    if state is not None:
        claims = claims.where(CredentialClaim.state == state)
    if after is not None:
        claims = claims.where(CredentialClaim.id > after)
    return session.scalars(
        claims.order_by(CredentialClaim.id).limit(max(1, min(limit, LIMIT_MAX)))
    ).all()


def claim_of(session: Session, viewer: Actor, claim_id: UUID) -> ClaimDetail:
    """One claim with its runs, evidence, changes and cases; notes are for operations only."""
    claim = session.get(CredentialClaim, claim_id)
    if claim is None:
        raise Missing("There is no such credential.")
    refuse_strangers(viewer, claim.person_id)
    staff = viewer.may(Permission.CREDENTIALS_VERIFY) and viewer.person_id != claim.person_id
    ran = select(VerificationRun).where(VerificationRun.claim_id == claim.id)
    runs = session.scalars(ran.order_by(VerificationRun.id.desc()).limit(LIMIT_MAX)).all()
    found: dict[UUID, list[VerificationEvidence]] = {run.id: [] for run in runs}
    if staff:
        rows = select(VerificationEvidence).where(VerificationEvidence.run_id.in_(found))
        for row in session.scalars(rows.order_by(VerificationEvidence.id)):
            found[row.run_id].append(row)
    changed = select(CredentialChange).where(CredentialChange.claim_id == claim.id)
    cases = select(CredentialCase).where(CredentialCase.claim_id == claim.id)
    return ClaimDetail(
        claim=claim,
        runs=[(run, found[run.id]) for run in runs],
        changes=session.scalars(
            changed.order_by(CredentialChange.id.desc()).limit(LIMIT_MAX)
        ).all(),
        cases=session.scalars(cases.order_by(CredentialCase.id)).all() if staff else [],
        look_up=look_up_address(credential_type(claim.type), claim.jurisdiction),
    )


def open_cases(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[CredentialCase]:
    """Cases that nobody has settled, oldest first."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    cases = select(CredentialCase).where(CredentialCase.closed_at.is_(None))
    if after is not None:
        cases = cases.where(CredentialCase.id > after)
    return session.scalars(
        cases.order_by(CredentialCase.id).limit(max(1, min(limit, LIMIT_MAX)))
    ).all()
