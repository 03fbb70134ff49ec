"""Input that no client means: refused with a reason, kept by nobody, and never a 500."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace import limits, storage
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.jobs.models import JobImport
from tests.make import identity, jobs, specialists, work

Send = Callable[..., TestResponse]
JSON = "application/json"
JOB = {"title": "Blood pressure", "task_type": "pairwise"}


@pytest.fixture
def send(app: Flask, session: Session, redis: Redis) -> Send:
    """Calls the API as an actor: method, path below /api/v1, and what the test client takes."""
    tokens: dict[Actor, str] = {}

    def call(actor: Actor, method: str, path: str, **options: Any) -> TestResponse:
        token = tokens.setdefault(actor, identity.token(session, actor))
        headers = {"Authorization": f"Bearer {token}"} | options.pop("headers", {})
        session.flush()
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    return call


def said(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a problem."""
    assert "application/problem+json" == answer.content_type
    return answer.status_code, (answer.json or {})["code"]


def pointers(answer: TestResponse) -> set[str]:
    """Where the faults are."""
    return {fault["pointer"] for fault in (answer.json or {})["errors"]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": ' + b"[" * 100_000,
        b'{"title": ' + b"1" * 5_000 + b"}",
        b'{"title": NaN}',
        b'{"title": "\xff"}',
        b'{"title": "x"',
    ],
    ids=["deep", "digits", "nan", "latin1", "cut"],
)
def test_a_body_that_cannot_be_read_is_a_400(session: Session, send: Send, body: bytes) -> None:
    answer = send(identity.lab_owner(session), "POST", "/jobs", data=body, content_type=JSON)

    assert (400, "malformed") == said(answer)


def test_what_no_row_could_hold_is_pointed_at(session: Session, send: Send) -> None:
    body = b'{"title": "a\\u0000b", "domain": "\\ud800", "lease_seconds": 99999999999999999999}'

    answer = send(identity.lab_owner(session), "POST", "/jobs", data=body, content_type=JSON)

    assert (422, "faulty_input") == said(answer)
    assert {"/title", "/domain", "/lease_seconds"} == pointers(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_called_json_is_a_415(session: Session, send: Send, kind: str) -> None:
    finance = identity.staff(session, Role.PREPARER)

    answer = send(
        finance, "POST", "/finance/payout-runs", data=b'{"currency": "EUR"}', content_type=kind
    )

    assert 415 == answer.status_code
    assert "application/problem+json" == answer.content_type


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_deadline_beyond_the_calendar_is_refused(session: Session, send: Send, end: str) -> None:
    lab = identity.lab_owner(session)

    refused = send(lab, "POST", "/jobs", json=JOB | {"deadline_at": end})

    assert {"/deadline_at"} == pointers(refused)
    assert 200 == send(lab, "GET", "/jobs").status_code


@pytest.mark.parametrize(
    "path",
    [
        "/finance/trial-balance?at=9999-12-31T23:59:59-23:59",
        "/finance/trial-balance?at=0001-01-01T00:00:00%2B23:59",
        "/finance/trial-balance?after=%00",
        "/finance/accounts/%00/entries",
    ],
)
def test_questions_about_the_book_that_mean_nothing_are_refused(
    session: Session, send: Send, path: str
) -> None:
    answer = send(identity.staff(session, Role.AUDITOR), "GET", path)

    assert answer.status_code in {400, 422}
    assert "application/problem+json" == answer.content_type


def test_numbers_beyond_the_database_are_refused(session: Session, send: Send) -> None:
    finance = identity.staff(session, Role.PREPARER)

    cursor = send(identity.lab_owner(session), "GET", f"/events?after={2**63}")
    least = send(finance, "POST", "/finance/payout-runs", json={"minimum_minor": 2**63 - 1})

    assert (422, 422) == (cursor.status_code, least.status_code)


@pytest.mark.parametrize("text", ["\0", "\ud800"])
@pytest.mark.parametrize("field", ["rationale", "references", "ai_use", "judgement"])
def test_an_answer_that_no_row_could_hold_is_refused(
    session: Session, send: Send, field: str, text: str
) -> None:
    _, job = work.published(session)
    doctor = specialists.doctor(session)
    claim = work.claimed(session, doctor, job)
    odd: dict[str, Any] = {
        "rationale": text,
        "references": [{"type": "book", "citation": text}],
        "ai_use": {"used": True, "tool": text},
        "judgement": {"choice": "a", text: 1},
    }
    body = {"fence": claim.fence, "judgement": {"choice": "a"}} | {field: odd[field]}
    draft = {"If-Match": '"0"'}

    answers = [
        send(doctor, "POST", f"/claims/{claim.id}/submission", json=body),
        send(doctor, "PUT", f"/claims/{claim.id}/draft", json=body, headers=draft),
    ]

    assert [(422, "faulty_input")] * 2 == [said(answer) for answer in answers]


def test_tries_at_a_payout_code_are_counted_over_the_api_too(session: Session, send: Send) -> None:
    approver = identity.staff(session, Role.APPROVER)
    body = {"content_sha256": "0" * 64, "totp_code": "000000"}
    path = f"/finance/payout-runs/{new_id()}/approve"
    allowed = int(limits.SECOND_FACTOR.rule.split("/")[0])

    codes = [send(approver, "POST", path, json=body).status_code for _ in range(allowed + 1)]

    assert {404} == set(codes[:-1])
    assert 429 == codes[-1]


def upload(name: str, content: bytes) -> dict[str, Any]:
    """A form with one file."""
    return {"data": {"file": (io.BytesIO(content), name)}}


def test_the_same_key_imports_a_file_once(session: Session, send: Send) -> None:
    lab = identity.lab_owner(session)
    path = f"/jobs/{jobs.draft(session, lab).id}/imports"
    key = {"headers": {"Idempotency-Key": "one"}}

    first = send(lab, "POST", path, **upload("a.jsonl", jobs.line("1")), **key)
    again = send(lab, "POST", path, **upload("a.jsonl", jobs.line("1")), **key)
    other = send(lab, "POST", path, **upload("a.jsonl", jobs.line("2")), **key)

    assert (202, 202, first.json) == (first.status_code, again.status_code, again.json)
    assert (409, "idempotency_key_reused") == said(other)
    assert 1 == session.scalar(select(func.count()).select_from(JobImport))


def test_a_file_that_is_refused_is_not_kept(session: Session, send: Send) -> None:
    lab = identity.lab_owner(session)
    path = f"/jobs/{jobs.draft(session, lab).id}/imports"
    kept: list[str] = []
    store = storage.current()

    class Watched:
        """The store, with a list of what is in it."""

        def put(self, reference: str, source: Any) -> int:
            kept.append(reference)
            return store.put(reference, source)

        def delete(self, reference: str) -> None:
            kept.remove(reference)
            store.delete(reference)

        def open(self, reference: str, *, offset: int = 0) -> Any:
            return store.open(reference, offset=offset)

    storage.use(Watched())  # type: ignore[arg-type]
    try:
        refused = send(lab, "POST", path, **upload("a.pdf", b"%PDF-1.7"))
    finally:
        storage.use(store)

    assert 422 == refused.status_code
    assert [] == kept


def test_a_deadline_at_the_end_of_what_is_taken_can_be_read_back(
    session: Session, send: Send
) -> None:
    lab = identity.lab_owner(session)
    made = send(lab, "POST", "/jobs", json=JOB | {"deadline_at": "2100-12-31T23:59:59-12:00"})

    assert 201 == made.status_code
    assert 1 == len((send(lab, "GET", "/jobs").json or {})["items"])


def test_time_that_cannot_have_been_is_refused(session: Session, send: Send) -> None:
    _, job = work.published(session)
    doctor = specialists.doctor(session)
    claim = work.claimed(session, doctor, job)
    path = f"/claims/{claim.id}"

    def beat(start: str, end: str) -> TestResponse:
        spent = {"kind": "active", "started_at": start, "ended_at": end}
        return send(
            doctor, "POST", f"{path}/heartbeat", json={"fence": claim.fence, "intervals": [spent]}
        )

    for start, end, place in (
        ("2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "ended_at"),
        ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "started_at"),
        (claim.claimed_at.isoformat(), "2099-01-01T00:00:00Z", "ended_at"),
    ):
        answer = beat(start, end)
        assert (422, "faulty_input") == said(answer)
        assert {f"/intervals/0/{place}"} == pointers(answer)
    at = claim.claimed_at
    assert 200 == beat(at.isoformat(), (at + timedelta(seconds=1)).isoformat()).status_code
