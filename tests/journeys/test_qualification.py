"""A qualification over HTTP: set up by a lab, taken by a specialist, by pages and by programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import OrganisationId
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.review import service as review
from marketplace.specialists.models import QualificationResult
from tests.make import identity, qualification, work
from tests.make import jobs as make_jobs
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

TERMS = {"items_a_form": 4, "forms": 2, "candidates_max": 2, "pass_ratio": 0.75}


class Program:
    """A program that calls the API with a token."""

    def __init__(self, app: Flask, session: Session, actor: Actor) -> None:
        self.client = app.test_client()
        self.session = session
        self.headers = {"Authorization": f"Bearer {identity.token(session, actor)}"}

    def call(self, method: str, path: str, status: int, body: Any = None) -> Any:
        """The answer, which must have this status."""
        self.session.flush()
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=self.headers)
        assert status == answer.status_code, answer.text[:1_000]
        return answer.get_json(silent=True)


@pytest.fixture
def program(app: Flask, session: Session, redis: Redis) -> Callable[[Actor], Program]:
    """New programs; rate limits start empty."""
    del redis
    return lambda actor: Program(app, session, actor)


@pytest.fixture
def lab(session: Session) -> Actor:
    """A lab with money."""
    owner = identity.lab_owner(session)
    work.money_in(session, owner, Money(1_000_00, "USD"))
    return owner


def posted(lab: Program) -> str:
    """A qualification that a lab's program posts and publishes."""
    made = lab.call(
        "POST",
        "/jobs",
        201,
        {
            "title": "Reading summaries",
            "task_type": "pairwise",
            "instructions_md": "Prefer the safer one.",
            "template": {},
            "pay": {"amount_minor": 450, "currency": "USD"},
        },
    )
    job_id = str(made["id"])
    lab.call("PUT", f"/jobs/{job_id}/qualification", 200, TERMS)
    lines = b"\n".join(qualification.bank(8))
    sent = lab.client.post(
        f"/api/v1/jobs/{job_id}/items",
        data=lines,
        headers=lab.headers | {"Content-Type": "application/x-ndjson"},
    )
    assert 200 <= sent.status_code < 300, sent.text
    lab.call("POST", f"/jobs/{job_id}/publish", 200)
    return job_id


def answered(person: Program, job_id: str, choice: str) -> None:
    """The next item of the attempt, answered."""
    claim = person.call("POST", "/claims", 201, {"job_id": job_id})
    assert "gold" not in json.dumps(claim)
    assert "metadata" not in json.dumps(claim["task"])
    person.call(
        "POST",
        f"/claims/{claim['id']}/submission",
        201,
        {"fence": claim["fence"], "judgement": {"choice": choice}},
    )


def test_programs_set_one_up_take_it_and_read_the_results(
    session: Session, program: Callable[[Actor], Program], lab: Actor
) -> None:
    labs = program(lab)
    job_id = posted(labs)
    person = program(identity.specialist(session))
    (offer,) = person.call("GET", "/qualifications", 200)["items"]
    assert (job_id, "open", 1800) == (
        offer["job_id"],
        offer["standing"],
        offer["pay"]["amount_minor"],
    )

    attempt = person.call("POST", f"/qualifications/{job_id}/attempts", 201)
    for choice in "aaab":
        answered(person, job_id, choice)

    result = person.call("GET", f"/qualifications/attempts/{attempt['id']}", 200)
    assert ("scored", True, 0.75, 4) == (
        result["state"],
        result["passed"],
        result["score"],
        result["answered"],
    )
    (row,) = labs.call("GET", f"/qualifications/{job_id}/results", 200)["items"]
    assert (True, 1) == (row["passed"], row["attempt"])
    items = labs.call("GET", f"/qualifications/{job_id}/items", 200)["items"]
    assert 4 == sum(item["answers"] for item in items)
    again = person.call("POST", f"/qualifications/{job_id}/attempts", 409)
    assert "still_passed" == again["code"]


def test_a_version_that_asks_to_qualify_again_is_walked(
    session: Session, program: Callable[[Actor], Program], lab: Actor
) -> None:
    labs = program(lab)
    qualifying = posted(labs)
    _, job = work.published(
        session, lab, profession=None, items=3, qualification_ids=[UUID(qualifying)]
    )
    person = program(identity.specialist(session))

    def qualify() -> None:
        person.call("POST", f"/qualifications/{qualifying}/attempts", 201)
        for choice in "aaaa":
            answered(person, qualifying, choice)

    qualify()
    held = person.call("POST", "/claims", 201, {"job_id": str(job.id)})
    made = labs.call(
        "POST",
        f"/jobs/{job.id}/versions",
        201,
        {"change": "requalify", "instructions_md": "Prefer the one that names the dose."},
    )
    assert (2, "requalify") == (made["number"], made["change"])
    # What was begun goes on under the version that it was begun with.
    sent = {"fence": held["fence"], "judgement": {"choice": "a"}}
    assert 1 == held["task"]["template_version"]
    person.call("POST", f"/claims/{held['id']}/submission", 201, sent)

    refused = person.call("POST", "/claims", 409, {"job_id": str(job.id)})
    assert "not_eligible" == refused["code"]
    assert "a qualification that you have not passed" in refused["detail"]
    qualify()

    again = person.call("POST", "/claims", 201, {"job_id": str(job.id)})
    assert 2 == again["task"]["template_version"]


def test_no_money_is_lost_or_made(
    session: Session, program: Callable[[Actor], Program], lab: Actor
) -> None:
    labs = program(lab)
    job_id = posted(labs)
    organisation = OrganisationId(lab.organisation())
    before = ledger.lab_balance(session, organisation, "USD")
    assert 2 * 4 * 5_40 == before.reserved_total.minor
    person = identity.specialist(session)
    hands = program(person)
    hands.call("POST", f"/qualifications/{job_id}/attempts", 201)
    for choice in "bb":
        answered(hands, job_id, choice)
    while review.accept_next_arrived(session, clearance_days=7):
        continue

    labs.call("POST", f"/jobs/{job_id}/close", 200)

    after = ledger.lab_balance(session, organisation, "USD")
    paid = ledger.specialist_balances(session, person.person())["USD"].pending
    assert (0, 2 * 4_50) == (after.reserved_total.minor, paid.minor)
    assert 1_000_00 - 2 * 5_40 == after.available.minor


@pytest.fixture
def browse(app: Flask, session: Session, redis: Redis) -> Callable[[Actor], Browser]:
    """Browsers in which somebody is signed in."""
    del redis
    return lambda actor: Browser(app.test_client()).sign_in(session, actor)


def test_the_pages_lead_through_it(
    session: Session, browse: Callable[[Actor], Browser], lab: Actor
) -> None:
    _, job = qualification.published(session, lab, feedback="explanations", cooldown_days=7)
    work.published(session, lab, profession=None, qualification_ids=[job.id], title="The real work")
    session.flush()
    person = browse(identity.specialist(session))
    listed = text_of(checked(person.get("/work/qualifications")))
    assert "Pass this to see 1 more job worth" in listed
    told = text_of(checked(person.get(f"/work/qualifications/{job.id}")))
    assert "Every answer that you hand in is paid, right or wrong." in told

    begun = person.post(f"/work/qualifications/{job.id}/attempts")
    attempt = begun.location
    assert "0 of 4" in text_of(checked(person.get(attempt)))
    bench = person.post("/work/tasks/next", {"job_id": job.id}).location
    for number in range(1, 5):
        page = checked(person.get(bench))
        assert f"item {number} of 4" in text_of(page)
        fence = re.search(r'name="fence" value="(\d+)"', page)
        assert fence is not None
        bench = person.post(f"{bench}/submit", {"fence": fence[1], "choice": "b"}).location
    assert attempt == bench

    result = text_of(checked(person.get(attempt)))
    assert "You did not pass this time." in result
    assert "You may try again from" in result
    assert "Because of number" in result
    labs = browse(lab)
    assert "0 of 1" in text_of(checked(labs.get(f"/lab/jobs/{job.id}/qualification")))
    figures = text_of(checked(labs.get(f"/lab/jobs/{job.id}/qualification/items")))
    assert "Nothing so far." in figures


def test_a_lab_writes_the_terms_on_a_page(
    session: Session, browse: Callable[[Actor], Browser], lab: Actor
) -> None:
    job = make_jobs.filled(session, lab, items=qualification.bank(8), profession=None)
    session.flush()
    labs = browse(lab)
    path = f"/lab/jobs/{job.id}/qualification"
    assert "ordinary work at present" in text_of(checked(labs.get(path)))
    typed: dict[str, object] = {
        "items_a_form": "4",
        "forms": "2",
        "pass_percent": "75",
        "time_limit_days": "0.5",
        "candidates_max": "5",
        "cooldown_days": "14",
        "valid_days": "365",
        "feedback": "scores",
    }

    wrong = labs.post(path, typed | {"forms": "99", "pass_percent": "x"})
    assert 422 == wrong.status_code
    saved = labs.post(path, typed)

    assert 303 == saved.status_code
    session.refresh(job)
    assert ("qualification", 20) == (job.purpose, job.seats_max)
    (places,) = re.findall(r'<input[^>]*name="candidates_max"[^>]*>', checked(labs.get(path)))
    assert 'value="5"' in places


def test_one_lab_sees_nothing_of_anothers(
    session: Session, program: Callable[[Actor], Program], lab: Actor
) -> None:
    _, job = qualification.published(session, lab)
    person = identity.specialist(session)
    qualification.sat(session, person, job, "aaaa")
    other = program(identity.lab_owner(session))
    attempt_id = session.scalars(select(QualificationResult.id)).one()

    other.call("GET", f"/qualifications/{job.id}/results", 404)
    other.call("GET", f"/qualifications/{job.id}/items", 404)
    other.call("GET", f"/jobs/{job.id}/qualification", 404)
    program(identity.specialist(session)).call("GET", f"/qualifications/attempts/{attempt_id}", 404)
