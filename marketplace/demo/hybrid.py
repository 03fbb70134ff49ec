"""A hybrid pipeline in the demonstration: two models judge first, doctors where it matters."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import outbox, settings
from marketplace.db import transaction
from marketplace.demo.cast import BY_EMAIL
from marketplace.demo.materials import HYBRID, job_material
from marketplace.demo.people import actor_of
from marketplace.demo.quiet import wait_for
from marketplace.demo.timeline import Timeline, at
from marketplace.demo.work import hand_in, titled
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.quality import queries, service
from marketplace.quality.models import Pipeline
from marketplace.quality.rules.pipeline_words import PipelineState
from marketplace.quality.service.pipelines import COMPUTE
from marketplace.routing import service as routing

LAB = "lab@demo.test"
DOCTORS = ("doctor@demo.test", "s.lindqvist@demo.test", "r.calloway@demo.test")
SLICE_FIELD = "reader"
# So that the audit carries its estimates whichever items are drawn.
TARGET, AUDIT, KEPT = Decimal("0.9"), Decimal("0.4"), Decimal("0.8")
ITEMS_MAX, ROUNDS_MAX = 36, 3
# They sat down so long ago, and somebody begins a line every two minutes.
BEGAN_HOURS_AGO, APART = 3, timedelta(minutes=2)


def post() -> None:
    """The lab posts lines that two models have judged, and lets specialists judge a part."""
    material = job_material(HYBRID)
    with transaction() as session:
        if _job(session) is not None:
            return
        lab = actor_of(session, LAB)
        job = jobs.create_job(session, lab, task_type=material.task_type, **material.fields())
        jobs.add_items(session, lab, job.id, material.lines)
        service.set_pipeline(
            session,
            lab,
            job.id,
            confidence_target=TARGET,
            audit_ratio=AUDIT,
            items_max=ITEMS_MAX,
            slice_field=SLICE_FIELD,
            rounds_max=ROUNDS_MAX,
            kept_share=KEPT,
        )
        points = settings.current().platform_fee_basis_points
        routing.publish_job(session, lab, JobId(job.id), fee_basis_points=points)


def judge(timeline: Timeline) -> bool:
    """Doctors answer what each round sends them; whether the pipeline came to its end."""
    with transaction() as session:
        job = _job(session)
        if job is None:
            return True
        job_id = job.id
    moment = timeline.hours_ago(BEGAN_HOURS_AGO)
    while wait_for(lambda: _is_done(job_id) or _waits(job_id)):
        if _is_done(job_id):
            return True
        answered = _answer_all(job_id, moment)
        if not answered:
            return False
        moment += answered * APART
        with transaction() as session:
            outbox.enqueue(session, COMPUTE, job_id=job_id)
    return False


def _answer_all(job_id: UUID, begun: datetime) -> int:
    """The doctors take turns until nothing is left; how many they answered."""
    for number, email in enumerate(islice(cycle(DOCTORS), ITEMS_MAX)):
        with at(begun + number * APART), transaction() as session:
            doctor = actor_of(session, email)
            claim = routing.claim_next(session, doctor, job_id=JobId(job_id))
            if claim is None:
                return number
            hand_in(session, doctor, BY_EMAIL[email], claim, job_material(HYBRID))
    return ITEMS_MAX


def _job(session: Session) -> Job | None:
    return titled(session, LAB, str(job_material(HYBRID).body["title"]))


def _is_done(job_id: UUID) -> bool:
    with transaction() as session:
        return session.get_one(Pipeline, job_id).state is PipelineState.DONE


def _waits(job_id: UUID) -> bool:
    """Whether something was sent to specialists that waits for their answers."""
    with transaction() as session:
        return queries.waits(session, job_id)
