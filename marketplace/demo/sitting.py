"""The platform's qualification for coders: posted, and sat by those whom the plan names."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.demo.cast import BY_EMAIL
from marketplace.demo.credentials import OPERATIONS
from marketplace.demo.materials import QUALIFICATION, job_material
from marketplace.demo.people import actor_of
from marketplace.demo.plan import ATTEMPTS, PlannedAttempt
from marketplace.demo.qualification import coder_qualification, draft_coder_qualification
from marketplace.demo.work import hand_in
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.routing import service as routing
from marketplace.specialists.queries.qualifications import attempts_of

BETWEEN = timedelta(minutes=4)


def post() -> None:
    """Operations write the qualification and open it."""
    with transaction() as session:
        staff = actor_of(session, OPERATIONS)
        job = coder_qualification(session, staff) or draft_coder_qualification(session, staff)
        if job.state is JobState.DRAFT:
            points = settings.current().platform_fee_basis_points
            routing.publish_job(session, staff, JobId(job.id), fee_basis_points=points)


def sit(planned: PlannedAttempt) -> None:
    """One attempt from its start to its marks, in one transaction as every turn."""
    number = [one for one in ATTEMPTS if one.email == planned.email].index(planned)
    with transaction() as session:
        actor = actor_of(session, planned.email)
        job = coder_qualification(session, actor_of(session, OPERATIONS))
        if job is not None and len(attempts_of(session, actor.person(), job.id)) == number:
            _answer_all(session, actor, job, planned)


def _answer_all(session: Session, actor: Actor, job: Job, planned: PlannedAttempt) -> None:
    attempt = routing.start_attempt(session, actor, JobId(job.id))
    one, material = BY_EMAIL[planned.email], job_material(QUALIFICATION)
    for place in range(attempt.items):
        with clock.shifted(place * BETWEEN):
            claim = routing.claim_next(session, actor, job_id=JobId(job.id))
            # Nobody has to guess who knows what: so many of ten are right, whatever is asked.
            knows = 10 * place // attempt.items < planned.right_of_ten
            if claim is not None:
                hand_in(session, actor, one, claim, material, skill=float(knows))
