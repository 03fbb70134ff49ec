"""Jobs over the API: post, change, quote, publish, pause, resume, close."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import AiPolicy, JobState, PayPer, Price, Purpose
from marketplace.quality import queries as quality
from marketplace.routing import service as routing
from marketplace.tasktypes import TASK_TYPES
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs
from marketplace.work import queries as work

jobs_api = api.blueprint("jobs", "Jobs: what a lab posts.")


class Requirements(Schema):
    """Who may work on the job; empty lists ask for nothing."""

    profession = fields.String(allow_none=True)
    specialties = fields.List(fields.String())
    credential_level_min = fields.Integer(strict=True)
    jurisdictions = fields.List(fields.String(), metadata={"description": "ISO 3166, US-CA"})
    languages = fields.List(fields.String(), metadata={"description": "BCP 47, en"})
    skill_min = fields.Float(allow_none=True)


class Overlap(Schema):
    """How many judgements a task gets: at least, at most, and until which confidence."""

    min = fields.Integer(strict=True)
    max = fields.Integer(strict=True)
    confidence_target = fields.Float(allow_none=True)


class Pay(Schema):
    """What a specialist earns for one task, or for one hour."""

    amount_minor = fields.Integer(required=True, strict=True, metadata={"example": 450})
    currency = fields.String(required=True, metadata={"example": "USD"})
    per = fields.String(
        load_default=PayPer.TASK.value, validate=validate.OneOf([each.value for each in PayPer])
    )


class Review(Schema):
    """How much of the work a person of the lab looks at."""

    sample_ratio = fields.Float(metadata={"description": "0 to 1"})


class JobChange(Schema):
    """Fields of a job; all are optional when a job is changed."""

    title = fields.String()
    domain = fields.String()
    purpose = fields.String(validate=validate.OneOf([each.value for each in Purpose]))
    instructions_md = fields.String()
    template = fields.Dict(keys=fields.String())
    requirements = fields.Nested(Requirements)
    overlap = fields.Nested(Overlap)
    pay = fields.Nested(Pay)
    expected_seconds = fields.Integer(strict=True)
    time_cap_seconds = fields.Integer(strict=True)
    lease_seconds = fields.Integer(strict=True)
    review = fields.Nested(Review)
    ai_policy = fields.String(validate=validate.OneOf([each.value for each in AiPolicy]))
    deadline_at = fields.AwareDateTime(allow_none=True)


class NewJob(JobChange):
    """A new job: its title and its task type are needed, the rest has defaults."""

    title = fields.String(required=True)
    task_type = fields.String(required=True, validate=validate.OneOf(sorted(TASK_TYPES)))


class JobShown(Schema):
    """A job as its lab sees it."""

    id = fields.UUID()
    reference = fields.String()
    title = fields.String()
    domain = fields.String()
    purpose = fields.String()
    task_type = fields.String()
    state = fields.String(validate=validate.OneOf([each.value for each in JobState]))
    pause_reason = fields.String(allow_none=True)
    instructions_md = fields.String()
    template = fields.Dict(keys=fields.String())
    template_version = fields.Integer()
    requirements = fields.Nested(Requirements)
    overlap = fields.Nested(Overlap)
    pay = fields.Nested(Pay)
    expected_seconds = fields.Integer()
    time_cap_seconds = fields.Integer()
    lease_seconds = fields.Integer()
    review = fields.Nested(Review)
    ai_policy = fields.String()
    deadline_at = fields.AwareDateTime(allow_none=True)
    items = fields.Integer()
    version = fields.Integer()
    created_at = fields.AwareDateTime()
    published_at = fields.AwareDateTime(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)


def shown(job: Job, version: TemplateVersion) -> dict[str, Any]:
    """The fields of `JobShown`."""
    plain = {
        name: getattr(job, name)
        for name in (
            "id",
            "reference",
            "title",
            "domain",
            "purpose",
            "task_type",
            "state",
            "pause_reason",
            "instructions_md",
            "expected_seconds",
            "time_cap_seconds",
            "lease_seconds",
            "ai_policy",
            "deadline_at",
            "version",
            "created_at",
            "published_at",
            "closed_at",
        )
    }
    requirements = {
        name: getattr(job, name)
        for name in (
            "profession",
            "specialties",
            "credential_level_min",
            "jurisdictions",
            "languages",
            "skill_min",
        )
    }
    return plain | {
        "template": version.template,
        "template_version": version.number,
        "requirements": requirements,
        "overlap": {
            "min": job.overlap_min,
            "max": job.overlap_max,
            "confidence_target": job.confidence_target,
        },
        "pay": {"amount_minor": job.pay_minor, "currency": job.currency, "per": job.pay_per},
        "review": {"sample_ratio": job.review_sample_ratio},
        "items": job.item_count,
    }


def flat(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of a verb of jobs, from the nested body."""
    given = dict(asked)
    given |= given.pop("requirements", {})
    given |= {
        {"min": "overlap_min", "max": "overlap_max"}.get(name, name): value
        for name, value in given.pop("overlap", {}).items()
    }
    if "review" in given and "sample_ratio" in (review := given.pop("review")):
        given["review_sample_ratio"] = review["sample_ratio"]
    if "pay" in given:
        pay = given.pop("pay")
        given |= {"pay": _money(pay), "pay_per": pay["per"]}
    return given


def _money(pay: dict[str, Any]) -> Any:
    faults = api.MoneySchema().validate({name: pay[name] for name in ("amount_minor", "currency")})
    if faults:
        listed = [Fault(f"/pay/{name}", " ".join(told)) for name, told in faults.items()]
        raise Faulty("The pay cannot be used.", listed)
    return api.MoneySchema().load({name: pay[name] for name in ("amount_minor", "currency")})


def _answer(session: Session, job_id: UUID) -> dict[str, Any]:
    job = queries.job_of(session, me(), job_id)
    return shown(job, queries.template_version(session, me(), job_id))


@jobs_api.post("/jobs")
@needs(Permission.JOBS_EDIT)
@api.once
@jobs_api.arguments(NewJob)
@jobs_api.response(201, JobShown)
def post_job(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Make a draft of a job."""
    job = jobs.create_job(session, me(), **flat(asked))
    return _answer(session, job.id)


@jobs_api.get("/jobs")
@needs(Permission.JOBS_VIEW)
@jobs_api.arguments(api.PageQuery, location="query")
@jobs_api.response(200, api.listing(JobShown))
def list_jobs(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's jobs, newest first."""
    with transaction() as session:
        rows = queries.jobs_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
        listed = [
            shown(job, session.get_one(TemplateVersion, job.template_version_id)) for job in rows
        ]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


@jobs_api.get("/jobs/<uuid:job_id>")
@needs(Permission.JOBS_VIEW)
@jobs_api.response(200, JobShown)
def get_job(job_id: UUID) -> dict[str, Any]:
    """One job."""
    with transaction() as session:
        return _answer(session, job_id)


@jobs_api.patch("/jobs/<uuid:job_id>")
@needs(Permission.JOBS_EDIT)
@api.once
@jobs_api.arguments(JobChange)
@jobs_api.response(200, JobShown)
def patch_job(session: Session, asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Change a draft, or what may change while a job runs."""
    jobs.change_job(session, me(), job_id, **flat(asked))
    return _answer(session, job_id)


class PriceShown(Schema):
    """What specialists get, what we get, and the sum that the lab pays."""

    pay = fields.Nested(api.MoneySchema)
    fee = fields.Nested(api.MoneySchema)
    total = fields.Nested(api.MoneySchema)


class TimeToFill(Schema):
    """Seconds until all is done: half of the time, and nine times in ten; null without data."""

    p50 = fields.Integer(allow_none=True)
    p90 = fields.Integer(allow_none=True)
    note = fields.String()


class QuoteShown(Schema):
    """What a job costs as it stands. price and fee are those of the most, which is reserved."""

    tasks = fields.Integer()
    price = fields.Nested(api.MoneySchema)
    fee = fields.Nested(api.MoneySchema)
    least = fields.Nested(PriceShown)
    most = fields.Nested(PriceShown)
    eligible_specialists = fields.Integer()
    time_to_fill_seconds = fields.Nested(TimeToFill)


def _price(price: Price) -> dict[str, Any]:
    return {"pay": price.pay, "fee": price.fee, "total": price.total}


def fee_basis_points() -> int:
    """Our fee at present, in 1/10,000."""
    points: int = current_app.extensions[EXTENSION].settings.platform_fee_basis_points
    return points


@jobs_api.post("/jobs/<uuid:job_id>/quote")
@needs(Permission.JOBS_VIEW)
@jobs_api.response(200, QuoteShown)
def post_quote(job_id: UUID) -> dict[str, Any]:
    """What the job would cost now; nothing is committed."""
    with transaction() as session:
        quote = routing.quote_job(session, me(), JobId(job_id), fee_basis_points=fee_basis_points())
    most = quote.estimate.most
    return {
        "tasks": quote.estimate.tasks,
        "price": most.total,
        "fee": most.fee,
        "least": _price(quote.estimate.least),
        "most": _price(most),
        "eligible_specialists": quote.eligible_specialists,
        "time_to_fill_seconds": quote.forecast,
    }


@jobs_api.post("/jobs/<uuid:job_id>/publish")
@needs(Permission.JOBS_PUBLISH)
@api.once
@jobs_api.response(200, JobShown)
def post_publish(session: Session, job_id: UUID) -> dict[str, Any]:
    """Reserve the most that the job may cost, and open it; 409 `insufficient_funds` without."""
    routing.publish_job(session, me(), JobId(job_id), fee_basis_points=fee_basis_points())
    return _answer(session, job_id)


@jobs_api.post("/jobs/<uuid:job_id>/pause")
@needs(Permission.JOBS_PUBLISH)
@api.once
@jobs_api.response(200, JobShown)
def post_pause(session: Session, job_id: UUID) -> dict[str, Any]:
    """Stop handing out tasks; those in hand go on."""
    jobs.pause_job(session, me(), job_id)
    return _answer(session, job_id)


@jobs_api.post("/jobs/<uuid:job_id>/resume")
@needs(Permission.JOBS_PUBLISH)
@api.once
@jobs_api.response(200, JobShown)
def post_resume(session: Session, job_id: UUID) -> dict[str, Any]:
    """Hand out tasks again."""
    routing.resume_job(session, me(), JobId(job_id))
    return _answer(session, job_id)


@jobs_api.post("/jobs/<uuid:job_id>/close")
@needs(Permission.JOBS_PUBLISH)
@api.once
@jobs_api.response(200, JobShown)
def post_close(session: Session, job_id: UUID) -> dict[str, Any]:
    """End the job; what it does not need goes back to the balance."""
    routing.close_job(session, me(), JobId(job_id))
    return _answer(session, job_id)


class ProgressShown(Schema):
    """How far the job is, in tasks, seats and submissions."""

    tasks = fields.Integer()
    final = fields.Integer(metadata={"description": "Tasks with all judgements accepted"})
    filled = fields.Integer(
        metadata={"description": "Tasks with all judgements in, some undecided"}
    )
    seats_open = fields.Integer()
    seats_claimed = fields.Integer()
    submitted = fields.Integer()
    in_review = fields.Integer()
    accepted = fields.Integer()
    rejected = fields.Integer()
    rework = fields.Integer()
    surplus = fields.Integer()
    cannot_complete = fields.Integer()
    guideline_gaps = fields.Integer()


@jobs_api.get("/jobs/<uuid:job_id>/progress")
@needs(Permission.JOBS_VIEW)
@jobs_api.response(200, ProgressShown)
def get_progress(job_id: UUID) -> work.Progress:
    """How far the job is."""
    with transaction() as session:
        return work.progress_of(session, me(), JobId(job_id))


class UnitShown(Schema):
    """Agreement on one unit of the judgement; null where the data cannot say."""

    unit = fields.String()
    items = fields.Integer()
    labels = fields.Integer()
    agreement_ratio = fields.Float(allow_none=True)
    alpha = fields.Float(allow_none=True)


class PairShown(Schema):
    """Two people, by your pseudonyms, on the items that both judged."""

    first = fields.String()
    second = fields.String()
    items = fields.Integer()
    agreement_ratio = fields.Float(allow_none=True)
    kappa = fields.Float(allow_none=True)


class QualityShown(Schema):
    """Agreement among the people of a job."""

    submissions = fields.Integer()
    units = fields.List(fields.Nested(UnitShown))
    pairs = fields.List(fields.Nested(PairShown))


@jobs_api.get("/jobs/<uuid:job_id>/quality")
@needs(Permission.JOBS_VIEW)
@jobs_api.response(200, QualityShown)
def get_quality(job_id: UUID) -> quality.JobQuality:
    """Agreement by unit and between people."""
    with transaction() as session:
        return quality.quality_of(session, me(), JobId(job_id))
