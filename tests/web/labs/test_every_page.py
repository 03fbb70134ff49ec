"""Every page of a lab, fetched with content and without, is a good page."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.actor import Actor
from marketplace.delivery import background as delivery
from marketplace.delivery import service as exports
from marketplace.ids import JobId
from marketplace.tasktypes import TASK_TYPES
from tests.make import jobs, specialists, work
from tests.web.pages import checked, text_of
import pytest


EMPTY = [
    "/lab/jobs",
    "/lab/jobs/new",
    "/lab/review",
    "/lab/balance",
    "/lab/exports",
    "/lab/balance/returned",
    "/lab/jobs?state=open",
]


@pytest.mark.parametrize("path", EMPTY)
def test_a_new_lab_sees_what_to_do_next(owner: Browser, path: str) -> None:
    checked(owner.get(path))


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_the_builder_of_every_task_type(owner: Browser, kind: str) -> None:
    checked(owner.get(f"/lab/jobs/new?type={kind}"))


def test_a_draft(session: Session, lab: Actor, owner: Browser) -> None:
    job = jobs.filled(session, lab)
    for part in ("", "/items", "/edit", "/publish", "/close"):
        checked(owner.get(f"/lab/jobs/{job.id}{part}"))


def test_a_running_job(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, overlap_min=2, overlap_max=2, review_sample_ratio=1)
    doctors = [specialists.doctor(session) for _ in range(2)]
    given = [work.submitted(session, doctor, job) for doctor in doctors]
    for part in ("", "/items", "/edit", "/submissions", "/quality", "/exports", "/close"):
        checked(owner.get(f"/lab/jobs/{job.id}{part}"))
    checked(owner.get(f"/lab/review/{job.id}"))
    checked(owner.get(f"/lab/submissions/{given[0].id}"))
    checked(owner.get("/lab/jobs"))
    checked(owner.get("/lab/review"))
