"""What a person may know of their own skill: how it stands, how it moved, what taught it.

What gold said is told in sums only, and not before the day is over: else who asks after each
answer would learn which items are gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.jobs.models import Job
from marketplace.quality.models import Skill, SkillEvidence, SkillPoint
from marketplace.quality.rules.evidence import RECENT, Drift, EvidenceSource, drift, interval
from marketplace.quality.rules.posterior import posterior

SKILLS_MAX = 50
POINTS_MAX = 400
EVIDENCE_MAX = 100


@dataclass(frozen=True, slots=True)
class SkillDay:
    """A skill at the end of a day (UTC): its mean, and the interval that holds 90 %."""

    on_date: date
    n: int
    mean: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Taught:
    """What taught a skill. job: its reference and title; None for all gold together.

    submission_id: what was judged, where it was one piece that its author may know of; agreement:
    0 is wrong, 1 is right; weight: what it counts for; learned_at: None for gold.
    """

    source: EvidenceSource
    job: tuple[str, str] | None
    submission_id: UUID | None
    agreement: float
    weight: float
    pieces: int
    learned_at: datetime | None


@dataclass(frozen=True, slots=True)
class SkillShown:
    """One skill of a person. bound: what jobs that ask for skill go by, the tenth percentile;
    lower, upper: hold 90 %; days: oldest first, the last is as it stands; evidence: newest first.
    """

    domain: str
    task_type: str
    n: int
    mean: float
    bound: float
    lower: float
    upper: float
    drift: Drift | None
    days: list[SkillDay]
    evidence: list[Taught]


def skill_history(session: Session, viewer: Actor, *, limit: int = SKILLS_MAX) -> list[SkillShown]:
    """The viewer's own skills, those with the most work first."""
    person_id = viewer.person()
    rows = session.scalars(
        select(Skill)
        .where(Skill.person_id == person_id, Skill.n > 0)
        .order_by(Skill.n.desc(), Skill.domain, Skill.task_type)
        .limit(min(limit, SKILLS_MAX))
        .execution_options(populate_existing=True)
    )
    return [_shown(session, row) for row in rows]


def _shown(session: Session, row: Skill) -> SkillShown:
    same = (
        SkillEvidence.person_id == row.person_id,
        SkillEvidence.domain == row.domain,
        SkillEvidence.task_type == row.task_type,
    )
    told = session.execute(
        select(SkillEvidence, Job.reference, Job.title)
        .join(Job, Job.id == SkillEvidence.job_id)
        .where(*same, SkillEvidence.source != EvidenceSource.GOLD)
        .order_by(SkillEvidence.learned_at.desc())
        .limit(EVIDENCE_MAX)
    ).all()
    gold = session.scalars(select(SkillEvidence).where(*same, _IS_GOLD)).all()
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    today = [each for each in gold if each.learned_at >= midnight]
    known = [each for each in gold if each.learned_at < midnight]
    n = row.n - sum(each.pieces for each in today)
    weight = max(0.0, row.weight - sum(each.weight for each in today))
    right = row.right - sum(each.weight * each.agreement for each in today)
    right = min(max(0.0, right), weight)
    mean, bound = posterior(right, weight)
    lower, upper = interval(right, weight)
    now = SkillDay(clock.now().date(), n, mean, lower, upper)
    return SkillShown(
        domain=row.domain,
        task_type=row.task_type,
        n=n,
        mean=mean,
        bound=bound,
        lower=lower,
        upper=upper,
        drift=_drift([each for each, _, _ in told], (right, weight)),
        days=[*_days(session, row), now],
        evidence=[*_checks(known), *[_taught(*each) for each in told]],
    )


_IS_GOLD = SkillEvidence.source == EvidenceSource.GOLD


def _days(session: Session, row: Skill) -> list[SkillDay]:
    points = session.scalars(
        select(SkillPoint)
        .where(SkillPoint.person_id == row.person_id, SkillPoint.domain == row.domain)
        .where(SkillPoint.task_type == row.task_type)
        .order_by(SkillPoint.on_date.desc())
        .limit(POINTS_MAX)
    ).all()
    return [
        SkillDay(
            point.on_date,
            point.n,
            posterior(point.right, point.weight)[0],
            *interval(point.right, point.weight),
        )
        for point in reversed(points)
    ]


def _drift(newest: Sequence[SkillEvidence], whole: tuple[float, float]) -> Drift | None:
    """The last verdicts on single pieces of work against all the rest; None while they are few."""
    recent = [each for each in newest if each.source != EvidenceSource.CONSENSUS][:RECENT]
    if len(recent) < RECENT:
        return None
    weight = sum(each.weight for each in recent)
    right = sum(each.weight * each.agreement for each in recent)
    rest = max(0.0, whole[0] - right), max(0.0, whole[1] - weight)
    return drift((right, weight), rest, recent_n=len(recent))


def _checks(known: Sequence[SkillEvidence]) -> list[Taught]:
    if not known:
        return []
    weight = sum(each.weight for each in known)
    right = sum(each.weight * each.agreement for each in known)
    pieces = sum(each.pieces for each in known)
    return [Taught(EvidenceSource.GOLD, None, None, right / weight, weight, pieces, None)]


def _taught(row: SkillEvidence, reference: str, title: str) -> Taught:
    alone = row.source is not EvidenceSource.CONSENSUS
    return Taught(
        source=row.source,
        job=(reference, title),
        submission_id=row.source_id if alone else None,
        agreement=row.agreement,
        weight=row.weight,
        pieces=row.pieces,
        learned_at=row.learned_at,
    )
