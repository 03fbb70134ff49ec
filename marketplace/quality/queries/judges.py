"""Reads of judges: versions, runs, reports and checks, scoped to the viewer's organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, Prelabel
from marketplace.quality.models import (
    Judge,
    JudgeAnswer,
    JudgeCheck,
    JudgeReport,
    JudgeRun,
    JudgeVersion,
)
from marketplace.quality.rules.judges.answers import AnswerOutcome
from marketplace.quality.rules.judges.asking import JUDGED_TYPES

LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """A judge with its newest version, for lists."""

    judge: Judge
    version: JudgeVersion


@dataclass(frozen=True, slots=True)
class Spoken:
    """One who gave verdicts on a job's items, by its pre-labels."""

    model: str
    version: str
    items: int


@dataclass(frozen=True, slots=True)
class Failing:
    """An item for which a run has no verdict, and why."""

    external_id: str
    outcome: AnswerOutcome
    failure: str | None
    said: str | None


def judge_of(session: Session, viewer: Actor, judge_id: UUID) -> Judge:
    """The judge; Missing where it is not there or another organisation's."""
    viewer.require(Permission.JOBS_VIEW)
    judge = session.get(Judge, judge_id)
    if judge is None or judge.organisation_id != viewer.organisation_id:
        raise Missing("There is no such judge.")
    return judge


def version_of(session: Session, viewer: Actor, version_id: UUID) -> JudgeVersion:
    """A version of a judge of the viewer's organisation."""
    version = session.get(JudgeVersion, version_id)
    if version is None:
        raise Missing("There is no such version of a judge.")
    judge_of(session, viewer, version.judge_id)
    return version


def judges_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[JudgeRow]:
    """The organisation's judges that are not retired, newest first, with their newest versions."""
    viewer.require(Permission.JOBS_VIEW)
    newest = (
        select(JudgeVersion.judge_id, func.max(JudgeVersion.number).label("number"))
        .group_by(JudgeVersion.judge_id)
        .subquery()
    )
    rows = (
        select(Judge, JudgeVersion)
        .join(newest, newest.c.judge_id == Judge.id)
        .join(
            JudgeVersion,
            (JudgeVersion.judge_id == Judge.id) & (JudgeVersion.number == newest.c.number),
        )
        .where(Judge.organisation_id == viewer.organisation(), Judge.retired_at.is_(None))
    )
    if after is not None:
        rows = rows.where(Judge.id < after)
    found = session.execute(rows.order_by(Judge.id.desc()).limit(_limited(limit)))
    return [JudgeRow(judge, version) for judge, version in found]


def versions_of(session: Session, viewer: Actor, judge_id: UUID) -> Sequence[JudgeVersion]:
    """The versions of a judge, newest first."""
    judge = judge_of(session, viewer, judge_id)
    found = select(JudgeVersion).where(JudgeVersion.judge_id == judge.id)
    return session.scalars(found.order_by(JudgeVersion.number.desc()).limit(LIMIT_MAX)).all()


def run_of(session: Session, viewer: Actor, run_id: UUID) -> JudgeRun:
    """A run of the viewer's organisation."""
    viewer.require(Permission.JOBS_VIEW)
    run = session.get(JudgeRun, run_id)
    if run is None or run.organisation_id != viewer.organisation_id:
        raise Missing("There is no such run of a judge.")
    return run


def runs_of_job(session: Session, viewer: Actor, job_id: UUID) -> Sequence[JudgeRun]:
    """The newest runs over a job's items."""
    job = jobs.job_of(session, viewer, job_id)
    found = select(JudgeRun).where(JudgeRun.job_id == job.id)
    return session.scalars(found.order_by(JudgeRun.id.desc()).limit(50)).all()


def runs_of_judge(session: Session, viewer: Actor, judge_id: UUID) -> Sequence[JudgeRun]:
    """The newest runs of all versions of a judge."""
    judge = judge_of(session, viewer, judge_id)
    found = (
        select(JudgeRun)
        .join(JudgeVersion, JudgeVersion.id == JudgeRun.judge_version_id)
        .where(JudgeVersion.judge_id == judge.id)
    )
    return session.scalars(found.order_by(JudgeRun.id.desc()).limit(50)).all()


def failing_of(session: Session, viewer: Actor, run_id: UUID, *, limit: int = 50) -> list[Failing]:
    """The first items of a run without a verdict, in the order of the job."""
    run = run_of(session, viewer, run_id)
    found = (
        select(Item.external_id, JudgeAnswer)
        .join(JudgeAnswer, JudgeAnswer.content_sha256 == Item.payload_sha256)
        .where(
            Item.job_id == run.job_id,
            Item.position <= run.position,
            JudgeAnswer.judge_version_id == run.judge_version_id,
            JudgeAnswer.epoch == run.epoch,
            JudgeAnswer.outcome != AnswerOutcome.ANSWERED,
        )
        .order_by(Item.position, JudgeAnswer.turned)
        .limit(_limited(limit))
    )
    return [
        Failing(external_id, each.outcome, each.failure, each.said)
        for external_id, each in session.execute(found)
    ]


def spoken_in(session: Session, viewer: Actor, job_id: UUID) -> list[Spoken]:
    """Who gave verdicts on a job's items: judges that were asked, and recorded ones."""
    job = jobs.job_of(session, viewer, job_id)
    if job.task_type not in JUDGED_TYPES:
        return []
    rows = (
        select(Prelabel.model, Prelabel.version, func.count())
        .join(Item, Item.id == Prelabel.item_id)
        .where(Item.job_id == job.id)
        .group_by(Prelabel.model, Prelabel.version)
        .order_by(Prelabel.model, Prelabel.version)
        .limit(LIMIT_MAX)
    )
    return [Spoken(model, version, items) for model, version, items in session.execute(rows)]


def report_of(session: Session, viewer: Actor, report_id: UUID) -> JudgeReport:
    """A report of the viewer's organisation."""
    viewer.require(Permission.JOBS_VIEW)
    report = session.get(JudgeReport, report_id)
    if report is None or report.organisation_id != viewer.organisation_id:
        raise Missing("There is no such report.")
    return report


def reports_of_job(session: Session, viewer: Actor, job_id: UUID) -> Sequence[JudgeReport]:
    """The reports made of a job, newest first."""
    job = jobs.job_of(session, viewer, job_id)
    found = select(JudgeReport).where(JudgeReport.job_id == job.id)
    return session.scalars(found.order_by(JudgeReport.id.desc()).limit(LIMIT_MAX)).all()


def reports_of_judge(session: Session, viewer: Actor, judge_id: UUID) -> Sequence[JudgeReport]:
    """The reports on any version of a judge, newest first."""
    judge = judge_of(session, viewer, judge_id)
    found = (
        select(JudgeReport)
        .join(JudgeVersion, JudgeVersion.id == JudgeReport.judge_version_id)
        .where(JudgeVersion.judge_id == judge.id)
    )
    return session.scalars(found.order_by(JudgeReport.id.desc()).limit(LIMIT_MAX)).all()


def checks_of_report(session: Session, viewer: Actor, report_id: UUID) -> Sequence[JudgeCheck]:
    """What later runs said against a report, newest first."""
    report = report_of(session, viewer, report_id)
    found = select(JudgeCheck).where(JudgeCheck.report_id == report.id)
    return session.scalars(found.order_by(JudgeCheck.id.desc()).limit(50)).all()


def judge_names(session: Session, viewer: Actor, versions: Sequence[UUID]) -> Mapping[UUID, str]:
    """The labels of versions as pre-labels name them, such as `empathy-v2`."""
    viewer.require(Permission.JOBS_VIEW)
    found = (
        select(JudgeVersion.id, Judge.name, JudgeVersion.number)
        .join(Judge, Judge.id == JudgeVersion.judge_id)
        .where(JudgeVersion.id.in_(versions), Judge.organisation_id == viewer.organisation())
    )
    rows = session.execute(found.limit(LIMIT_MAX))
    return {version_id: f"{name}-v{number}" for version_id, name, number in rows}


def job_titles(session: Session, viewer: Actor, job_ids: Sequence[UUID]) -> Mapping[UUID, Job]:
    """The viewer's jobs of these ids."""
    viewer.require(Permission.JOBS_VIEW)
    found = select(Job).where(Job.id.in_(job_ids), Job.organisation_id == viewer.organisation())
    return {job.id: job for job in session.scalars(found.limit(LIMIT_MAX))}


def _limited(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
