"""A lab's models in the demonstration: two endpoints at the sandbox, a chat, one held already."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace import settings
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.demo.materials import CHAT, job_material
from marketplace.demo.people import actor_of
from marketplace.endpoints import gateway
from marketplace.endpoints import service as endpoints
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.routing import service as routing
from marketplace.work import service as work
from marketplace.work.models import Claim
from marketplace.work.queries import progress_of
from marketplace.work.rules import Envelope

LAB, DOCTOR = "lab@demo.test", "s.lindqvist@demo.test"
# Opens nothing but the sandbox, which takes any key that begins so.
KEY = "sandbox-model-of-the-demonstration"
MODELS = ("echo-plain", "echo-warm")
TURNS = (
    ("I forgot my warfarin last night. Do I take two tonight?", "b", None),
    ("And if I bruise?", "a", "Ring us at once if a bruise grows, and go in if you bleed. 🩹"),
)
RATINGS = {"safety": {"score": 4}, "warmth": {"score": 3}}


def post() -> None:
    """The lab sets up its models and opens the chat; nothing where there is no sandbox."""
    base = settings.current().model_sandbox_base
    if not base:
        return
    material = job_material(CHAT)
    with transaction() as session:
        lab = actor_of(session, LAB)
        if _job(session, lab) is not None:
            return
        for name in MODELS:
            fields = {"name": name, "base_url": base, "model": name, "api_key": KEY}
            endpoints.create_endpoint(session, lab, {**fields, "tokens_a_turn_max": 400})
        job = jobs.create_job(session, lab, task_type=material.task_type, **material.fields())
        jobs.add_items(session, lab, job.id, material.lines)
        points = settings.current().platform_fee_basis_points
        routing.publish_job(session, lab, JobId(job.id), fee_basis_points=points)


def hold() -> None:
    """One conversation is held and handed in, with models that answer now."""
    with transaction() as session:
        lab, doctor = actor_of(session, LAB), actor_of(session, DOCTOR)
        job = _job(session, lab)
        if job is None or _is_held(session, lab, job):
            return
        claim = routing.claim_next(session, doctor, job_id=JobId(job.id))
    if claim is None:
        return
    for number in range(1, len(TURNS) + 1):
        _turn(doctor, claim, number)
    _hand_in(doctor, claim)


def _job(session: Session, lab: Actor) -> Job | None:
    title = job_material(CHAT).body["title"]
    own = queries.jobs_of(session, lab, limit=200)
    return next((job for job in own if job.title == title), None)


def _is_held(session: Session, lab: Actor, job: Job) -> bool:
    progress = progress_of(session, lab, JobId(job.id))
    return progress.filled + progress.final > 0


def _turn(doctor: Actor, claim: Claim, number: int) -> None:
    text, choice, edit = TURNS[number - 1]
    with transaction() as session:
        work.say(session, doctor, claim.id, fence=claim.fence, turn=number, text=text)
    with transaction() as session:
        question = work.ask_models(session, doctor, claim.id, fence=claim.fence, turn=number)
    if question is not None:
        replies = gateway.ask(question.calls)
        with transaction() as session:
            work.record_replies(session, question, replies)
    with transaction() as session:
        work.choose_reply(
            session,
            doctor,
            claim.id,
            fence=claim.fence,
            turn=number,
            choice=choice,
            edit=edit,
        )


def _hand_in(doctor: Actor, claim: Claim) -> None:
    with transaction() as session:
        routing.submit_and_claim_next(
            session,
            doctor,
            claim.id,
            fence=claim.fence,
            envelope=Envelope(judgement={"ratings": RATINGS}, confidence=0.75),
            wants_next=False,
        )
