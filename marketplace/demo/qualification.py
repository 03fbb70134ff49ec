"""The platform's own qualification for coders: right answers from recorded unit tests.

Its items were written for it, and so were their tests; the outcomes stand in each item's metadata
and were recorded when the items were made. Nothing that a candidate writes is ever run.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.demo.materials import QUALIFICATION, job_material
from marketplace.jobs import queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job

FIELDS = (
    "title",
    "domain",
    "instructions_md",
    "template",
    "expected_seconds",
    "lease_seconds",
    "ai_policy",
)


def coder_qualification(session: Session, staff: Actor) -> Job | None:
    """The platform's qualification, None before it was drafted; staff: as below."""
    title = job_material(QUALIFICATION).body["title"]
    own = queries.jobs_of(session, staff, limit=200)
    return next((job for job in own if job.title == title), None)


def draft_coder_qualification(session: Session, staff: Actor) -> Job:
    """A draft of it with its items and terms; staff: operations, acting for the platform.

    `routing.publish_job` opens it once the platform's balance covers its candidates.
    """
    material = job_material(QUALIFICATION)
    fields = {name: material.body[name] for name in FIELDS}
    job = jobs.create_job(session, staff, task_type=material.task_type, pay=material.pay, **fields)
    jobs.add_items(session, staff, job.id, material.lines)
    jobs.set_terms(session, staff, job.id, **material.body["terms"])
    return job
