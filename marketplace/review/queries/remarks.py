"""What was said of somebody's own work, and which of a lab's items somebody settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.actor import Actor
from marketplace.ids import DecisionId, JobId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.review.models import Adjudication, Decision
from marketplace.review.queries.decisions import LIMIT_MAX
from marketplace.review.rules import Severity, Verdict
from marketplace.work.models import Submission

JOBS_MAX = 100


@dataclass(frozen=True, slots=True)
class RemarkFilters:
    """Which remarks: of one job, of one verdict, with a defect of one severity."""

    job_id: JobId | None = None
    verdict: Verdict | None = None
    severity: Severity | None = None


EVERY_REMARK = RemarkFilters()


@dataclass(frozen=True, slots=True)
class Remark:
    """A verdict that says something. stands: nobody overturned it later."""

    decision: Decision
    submission_id: SubmissionId
    round: int
    job_id: JobId
    job: tuple[str, str]
    stands: bool

    @property
    def id(self) -> DecisionId:
        """Its place in the list."""
        return self.decision.id


def remarks_of(
    session: Session,
    viewer: Actor,
    *,
    filters: RemarkFilters = EVERY_REMARK,
    after: DecisionId | None = None,
    limit: int = 50,
) -> list[Remark]:
    """What people said of the viewer's own work, newest first: verdicts with a note or defects,
    and those that sent back or rejected."""
    later = aliased(Decision)
    overturned = select(later.id).where(later.overturns_id == Decision.id).exists()
    asked = (
        select(
            Decision, Submission.id, Submission.round, Job.id, Job.reference, Job.title, ~overturned
        )
        .join(Submission, Submission.id == Decision.submission_id)
        .join(Job, Job.id == Submission.job_id)
        .where(*_said_of(viewer))
    )
    if filters.job_id is not None:
        asked = asked.where(Submission.job_id == filters.job_id)
    if filters.verdict is not None:
        asked = asked.where(Decision.verdict == filters.verdict)
    if filters.severity is not None:
        asked = asked.where(Decision.defects.contains([{"severity": filters.severity.value}]))
    if after is not None:
        asked = asked.where(Decision.id < after)
    rows = session.execute(asked.order_by(Decision.id.desc()).limit(min(limit, LIMIT_MAX)))
    return [
        Remark(said, SubmissionId(given), number, JobId(job_id), (reference, title), stands)
        for said, given, number, job_id, reference, title, stands in rows
    ]


def remarked_jobs(session: Session, viewer: Actor) -> list[tuple[JobId, str]]:
    """The jobs in which something was said of the viewer's work: (id, title), by title."""
    rows = session.execute(
        select(Job.id, Job.title)
        .join(Submission, Submission.job_id == Job.id)
        .join(Decision, Decision.submission_id == Submission.id)
        .where(*_said_of(viewer))
        .distinct()
        .order_by(Job.title, Job.id)
        .limit(JOBS_MAX)
    )
    return [(JobId(job_id), title) for job_id, title in rows]


def _said_of(viewer: Actor) -> list[ColumnElement[bool]]:
    """Verdicts on the viewer's own work that say something."""
    says = or_(
        Decision.note != "",
        func.jsonb_array_length(Decision.defects) > 0,
        Decision.verdict != Verdict.ACCEPT,
    )
    return [Submission.specialist_id == viewer.person(), says]


def cases_of(
    session: Session, viewer: Actor, job_id: JobId, task_ids: Sequence[UUID]
) -> Mapping[UUID, Adjudication]:
    """The newest question to a third person about each of these tasks of the viewer's job."""
    job = jobs.job_of(session, viewer, job_id)
    found = session.scalars(
        select(Adjudication)
        .where(Adjudication.job_id == job.id, Adjudication.task_id.in_(task_ids))
        .order_by(Adjudication.id)
    )
    return {case.task_id: case for case in found}
