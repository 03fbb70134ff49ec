"""Reads of evidence packs: for who decides, for whom they are about, and counts for a lab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.quality.models import EvidenceContent, EvidencePack
from marketplace.quality.rules.evidence_packs import PackKind, PackState

LIMIT_MAX = 200
WAITING = (PackState.OPEN, PackState.TOLD, PackState.ANSWERED)


@dataclass(frozen=True, slots=True)
class PackRow:
    """A pack with its job and with what it holds; content is None once it was erased."""

    pack: EvidencePack
    job: Job | None
    content: EvidenceContent | None

    @property
    def own_rows(self) -> list[Any]:
        """The answers of whom it is about: all that they are ever shown."""
        mine = str(self.pack.person_id)
        return [row for row in self.rows if row["person_id"] == mine]

    @property
    def rows(self) -> list[Any]:
        """All answers that it holds."""
        return self.content.rows if self.content else []

    @property
    def sides(self) -> list[list[Any]]:
        """The answers that stand side by side; those that stand alone are lists of one."""
        named = {row["submission_id"]: row for row in self.rows}
        told = self.content.together if self.content else []
        pairs = [[named[name] for name in each if name in named] for each in told]
        found = [each for each in pairs if each]
        return found or [[row] for row in self.rows]


def _packs() -> Select[EvidencePack, Job, EvidenceContent]:
    return (
        select(EvidencePack, Job, EvidenceContent)
        .outerjoin(Job, Job.id == EvidencePack.job_id)
        .outerjoin(EvidenceContent, EvidenceContent.pack_id == EvidencePack.id)
    )


def _whole(row: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(row)


def pack_queue(
    session: Session,
    viewer: Actor,
    *,
    state: PackState | None = None,
    kind: PackKind | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[PackRow]:
    """Packs that are not closed, or those in one state, newest first; never the viewer's own."""
    viewer.require(Permission.INTEGRITY_DECIDE)
    asked = _packs().where(EvidencePack.person_id != viewer.person())
    asked = asked.where(EvidencePack.state.in_(WAITING if state is None else (state,)))
    if kind is not None:
        asked = asked.where(EvidencePack.kind == kind)
    if after is not None:
        asked = asked.where(EvidencePack.id < after)
    rows = session.execute(asked.order_by(EvidencePack.id.desc()).limit(min(limit, LIMIT_MAX)))
    return [PackRow(*_whole(row)) for row in rows]


def pack_counts(session: Session, viewer: Actor) -> Mapping[PackState, int]:
    """How many packs are in each state."""
    viewer.require(Permission.INTEGRITY_DECIDE)
    asked = (
        select(EvidencePack.state, func.count())
        .where(EvidencePack.person_id != viewer.person())
        .group_by(EvidencePack.state)
    )
    found: dict[PackState, int] = {row.state: row[1] for row in session.execute(asked)}
    return {state: found.get(state, 0) for state in PackState}


def pack_of(session: Session, viewer: Actor, pack_id: UUID) -> PackRow:
    """One pack for who decides it; Missing for the viewer's own."""
    viewer.require(Permission.INTEGRITY_DECIDE)
    row = session.execute(_packs().where(EvidencePack.id == pack_id)).one_or_none()
    if row is None or row[0].person_id == viewer.person():
        raise Missing("There is no such evidence pack.")
    return PackRow(*_whole(row))


def packs_beside(session: Session, viewer: Actor, row: PackRow) -> Sequence[EvidencePack]:
    """The packs of the others whom the same finding is about."""
    viewer.require(Permission.INTEGRITY_DECIDE)
    asked = select(EvidencePack).where(
        EvidencePack.group_id == row.pack.group_id, EvidencePack.id != row.pack.id
    )
    return session.scalars(asked.order_by(EvidencePack.id).limit(LIMIT_MAX)).all()


def own_packs(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[PackRow]:
    """Packs about the viewer that were sent to them, newest first."""
    asked = _packs().where(
        EvidencePack.person_id == viewer.person(), EvidencePack.told_at.is_not(None)
    )
    rows = session.execute(asked.order_by(EvidencePack.id.desc()).limit(min(limit, LIMIT_MAX)))
    return [PackRow(*_whole(row)) for row in rows]


def own_pack(session: Session, viewer: Actor, pack_id: UUID) -> PackRow:
    """One pack that was sent to the viewer; Missing for anything else."""
    asked = _packs().where(EvidencePack.id == pack_id, EvidencePack.told_at.is_not(None))
    row = session.execute(asked.where(EvidencePack.person_id == viewer.person())).one_or_none()
    if row is None:
        raise Missing("There is no such question about your work.")
    return PackRow(*_whole(row))


def pieces_looked_at(session: Session, viewer: Actor, job_id: JobId) -> int:
    """How many answers of the viewer's own job people look at; of whom, nobody there learns."""
    job = jobs.job_of(session, viewer, job_id)
    asked = select(func.coalesce(func.sum(EvidencePack.pieces), 0)).where(
        EvidencePack.job_id == job.id, EvidencePack.state.in_(WAITING)
    )
    return int(session.scalar(asked) or 0)
