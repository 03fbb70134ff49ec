"""What is believed of a job's items, for exports of the labels themselves."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.delivery.models import Export, ExportBelief
from marketplace.quality.models import Pipeline, TaskPosterior

# Of each item, beside its task: its units by name, each with its label, how sure that is, who
# spoke, and the estimate where it is a number. A job with a pipeline is told by it, since it knows
# what models alone were left with; another by the posteriors of its tasks.
_OF_PIPELINE = """JOIN LATERAL (
  SELECT jsonb_object_agg(label.unit, jsonb_build_array(
    label.label, label.confidence, label.humans, label.models)) AS units
  FROM pipeline_label label WHERE label.item_id = item.id
) belief ON belief.units IS NOT NULL"""
_OF_TASKS = """JOIN LATERAL (
  SELECT jsonb_object_agg(each.unit, jsonb_build_array(each.label, each.confidence, each.humans,
    each.models, each.estimate, each.estimate_lower, each.estimate_upper)) AS units
  FROM posterior each WHERE each.task_id = task.id
) belief ON belief.units IS NOT NULL"""
# The latest word of a third person on the item's task, where they said what holds.
_SETTLED = """LEFT JOIN LATERAL (
  SELECT last.* FROM (
    SELECT word.id, word.judgement FROM adjudication word
    WHERE word.task_id = task.id AND word.state = 'settled' ORDER BY word.id DESC LIMIT 1
  ) last WHERE last.judgement IS NOT NULL AND last.judgement::text <> 'null'
) settled ON true"""
_KEPT = """JOIN (SELECT * FROM export_belief WHERE export_id = :export_id) belief
    ON belief.item_id = item.id
  LEFT JOIN adjudication settled ON settled.id = belief.adjudication_id"""


def beliefs_sql(session: Session, export: Export, *, kept: bool) -> str:
    """The joins that give `belief.units` and `settled` beside item and task: as they were kept for
    an export, or as they are now."""
    if kept:
        return _KEPT
    now = _OF_PIPELINE if _has_pipeline(session, export.job_id) else _OF_TASKS
    return f"{now}\n  {_SETTLED}"


def keep_beliefs(session: Session, export: Export) -> None:
    """Keep for an export what is believed now of each of its job's items."""
    # All of it is text of our own; values are bound.
    copied = f"""INSERT INTO export_belief (export_id, item_id, units, adjudication_id)
      SELECT :export_id, item.id, belief.units, settled.id
      FROM item LEFT JOIN task ON task.item_id = item.id
      {beliefs_sql(session, export, kept=False)}
      WHERE item.job_id = :job_id"""  # noqa: S608
    session.execute(text(copied), {"export_id": export.id, "job_id": export.job_id})


def kept_count(session: Session, export: Export) -> int:
    """Of how many items something is kept."""
    counted = select(func.count()).select_from(ExportBelief)
    return session.scalar(counted.where(ExportBelief.export_id == export.id)) or 0


def _has_pipeline(session: Session, job_id: UUID) -> bool:
    routed = select(Pipeline.job_id).where(Pipeline.job_id == job_id, Pipeline.items_routed > 0)
    return session.scalar(select(routed.exists())) or False


def has_labels(session: Session, job_id: UUID) -> bool:
    """Whether anything is believed of any item of a job; for callers who may see the job."""
    posterior = select(TaskPosterior.task_id).where(TaskPosterior.job_id == job_id)
    return _has_pipeline(session, job_id) or session.scalar(select(posterior.exists())) or False
