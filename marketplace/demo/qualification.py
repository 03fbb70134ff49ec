"""The platform's own qualification for coders: right answers from recorded unit tests.

Its items were written for it, and so were their tests; the outcomes stand in each item's metadata
and were recorded when the items were made. Nothing that a candidate writes is ever run.
"""

from __future__ import annotations

from importlib.resources import files

import yaml
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.demo import materials
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.money import Money

KEY = "coder_qualification"
FIELDS = (
    "title",
    "domain",
    "instructions_md",
    "template",
    "expected_seconds",
    "lease_seconds",
    "ai_policy",
)


def lines() -> list[bytes]:
    """The items, one NDJSON line each."""
    return files(materials.__name__).joinpath(f"{KEY}.jsonl").read_bytes().splitlines()


def draft_coder_qualification(session: Session, staff: Actor) -> Job:
    """A draft of it with its items and terms; staff: operations, acting for the platform.

    `routing.publish_job` opens it once the platform's balance covers its candidates.
    """
    body = yaml.safe_load(files(materials.__name__).joinpath(f"{KEY}.yaml").read_text("utf-8"))
    pay = Money(body["pay"]["amount_minor"], body["pay"]["currency"])
    fields = {name: body[name] for name in FIELDS}
    job = jobs.create_job(session, staff, task_type=body["task_type"], pay=pay, **fields)
    jobs.add_items(session, staff, job.id, lines())
    jobs.set_terms(session, staff, job.id, **body["terms"])
    return job
