"""Jobs posted, tasks done, answers reviewed, pay cleared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.demo.answers import answer
from marketplace.demo.cast import BY_EMAIL, Specialist
from marketplace.demo.credentials import OPERATIONS
from marketplace.demo.films import film
from marketplace.demo.materials import JobMaterial, job_material
from marketplace.demo.people import actor_of
from marketplace.demo.plan import JOBS, PlannedJob, PlannedReport, Turn
from marketplace.demo.qualification import coder_qualification
from marketplace.identity.models import Person
from marketplace.ids import ClaimId, JobId
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Item, Job
from marketplace.jobs.rules import JobState
from marketplace.review import service as review
from marketplace.routing import service as routing
from marketplace.routing.rules import NotEligible, NotOpen
from marketplace.work import queries
from marketplace.work.models import Claim, Outcome, Submission, Task
from marketplace.work.rules import ClaimState, Envelope, Interval, IntervalKind

DRAFT_OF = "clinical_summaries"
DRAFT_TITLE = "Rate summaries of clinical notes, second batch"
DRAFT_ITEMS = 6
REPORTED_AFTER = timedelta(minutes=4)


def job_of(session: Session, planned: PlannedJob) -> Job | None:
    """The job of a plan, or None before it was posted."""
    return titled(session, planned.lab, _title(planned))


def _title(planned: PlannedJob) -> str:
    return planned.title or str(job_material(planned.material).body["title"])


def titled(session: Session, lab: str, title: str) -> Job | None:
    """The job of a lab's owner that is called so, or None."""
    own = job_queries.jobs_of(session, actor_of(session, lab), limit=200)
    return next((job for job in own if job.title == title), None)


def post(planned: PlannedJob) -> None:
    """Post a job with its items and their images, and publish it."""
    with transaction() as session:
        job_id = _drafted(session, planned)
    _send_films(planned, job_id)
    with transaction() as session:
        job, lab = job_of(session, planned), actor_of(session, planned.lab)
        if job is not None and job.state is JobState.DRAFT:
            points = settings.current().platform_fee_basis_points
            routing.publish_job(session, lab, JobId(job.id), fee_basis_points=points)


def _drafted(session: Session, planned: PlannedJob) -> JobId:
    """The job, made with its items if it was not."""
    material, lab = job_material(planned.material), actor_of(session, planned.lab)
    job = job_of(session, planned)
    if job is None:
        fields = material.fields() | dict(planned.terms) | {"title": _title(planned)}
        if planned.asks_qualification:
            asked = coder_qualification(session, actor_of(session, OPERATIONS))
            fields["qualification_ids"] = [asked.id] if asked else []
        job = jobs.create_job(session, lab, task_type=material.task_type, **fields)
        jobs.add_items(session, lab, job.id, material.lines[-planned.items_last :])
    return JobId(job.id)


def _send_films(planned: PlannedJob, job_id: JobId) -> None:
    """The images that items name, drawn now; one that is there already stays as it is."""
    for payload in job_material(planned.material).payloads.values():
        if "image" in payload:
            kept = jobs.put_image(job_id, film(payload["metadata"]))
            with transaction() as session:
                lab = actor_of(session, planned.lab)
                jobs.add_image(session, lab, job_id, payload["image"], kept)


def post_draft() -> None:
    """A draft that can be quoted and published."""
    planned = next(one for one in JOBS if one.material == DRAFT_OF)
    material = job_material(DRAFT_OF)
    with transaction() as session:
        lab = actor_of(session, planned.lab)
        if titled(session, planned.lab, DRAFT_TITLE) is None:
            fields = material.fields() | {"title": DRAFT_TITLE}
            job = jobs.create_job(session, lab, task_type=material.task_type, **fields)
            jobs.add_items(session, lab, job.id, material.lines[-DRAFT_ITEMS:])


def pause(planned: PlannedJob) -> None:
    """The lab pauses a running job."""
    with transaction() as session:
        job = job_of(session, planned)
        if job is not None and job.state is JobState.OPEN:
            jobs.pause_job(session, actor_of(session, planned.lab), job.id)


def take_turn(turn: Turn) -> None:
    """Claim a task, work on it for some minutes, hand it in; what is not sampled is accepted."""
    material = job_material(turn.job.material)
    with transaction() as session:
        actor = actor_of(session, turn.email)
        job = job_of(session, turn.job)
        if job is None or _done(session, actor, job) >= turn.number:
            return
        claim = _claimed(session, actor, job)
        if claim is not None:
            hand_in(session, actor, BY_EMAIL[turn.email], claim, material)


def _claimed(session: Session, actor: Actor, job: Job) -> Claim | None:
    """The next task; None also where a world that is built to its end has closed the door."""
    try:
        return routing.claim_next(session, actor, job_id=JobId(job.id))
    except (NotEligible, NotOpen):
        return None


def _done(session: Session, actor: Actor, job: Job) -> int:
    own = select(func.count()).where(
        Submission.job_id == job.id,
        Submission.specialist_id == actor.person(),
        Submission.round == 1,
    )
    return session.scalar(own) or 0


def hand_in(
    session: Session,
    actor: Actor,
    one: Specialist,
    claim: Claim,
    material: JobMaterial,
    *,
    skill: float | None = None,
) -> None:
    """Answer a claim, minutes after it was made."""
    view = queries.view_of(session, claim)
    external_id = _external_id(session, claim)
    gold = material.golds.get(external_id)
    judgement, rationale = answer(
        material.task_type,
        template=view.template,
        payload=view.payload,
        gold=gold["judgement"] if gold else None,
        written=material.answers[external_id],
        external_id=external_id,
        email=one.email,
        skill=one.skill if skill is None else skill,
    )
    rng = Random(f"time:{one.email}:{external_id}:{skill}")
    spent = timedelta(seconds=view.job.expected_seconds * rng.uniform(0.55, 1.3))
    with clock.shifted(spent):
        envelope = Envelope(
            judgement=judgement,
            rationale=rationale,
            confidence=round(rng.uniform(0.6, 0.97), 2),
            ai_use=_ai_use(rng, view.job),
            intervals=tuple(_intervals(claim, rng)),
        )
        routing.submit_and_claim_next(
            session, actor, claim.id, fence=claim.fence, envelope=envelope, wants_next=False
        )
        with clock.shifted(timedelta(seconds=4)):
            days = settings.current().clearance_days
            review.accept_next_arrived(session, clearance_days=days)


def _external_id(session: Session, claim: Claim) -> str:
    task = session.get_one(Task, claim.task_id)
    return session.get_one(Item, task.item_id).external_id


def _ai_use(rng: Random, job: Job) -> dict[str, Any]:
    if job.ai_policy == "disclosed" and rng.random() < 0.15:
        return {"used": True, "tool": "spelling checker", "purpose": "wording of the reason"}
    return {"used": False}


def _intervals(claim: Claim, rng: Random) -> Iterator[Interval]:
    """Reading, then working, sometimes a telephone call in between."""
    start, end = claim.claimed_at, clock.now()
    read = start + (end - start) * rng.uniform(0.2, 0.4)
    yield Interval(IntervalKind.READING, start, read)
    if rng.random() < 0.15:
        back = read + (end - read) * 0.3
        yield Interval(IntervalKind.IDLE, read, back)
        read = back
    yield Interval(IntervalKind.ACTIVE, read, end)


def report(planned: PlannedReport) -> None:
    """Claim a task, look at it for some minutes, and report what stands in its way."""
    job_planned = next(one for one in JOBS if one.material == planned.material)
    with transaction() as session:
        actor, job = actor_of(session, planned.email), job_of(session, job_planned)
        if job is None or _has_reported(session, actor, job):
            return
        claim = _claimed(session, actor, job)
        if claim is not None:
            with clock.shifted(REPORTED_AFTER):
                routing.report_outcome(
                    session,
                    actor,
                    ClaimId(claim.id),
                    fence=claim.fence,
                    kind=planned.kind,
                    evidence=planned.evidence,
                    clearance_days=settings.current().clearance_days,
                )


def _has_reported(session: Session, actor: Actor, job: Job) -> bool:
    own = select(Outcome.id).where(
        Outcome.specialist_id == actor.person(), Outcome.job_id == job.id
    )
    return session.scalar(own.limit(1)) is not None


def answer_reworks() -> None:
    """Authors hand in again what was sent back to them."""
    with transaction() as session:
        returned = session.execute(
            select(Claim.id, Person.email, Job.title)
            .join(Person, Person.id == Claim.specialist_id)
            .join(Job, Job.id == Claim.job_id)
            .where(Claim.state == ClaimState.LIVE, Claim.reworks_submission_id.is_not(None))
            .where(Claim.claimed_at < clock.now())
        ).all()
    for claim_id, email, title in returned:
        material = next(job_material(one.material) for one in JOBS if _title(one) == title)
        with transaction() as session:
            actor = actor_of(session, email)
            claim = session.get_one(Claim, claim_id)
            hand_in(session, actor, BY_EMAIL[email], claim, material, skill=1.0)


def clear_pay() -> None:
    """Make available what was earned long enough ago, one posting a transaction."""
    cleared = True
    while cleared:
        with transaction() as session:
            cleared = review.clear_next_due(session)
