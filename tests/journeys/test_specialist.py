"""A specialist's whole story over HTTP: from signing up to pay that is pending."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.web.visitors import COOKIE
from tests.make import identity, specialists, work

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PASSWORD = "a long and winding passphrase"


class Visit:
    """Somebody's browser: follows redirects and sends forms with their token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> str:
        """A page that must be there."""
        answer = self.client.get(path, follow_redirects=True)
        assert 200 == answer.status_code, answer.text[:1_000]
        return answer.text

    def send(self, path: str, **fields: object) -> TestResponse:
        """Send a form; what comes after its redirect."""
        token = _TOKEN.search(self.client.get("/reset-password").text)
        assert token is not None
        sent = {"csrf_token": token[1], **{k.replace("__", "."): v for k, v in fields.items()}}
        answer = self.client.post(path, data=sent, follow_redirects=True)
        assert 200 == answer.status_code, answer.text[:1_000]
        return answer


@pytest.fixture
def visit(app: Flask, redis: Redis) -> Callable[[], Visit]:
    """New browsers."""
    del redis  # Emptied, so that no limit is reached.
    return lambda: Visit(app.test_client())


def signed_up(session: Session, doctor: Visit) -> None:
    """A new specialist, whose address is verified, with a profile."""
    address = identity.email("doctor")
    doctor.send("/sign-up", kind="specialist", name="Dr. Ines", email=address, password=PASSWORD)
    doctor.send("/verify-email", token=identity.mailed_token(session, address))
    doctor.send("/sign-in", email=address, password=PASSWORD)
    assert "Say who you are and where" in doctor.get("/work")
    fields = {"languages": "en", "professions": "medicine", "payout_currency": "USD"}
    doctor.send("/work/profile", time_zone="Europe/Berlin", **fields)


def verified(session: Session, doctor: Visit, operations: Visit) -> None:
    """A licence that the doctor claims and operations verifies by hand."""
    claimed = doctor.send(
        "/work/credentials/new",
        type="us_medical_license",
        identifier=specialists.licence(),
        jurisdiction="US-CA",
        specialties="cardiology",
        valid_until=(clock.now().date() + timedelta(days=400)).isoformat(),
    )
    assert "Our operations look it up in the register" in claimed.text
    assert "It asks for a verified credential in medicine" in doctor.get("/work/feed")
    staff = identity.staff(session, Role.OPERATIONS)
    operations.client.set_cookie(COOKIE, identity.cookie(session, staff))
    waiting = re.search(
        r'href="/operations/credentials/([0-9a-f-]{36})"', operations.get("/operations/credentials")
    )
    assert waiting is not None
    ticks = {f"checklist__{key}": "1" for key in specialists.ticks(3)}
    path = f"/operations/credentials/{waiting[1]}/decision"
    done = operations.send(path, outcome="verify", level="3", note=specialists.NOTE, **ticks)
    assert "Jobs that ask for it are in their feed now." in done.text


def worked(doctor: Visit, job_id: str) -> None:
    """A task that the doctor claims, drafts and hands in."""
    bench = doctor.send("/work/tasks/next", job_id=job_id)
    path = bench.request.path
    fence = re.search(r'name="fence" value="(\d+)"', bench.text)
    token = _TOKEN.search(bench.text)
    assert fence is not None
    assert token is not None
    answer = {"fence": fence[1], "choice": "a", "rationale": "It names the dose."}
    headers = {"X-CSRFToken": token[1], "If-Match": '"0"'}
    assert 200 == doctor.client.put(f"{path}/draft", data=answer, headers=headers).status_code
    assert "It names the dose." in doctor.get(path)
    home = doctor.send(f"{path}/submit", **answer, next="false")
    assert "Handed in. Thank you." in home.text


def accepted(session: Session, reviewer: Visit, lab: Actor, job_id: str) -> None:
    """The lab's owner accepts what waits for review."""
    reviewer.client.set_cookie(COOKIE, identity.cookie(session, lab))
    queue = reviewer.get(f"/lab/review/{job_id}")
    found = re.search(r"/lab/submissions/([0-9a-f-]{36})/decision", queue)
    assert found is not None
    reviewer.send(f"/lab/submissions/{found[1]}/decision", verdict="accept", note="")


def test_a_doctor_signs_up_is_verified_works_and_sees_the_pay(
    visit: Callable[[], Visit], session: Session
) -> None:
    lab, job = work.published(session, review_sample_ratio=1, instructions_md="Be kind.")
    doctor = visit()

    signed_up(session, doctor)
    verified(session, doctor, visit())
    assert job.title in doctor.get("/work/feed")
    worked(doctor, str(job.id))
    assert "In review" in doctor.get("/work/submissions")
    accepted(session, visit(), lab, str(job.id))

    assert "Accepted" in doctor.get("/work/submissions")
    earnings = doctor.get("/work/earnings")
    assert "Pending" in earnings
    assert "$4.50" in earnings
    assert "Earned in the last seven days, USD" in doctor.get("/work")
