"""Claims, what was found about them, and the cases: for their owner and for operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models import (
    CredentialAmendment,
    CredentialCase,
    CredentialChange,
    CredentialClaim,
    CredentialProposal,
    CredentialRenewal,
    EvidenceFile,
    VerificationEvidence,
    VerificationRun,
)
from marketplace.specialists.queries.catalogue import catalogue, known_type
from marketplace.specialists.queries.profiles import may_see, refuse_strangers
from marketplace.specialists.rules import CredentialState, CredentialType, Refusal
from marketplace.specialists.rules.catalogue import look_up_address
from marketplace.specialists.rules.checks import shown_form
from marketplace.specialists.rules.levels import FOR_PERSON

LIMIT_MAX = 200
SIGN_IN = "github.oauth"
Row = TypeVar(
    "Row",
    CredentialAmendment,
    CredentialChange,
    CredentialProposal,
    CredentialRenewal,
    EvidenceFile,
)


class Waits(StrEnum):
    """What a claim waits for, beside its state."""

    SECOND_PERSON = "second_person"
    RENEWAL = "renewal"
    AMENDMENT = "amendment"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class ClaimDetail:
    """A claim with all that was found about it, newest first. look_up: the register's page.

    proposals, cases and the evidence of runs are for operations; files are for both.
    """

    claim: CredentialClaim
    kind: CredentialType
    runs: Sequence[tuple[VerificationRun, Sequence[VerificationEvidence]]]
    changes: Sequence[CredentialChange]
    cases: Sequence[CredentialCase]
    proposals: Sequence[CredentialProposal]
    renewals: Sequence[CredentialRenewal]
    amendments: Sequence[CredentialAmendment]
    files: Sequence[EvidenceFile]
    look_up: str | None

    @property
    def proposal(self) -> CredentialProposal | None:
        """The decision that waits for a second person."""
        return next((each for each in self.proposals if each.settled_at is None), None)

    @property
    def renewal(self) -> CredentialRenewal | None:
        """The renewal that nobody has looked at yet."""
        return next((each for each in self.renewals if each.settled_at is None), None)

    @property
    def amendment(self) -> CredentialAmendment | None:
        """The specialties asked for that nobody has looked at yet."""
        return next((each for each in self.amendments if each.settled_at is None), None)

    @property
    def refused(self) -> CredentialRenewal | CredentialAmendment | None:
        """What was refused last, with a reason, where nothing was asked for or granted since."""
        asked: list[CredentialRenewal | CredentialAmendment] = [*self.renewals, *self.amendments]
        asked.sort(key=lambda each: each.asked_at, reverse=True)
        last = asked[0] if asked else None
        return last if last is not None and last.refusal not in {None, Refusal.TAKEN_BACK} else None


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
    type: str | None = None,  # noqa: A002 - the field's own name.
    waits: Waits | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[CredentialClaim]:
    """Claims, the longest waiting first; `after`: the last id of the page before.

    state: None for any; waits: only those that wait for this, in whatever state they are. Those
    that are checked and wait for their holder alone are listed only where `waits` asks for them.
    """
    viewer.require(Permission.CREDENTIALS_VERIFY)
    claims = select(CredentialClaim)
    if waits is not None:
        claims = claims.where(CredentialClaim.id.in_(_waiting(session, waits)))
    elif state is not None:
        claims = claims.where(CredentialClaim.state == state, ~_for_holder(session))
    if type is not None:
        claims = claims.where(CredentialClaim.type == type)
    if after is not None:
        claims = claims.where(CredentialClaim.id > after)
    return session.scalars(
        claims.order_by(CredentialClaim.id).limit(max(1, min(limit, LIMIT_MAX)))
    ).all()


def _waiting(session: Session, waits: Waits) -> Select[UUID]:
    if waits is Waits.HOLDER:
        return select(CredentialClaim.id).where(_for_holder(session))
    asked: dict[Waits, type[CredentialProposal | CredentialRenewal | CredentialAmendment]] = {
        Waits.SECOND_PERSON: CredentialProposal,
        Waits.RENEWAL: CredentialRenewal,
        Waits.AMENDMENT: CredentialAmendment,
    }
    kind = asked[waits]
    return select(kind.claim_id).where(kind.settled_at.is_(None))


def _for_holder(session: Session) -> ColumnElement[bool]:
    """Claims that only their holder can take on: nobody else signs in at an account for them."""
    shown_by_sign_in = [
        kind.key
        for kind in catalogue(session).types.values()
        if kind.auto_verify and SIGN_IN in kind.verifiers
    ]
    return and_(
        CredentialClaim.type.in_(shown_by_sign_in),
        CredentialClaim.state == CredentialState.CHECKING,
        func.coalesce(CredentialClaim.reason, "").not_in(FOR_PERSON),
        CredentialClaim.id.not_in(
            select(CredentialProposal.claim_id).where(CredentialProposal.settled_at.is_(None))
        ),
    )


def waiting_counts(session: Session, viewer: Actor) -> dict[str, int]:
    """How many claims wait for a look, how many for each of `Waits`; how many open cases."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    checking = (CredentialClaim.state == CredentialState.CHECKING) & ~_for_holder(session)
    wanted = {
        "checking": select(func.count()).select_from(CredentialClaim).where(checking),
        "cases": select(func.count())
        .select_from(CredentialCase)
        .where(CredentialCase.closed_at.is_(None)),
    } | {
        each.value: select(func.count()).select_from(_waiting(session, each).subquery())
        for each in Waits
    }
    return {name: session.scalar(counted) or 0 for name, counted in wanted.items()}


def waiting_since(
    session: Session, viewer: Actor, claims: Sequence[CredentialClaim]
) -> dict[UUID, datetime]:
    """When each claim came into the state that it is in."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    latest = (
        select(CredentialChange.claim_id, func.max(CredentialChange.at))
        .join(CredentialClaim, CredentialClaim.id == CredentialChange.claim_id)
        .where(
            CredentialChange.claim_id.in_([each.id for each in claims[:LIMIT_MAX]]),
            CredentialChange.state == CredentialClaim.state,
        )
        .group_by(CredentialChange.claim_id)
    )
    return {row[0]: row[1] for row in session.execute(latest)}


def claim_of(session: Session, viewer: Actor, claim_id: UUID) -> ClaimDetail:
    """One claim with all that was found; notes, proposals and cases are for operations only."""
    claim = session.get(CredentialClaim, claim_id)
    if claim is None or not may_see(viewer, claim.person_id):
        raise Missing("There is no such credential.")
    staff = viewer.may(Permission.CREDENTIALS_VERIFY) and viewer.person_id != claim.person_id
    kind = known_type(session, claim.type)
    written = shown_form(kind, claim.jurisdiction, claim.identifier) if claim.identifier else None
    return ClaimDetail(
        claim=claim,
        kind=kind,
        runs=_runs(session, claim, staff=staff),
        changes=session.scalars(_newest(CredentialChange, claim)).all(),
        cases=_cases(session, claim) if staff else [],
        proposals=session.scalars(_newest(CredentialProposal, claim)).all() if staff else [],
        renewals=session.scalars(_newest(CredentialRenewal, claim)).all(),
        amendments=session.scalars(_newest(CredentialAmendment, claim)).all(),
        files=session.scalars(_newest(EvidenceFile, claim)).all(),
        look_up=look_up_address(kind, claim.jurisdiction, written),
    )


def _newest(kind: type[Row], claim: CredentialClaim) -> Select[Row]:
    return select(kind).where(kind.claim_id == claim.id).order_by(kind.id.desc()).limit(LIMIT_MAX)


def _runs(
    session: Session, claim: CredentialClaim, *, staff: bool
) -> list[tuple[VerificationRun, Sequence[VerificationEvidence]]]:
    ran = select(VerificationRun).where(VerificationRun.claim_id == claim.id)
    runs = session.scalars(ran.order_by(VerificationRun.id.desc()).limit(LIMIT_MAX)).all()
    found: dict[UUID, list[VerificationEvidence]] = {run.id: [] for run in runs}
    if staff:
        rows = select(VerificationEvidence).where(VerificationEvidence.run_id.in_(found))
        for row in session.scalars(rows.order_by(VerificationEvidence.id)):
            found[row.run_id].append(row)
    return [(run, found[run.id]) for run in runs]


def _cases(session: Session, claim: CredentialClaim) -> Sequence[CredentialCase]:
    """The cases in which the claim is either side, oldest first."""
    about = (CredentialCase.claim_id == claim.id) | (CredentialCase.other_claim_id == claim.id)
    return session.scalars(
        select(CredentialCase).where(about).order_by(CredentialCase.id).limit(LIMIT_MAX)
    ).all()


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


def sides_of(
    session: Session, viewer: Actor, cases: Sequence[CredentialCase]
) -> dict[UUID, CredentialClaim]:
    """Both claims of each case, by id."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    wanted = {each for case in cases for each in (case.claim_id, case.other_claim_id)}
    claims = select(CredentialClaim).where(CredentialClaim.id.in_(wanted))
    return {claim.id: claim for claim in session.scalars(claims)}


def evidence_file(session: Session, viewer: Actor, claim_id: UUID, file_id: UUID) -> EvidenceFile:
    """A file of a claim, for its owner and for operations; Missing once it was purged."""
    claim = session.get(CredentialClaim, claim_id)
    file = session.get(EvidenceFile, file_id)
    if claim is None or file is None or file.claim_id != claim.id or file.purged_at is not None:
        raise Missing("There is no such file.")
    own = viewer.person_id == claim.person_id
    if not own and not viewer.may(Permission.CREDENTIALS_VERIFY):
        raise Missing("There is no such file.")
    return file
