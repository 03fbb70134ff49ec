"""Jobs over the API: post, change, quote, publish, pause, resume, close."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.rules import Price
from marketplace.routing import service as routing
from marketplace.routing.queries import coarse
from marketplace.web import EXTENSION, api
from marketplace.web.api.job_shapes import (
    JobChange,
    JobShown,
    NewJob,
    ProgressShown,
    QuoteShown,
    flat,
    shown,
)
from marketplace.web.guards import me, needs
from marketplace.work import queries as work

jobs_api = api.blueprint("jobs", "Jobs: what a lab posts.")


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
        versions = queries.current_versions(session, rows)
        listed = [shown(job, versions[job.template_version_id]) for job in rows]
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
    """Change a draft, or what may change while a job runs; its pay only rises."""
    routing.change_job(session, me(), JobId(job_id), **flat(asked))
    return _answer(session, job_id)


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
        "specialist_tasks_max": quote.estimate.judged,
        "price": most.total,
        "fee": most.fee,
        "least": _price(quote.estimate.least),
        "most": _price(most),
        "contingency": _price(quote.estimate.contingency),
        "eligible_specialists": quote.supply.shown,
        "eligible_is_coarse": quote.supply.is_coarse,
        "removed": {name: coarse(count) for name, count in quote.supply.removed.items()},
        "time_to_fill_seconds": quote.forecast,
        "overlap": quote.overlap,
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


@jobs_api.get("/jobs/<uuid:job_id>/progress")
@needs(Permission.JOBS_VIEW)
@jobs_api.response(200, ProgressShown)
def get_progress(job_id: UUID) -> work.Progress:
    """How far the job is."""
    with transaction() as session:
        return work.progress_of(session, me(), JobId(job_id))
