"""What is believed of a job's items, for exports of the labels themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.delivery.rules import Believed, Labelling
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.quality import queries as quality
from marketplace.quality.models import Pipeline, PipelineLabel, TaskPosterior
from marketplace.quality.rules.ballots import Scheme
from marketplace.review import queries as review
from marketplace.tasktypes import task_type


def labelling_of(
    session: Session, job: Job, pairs: Sequence[tuple[UUID, UUID | None]]
) -> Labelling:
    """What is believed of some items, each with its task, and what third people settled.

    A job with a pipeline is told by it, since it knows what models alone were left with; another
    by the posteriors of its tasks.
    """
    template = session.get_one(TemplateVersion, job.template_version_id).template
    tasks = {task_id: item_id for item_id, task_id in pairs if task_id is not None}
    found: dict[UUID, dict[str, Believed]] = defaultdict(dict)
    if _has_pipeline(session, job.id):
        labels = select(PipelineLabel).where(PipelineLabel.item_id.in_([each for each, _ in pairs]))
        for label in session.scalars(labels):
            found[label.item_id][label.unit] = Believed(
                label.label, label.confidence, label.humans, label.models
            )
    else:
        posteriors = select(TaskPosterior).where(TaskPosterior.task_id.in_(tasks))
        for each in session.scalars(posteriors):
            found[tasks[each.task_id]][each.unit] = Believed(
                each.label,
                each.confidence,
                each.humans,
                each.models,
                quality.estimate_of(each),
            )
    settled = {
        tasks[task_id]: case.judgement
        for task_id, case in review.adjudicated(session, list(tasks)).items()
        if case.judgement is not None
    }
    return Labelling(Scheme(task_type(job.task_type), template), found, settled)


def _has_pipeline(session: Session, job_id: UUID) -> bool:
    routed = select(Pipeline.job_id).where(Pipeline.job_id == job_id, Pipeline.items_routed > 0)
    return session.scalar(select(routed.exists())) or False


def labelled_count(session: Session, job_id: UUID) -> int:
    """How many items of a job have a label."""
    if _has_pipeline(session, job_id):
        counted = select(func.count(PipelineLabel.item_id.distinct()))
        return session.scalar(counted.where(PipelineLabel.job_id == job_id)) or 0
    counted = select(func.count(TaskPosterior.task_id.distinct()))
    return session.scalar(counted.where(TaskPosterior.job_id == job_id)) or 0


def has_labels(session: Session, job_id: UUID) -> bool:
    """Whether anything is believed of any item of a job; for callers who may see the job."""
    posterior = select(TaskPosterior.task_id).where(TaskPosterior.job_id == job_id)
    return _has_pipeline(session, job_id) or session.scalar(select(posterior.exists())) or False


def labels_as_of(session: Session, job_id: UUID) -> datetime | None:
    """When a job's labels last changed."""
    computed = session.scalar(select(Pipeline.computed_at).where(Pipeline.job_id == job_id))
    newest = select(func.max(TaskPosterior.updated_at)).where(TaskPosterior.job_id == job_id)
    return computed or session.scalar(newest)
