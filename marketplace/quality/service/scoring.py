"""Marking attempts at qualifications."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.ids import PersonId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.quality.queries.qualification import AttemptItem, attempt_items
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.marks import Mark, marked
from marketplace.quality.service.skill import learn
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.service.qualifications import record_result
from marketplace.tasktypes import Json, task_type


def score_attempt(session: Session, job: Job, attempt: QualificationResult) -> int:
    """Mark a live attempt against the gold of its items and end it; how many were answered.

    An item without an answer counts as wrong. Each answer also teaches what is known of the
    person's skill. The attempt is locked by the caller.
    """
    template = session.get_one(TemplateVersion, job.template_version_id).template
    items = attempt_items(session, attempt)
    marks = marked([_mark(job, template, item) for item in items])
    terms = jobs.terms_of(session, job.id)
    record_result(
        session,
        attempt,
        score=marks.score,
        by_concept=marks.by_concept,
        by_item=marks.by_item,
        valid_days=terms.valid_days,
    )
    answered = [(item, item.submission_id) for item in items if item.submission_id is not None]
    for item, submission_id in answered:
        learn(
            session,
            PersonId(attempt.person_id),
            job,
            min(1.0, max(0.0, marks.by_item[str(item.item_id)])),
            source=EvidenceSource.QUALIFICATION,
            source_id=submission_id,
        )
    return len(answered)


def _mark(job: Job, template: Json, item: AttemptItem) -> Mark:
    if item.judgement is None:
        return Mark(item.item_id, item.concept, 0.0)
    gold = item.gold["judgement"]
    agrees = task_type(job.task_type).gold_agrees(item.judgement, gold, template)
    return Mark(item.item_id, item.concept, min(1.0, max(0.0, agrees or 0.0)))
