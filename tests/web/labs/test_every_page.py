"""Every page of a lab, fetched with content and without, is a good page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import service
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.tasktypes import TASK_TYPES
from marketplace.work.rules import Envelope
from tests.make import background, endpoints, images, jobs, qualification, specialists, work
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

EMPTY = {
    "/lab/jobs": "No jobs yet",
    "/lab/jobs?state=open": "No job is open",
    "/lab/jobs/new": "What should specialists do",
    "/lab/review": "Nothing waits for review",
    "/lab/balance": "No top-ups yet",
    "/lab/balance/returned": "There is no top-up yet",
    "/lab/exports": "No files yet",
}


@pytest.mark.parametrize("path", EMPTY)
def test_a_new_lab_sees_what_to_do_next(owner: Browser, path: str) -> None:
    assert EMPTY[path] in text_of(checked(owner.get(path)))


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_the_builder_of_every_task_type(owner: Browser, kind: str) -> None:
    checked(owner.get(f"/lab/jobs/new?type={kind}"))


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_items_of_every_task_type_look_as_specialists_see_them(
    session: Session, lab: Actor, owner: Browser, kind: str
) -> None:
    example = EXAMPLES[kind]
    job = service.create_job(
        session, lab, task_type=kind, title="A job", template=example.template, pay=usd(5_00)
    )
    row = {"external_id": "row-1", "payload": example.payload}
    report = service.add_items(session, lab, job.id, [json.dumps(row).encode()])

    assert 1 == report.accepted
    assert "row-1" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/items")))
    checked(owner.get(f"/lab/jobs/{job.id}/edit"))


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_answers_of_every_task_type_can_be_reviewed(
    session: Session, lab: Actor, owner: Browser, kind: str
) -> None:
    example = EXAMPLES[kind]
    work.money_in(session, lab, usd(1_000_00))
    more: dict[str, Any] = {"template": example.template, "review_sample_ratio": 1}
    job = service.create_job(
        session,
        lab,
        task_type=kind,
        title="A job",
        instructions_md="Judge well.",
        pay=usd(90_00),
        **more,
    )
    row = {"external_id": "row-1", "payload": example.payload}
    service.add_items(session, lab, job.id, [json.dumps(row).encode()])
    images.sent(lab, job.id, example.payload)
    endpoints.wanted(session, lab, example.template)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    envelope = Envelope(judgement=example.judgement, rationale="Because of the dose.")
    work.submitted(session, specialists.doctor(session), job, envelope)

    assert "Because of the dose." in text_of(checked(owner.get(f"/lab/review/{job.id}")))


def test_a_draft(session: Session, lab: Actor, owner: Browser) -> None:
    job = jobs.filled(session, lab)
    for part in ("", "/items", "/edit", "/publish", "/close"):
        checked(owner.get(f"/lab/jobs/{job.id}{part}"))


def test_a_qualification_is_counted_in_places(session: Session, lab: Actor, owner: Browser) -> None:
    work.money_in(session, lab, usd(1_000_00))
    job = qualification.drafted(session, lab)
    pages = [text_of(checked(owner.get(f"/lab/jobs/{job.id}{part}"))) for part in ("", "/publish")]
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    pages.append(text_of(checked(owner.get(f"/lab/jobs/{job.id}"))))

    assert "2 forms of 4 items" in pages[0]
    assert "4 items each, from a bank of 8" in pages[1]
    assert "0 of 3 places taken" in pages[2]
    assert not any("judgements each" in page or "tasks final" in page for page in pages)


def test_a_running_job(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, overlap_min=2, overlap_max=2, review_sample_ratio=1)
    doctors = [specialists.doctor(session) for _ in range(2)]
    given = [work.submitted(session, doctor, job) for doctor in doctors]
    background.run("quality.fit_job", job_id=str(job.id))
    for part in ("", "/items", "/edit", "/submissions", "/quality", "/exports", "/close"):
        checked(owner.get(f"/lab/jobs/{job.id}{part}"))
    for path in (f"/lab/submissions/{given[0].id}", "/lab/jobs", "/lab/review", "/lab/balance"):
        checked(owner.get(path))

    line = text_of(owner.get(f"/lab/jobs/{job.id}").text)
    assert "0 of 3 tasks final, 100.0 % agreement on choice (n = 1), $0.00 of $32.40" in (
        line.replace("\u202f", " ")
    )


def usd(minor: int) -> Money:
    """An amount in US dollars."""
    return Money(minor, "USD")
