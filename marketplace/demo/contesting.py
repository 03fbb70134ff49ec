"""Contested items: a reviewer asks a third person about two, of whom one is settled."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.demo.people import actor_of
from marketplace.demo.plan import PlannedJob
from marketplace.demo.quiet import wait_for
from marketplace.demo.work import job_of
from marketplace.ids import JobId, SubmissionId
from marketplace.quality import queries as quality
from marketplace.quality.queries import ContestedItem
from marketplace.review import queries, service

ASKED = 2
WHY = (
    "The question asks what to do tonight. This answer gives the dose and when to call; the other "
    "is right about the guideline, but leaves both open."
)


def contest(planned: PlannedJob) -> bool:
    """Ask about the two least sure items once the first fit is done, and settle the first."""
    with transaction() as session:
        job = job_of(session, planned)
        if job is None:
            return True
        job_id = JobId(job.id)
        if queries.adjudications_of(session, actor_of(session, planned.lab), job_id, limit=1):
            return True
    if not wait_for(lambda: _is_fitted(planned, job_id)):
        return False
    with transaction() as session:
        reviewer, lab = actor_of(session, planned.reviewer), actor_of(session, planned.lab)
        for at, item in enumerate(_least_sure(session, planned, job_id)):
            case = service.ask_adjudication(session, reviewer, item.voices[0].submission_id)
            if at == 0:
                chosen = _believed(item)
                service.settle_adjudication(session, lab, case.id, rationale=WHY, chosen_id=chosen)
    return True


def _is_fitted(planned: PlannedJob, job_id: JobId) -> bool:
    with transaction() as session:
        known = quality.quality_of(session, actor_of(session, planned.lab), job_id)
        return known.computed_at is not None


def _least_sure(session: Session, planned: PlannedJob, job_id: JobId) -> list[ContestedItem]:
    lab = actor_of(session, planned.lab)
    found = quality.contested_items(session, lab, job_id, limit=20)
    split = [one for one in found if len({voice.label for voice in one.voices}) > 1]
    by_task = {one.task_id: one for one in reversed(split)}
    return sorted(by_task.values(), key=lambda one: one.believed.confidence)[:ASKED]


def _believed(item: ContestedItem) -> SubmissionId:
    """Who says what is believed, else who spoke first."""
    likely = [one for one in item.voices if one.label == item.believed.label]
    return (likely or item.voices)[0].submission_id
