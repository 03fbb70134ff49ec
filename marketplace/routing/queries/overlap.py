"""Adaptive overlap before it begins: whether a job's target can be reached at all."""

from __future__ import annotations

from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import Purpose
from marketplace.quality.models import QuestionFit
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.categorical.prior import NEWCOMER
from marketplace.quality.rules.overlap import Feasibility, feasible
from marketplace.tasktypes import task_type

# So many jobs of a type must have been fitted before they tell what people are known for.
JOBS_MIN = 3
JOBS_READ_MAX = 200
CLASSES_UNKNOWN = 2


def adapts(job: Job) -> bool:
    """Whether a job buys further judgements by what is believed already."""
    return (
        job.purpose is Purpose.WORK
        and job.confidence_target is not None
        and job.overlap_max > job.overlap_min
    )


def feasibility_of(session: Session, job: Job) -> Feasibility | None:
    """Whether `overlap_max` judgements can reach the confidence that a job asks for; None where it
    asks for none.

    Single judgements are taken to be as good as those of jobs of the same type so far.
    """
    if not adapts(job) or job.confidence_target is None:
        return None
    template = session.get_one(TemplateVersion, job.template_version_id).template
    scheme = Scheme(task_type(job.task_type), template)
    voted = [name for name in scheme.questions() if scheme.scale(name.rstrip("*")).voted]
    if not voted:
        why = "Answers of this type are reviewed, not voted on: no further seat opens by itself."
        return Feasibility(False, 0.0, None, why)
    values = scheme.values(voted[0])
    classes = max(CLASSES_UNKNOWN, len(values)) if values else CLASSES_UNKNOWN
    accuracy = _accuracy(session, job.task_type)
    return feasible(float(job.confidence_target), accuracy, job.overlap_max, classes)


def _accuracy(session: Session, kind: str) -> float:
    found = session.scalars(
        select(QuestionFit.accuracy)
        .join(Job, Job.id == QuestionFit.job_id)
        .where(Job.task_type == kind)
        .order_by(QuestionFit.job_id.desc())
        .limit(JOBS_READ_MAX)
    ).all()
    return median(found) if len(found) >= JOBS_MIN else NEWCOMER
