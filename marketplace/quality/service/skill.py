"""What is learned of a person's skill from work that was judged, and what is taken back."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Missing
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.quality.models import Skill, SkillEvidence, SkillPoint, skill_domain
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.posterior import posterior


def learn(
    session: Session,
    person_id: PersonId,
    job: Job,
    agreement: float,
    *,
    source: EvidenceSource,
    source_id: UUID,
    weight: float = 1.0,
    pieces: int = 1,
) -> Skill:
    """Count a judged piece of a person's work in a job; agreement: 0 is wrong, 1 is right.

    source_id: the submission that was judged. What the same source said of it before is replaced,
    so that an overturned verdict counts once, as it stands. Called in the transaction that judges
    it. Two at once queue for the person's row, so none is lost.
    """
    if not 0 <= agreement <= 1:
        raise ValueError(f"An agreement lies between 0 and 1, not at {agreement}.")
    if weight <= 0 or pieces < 1:
        raise ValueError("Evidence has a weight above 0, of one piece of work or more.")
    key = _known_key(session, source, source_id) or _key(session, person_id, job)
    row = _locked(session, key)
    former = session.get(SkillEvidence, (source, source_id), populate_existing=True)
    if former is not None:
        _count(row, former, -1)
        session.delete(former)
        session.flush()  # It leaves its key before its successor takes it.
    fresh = SkillEvidence(
        source=source,
        source_id=source_id,
        person_id=row.person_id,
        domain=row.domain,
        task_type=row.task_type,
        job_id=job.id,
        agreement=agreement,
        weight=weight,
        pieces=pieces,
        learned_at=clock.now(),
    )
    session.add(fresh)
    _count(row, fresh, +1)
    return row


def unlearn(session: Session, source: EvidenceSource, source_id: UUID) -> Skill | None:
    """Take back what a source said of a piece of work; None where it said nothing."""
    key = _known_key(session, source, source_id)
    if key is None:
        return None
    row = _locked(session, key)
    former = session.get(SkillEvidence, (source, source_id), populate_existing=True)
    if former is None:
        return None  # Somebody else took it back while this one waited.
    _count(row, former, -1)
    session.delete(former)
    return row


def _known_key(
    session: Session, source: EvidenceSource, source_id: UUID
) -> tuple[UUID, str, str] | None:
    """Whose skill a source taught, in which domain; it stays there if the job moves on."""
    session.flush()
    found = session.execute(
        select(SkillEvidence.person_id, SkillEvidence.domain, SkillEvidence.task_type).where(
            SkillEvidence.source == source, SkillEvidence.source_id == source_id
        )
    ).one_or_none()
    return (found[0], found[1], found[2]) if found else None


def _key(session: Session, person_id: PersonId, job: Job) -> tuple[UUID, str, str]:
    domain = session.scalar(select(skill_domain()).where(Job.id == job.id))
    if domain is None:
        raise Missing("There is no such job.")
    return person_id, domain, job.task_type


def _locked(session: Session, key: tuple[UUID, str, str]) -> Skill:
    """The row of a skill, locked; what was known on an earlier day is kept as that day's point."""
    mean, lower = posterior(0, 0)
    nothing = {
        **dict(zip(("person_id", "domain", "task_type"), key, strict=True)),
        "n": 0,
        "weight": 0.0,
        "right": 0.0,
        "mean": mean,
        "lower": lower,
        "updated_at": clock.now(),
    }
    session.execute(insert(Skill).values(nothing).on_conflict_do_nothing())
    row = session.get_one(Skill, key, with_for_update=True, populate_existing=True)
    _keep_point(session, row)
    return row


def _keep_point(session: Session, row: Skill) -> None:
    day = row.updated_at.astimezone(UTC).date()
    if row.n == 0 or day >= clock.now().date():
        return
    point = {name: getattr(row, name) for name in ("person_id", "domain", "task_type")}
    point |= {"on_date": day, "n": row.n, "weight": row.weight, "right": row.right}
    session.execute(insert(SkillPoint).values(point).on_conflict_do_nothing())


def _count(row: Skill, evidence: SkillEvidence, sign: int) -> None:
    row.n = max(0, row.n + sign * evidence.pieces)
    # Sums of floats may miss what they stand for by their last bits.
    row.weight = max(0.0, row.weight + sign * evidence.weight) if row.n else 0.0
    row.right += sign * evidence.weight * evidence.agreement
    row.right = min(max(0.0, row.right), row.weight)
    row.mean, row.lower = posterior(row.right, row.weight)
    row.updated_at = clock.now()
