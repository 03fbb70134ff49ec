"""What models said, on the wire: shown to who audits it, hidden from who calibrates a judge."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.tasktypes import Json, task_type
from marketplace.work import queries, service
from marketplace.work.rules import Envelope
from tests.make import identity, specialists, work
from tests.make.prelabelled import MODEL, SAID, job_of
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


@pytest.fixture
def call(app: Flask, session: Session) -> Callable[..., TestResponse]:
    """Calls the API as somebody: method, path, and what the test client takes."""

    def made(actor: Actor, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {identity.token(session, actor)}"}
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    return made


def open_task(desk: Browser, job: Job) -> tuple[str, str]:
    """Path and page of the next task."""
    claimed = desk.post("/work/tasks/next", {"job_id": str(job.id)})
    assert claimed.location is not None
    return claimed.location, checked(desk.get(claimed.location))


def fence(page: str) -> str:
    found = re.search(r'name="fence" value="(\d+)"', page)
    assert found is not None
    return found[1]


def hand_in(desk: Browser, path: str, page: str, judgement: Json, kind: str) -> TestResponse:
    fields = task_type(kind).to_form(judgement) | {"fence": fence(page), "next": "false"}
    return desk.post(f"{path}/submit", dict(fields))


def test_a_judges_verdict_is_on_no_page_and_in_no_answer_before_ones_own(
    desk: Browser, session: Session, doctor: Actor, call: Callable[..., TestResponse]
) -> None:
    _, job = job_of(session, "judge_calibration", items=2)
    path, page = open_task(desk, job)
    wire = [page, desk.get("/work").text, desk.get(f"/work/jobs/{job.id}").text]
    claim_id = path.rpartition("/")[2]
    for get in (f"/claims/{claim_id}", f"/claims/{claim_id}/draft", "/feed", "/task-types"):
        wire.append(call(doctor, "GET", get).text)
    empty = desk.post(f"{path}/submit", {"fence": fence(page)})
    wire.append(checked(empty, 422))

    assert [] == [each for each in wire if MODEL in each or "prelabel" in each.lower()]

    judgement = EXAMPLES["judge_calibration"].judgement
    answer = hand_in(desk, path, page, judgement, "judge_calibration")
    assert answer.location is not None
    receipt = text_of(checked(desk.get(answer.location)))
    assert MODEL in receipt
    assert "differs" in receipt
    # The second item's judge stays hidden still.
    following = call(doctor, "POST", "/claims", json={"job_id": str(job.id)})
    assert (201, False) == (following.status_code, MODEL in following.text)


def test_a_fault_of_a_judge_is_noted_beside_the_verdict_and_changes_nothing(
    desk: Browser, session: Session, doctor: Actor, call: Callable[..., TestResponse]
) -> None:
    lab, job = job_of(session, "judge_calibration")
    path, page = open_task(desk, job)
    judgement = EXAMPLES["judge_calibration"].judgement
    where = hand_in(desk, path, page, judgement, "judge_calibration").location
    assert where is not None

    unsaid = checked(desk.post(f"{where}/judge-faults", {"judge": "0", "tag": ""}), 422)
    assert "in the way" in text_of(unsaid)
    fault = {"judge": "0", "tag": "missed_error", "dimension": "safe"}
    for _ in range(2):
        assert 303 == desk.post(f"{where}/judge-faults", dict(fault)).status_code

    submission_id = SubmissionId(where.rpartition("/")[2])  # type: ignore[arg-type]
    assert text_of(checked(desk.get(where))).count("It missed an error, on “It is safe”") == 1
    told = call(doctor, "GET", f"/submissions/{submission_id}/receipt").json
    assert told is not None
    assert (judgement, ["missed_error"]) == (
        told["judgement"],
        [each["tag"] for each in told["addenda"]],
    )
    body = {"model": MODEL, "version": "1", "tag": "facts"}
    made = call(doctor, "POST", f"/submissions/{submission_id}/judge-faults", json=body)
    assert 201 == made.status_code
    wrong = call(doctor, "POST", f"/submissions/{submission_id}/judge-faults",
                 json={"model": "another", "tag": "charm", "dimension": "mood"})  # fmt: skip
    assert {"/model", "/tag", "/dimension"} == {
        each["pointer"] for each in (wrong.json or {})["errors"]
    }
    for stranger in (lab, specialists.doctor(session)):
        answer = call(stranger, "GET", f"/submissions/{submission_id}/receipt")
        assert answer.status_code in {403, 404}


def test_what_was_added_never_changes(desk: Browser, session: Session, doctor: Actor) -> None:
    _, job = job_of(session, "judge_calibration")
    path, page = open_task(desk, job)
    hand_in(desk, path, page, EXAMPLES["judge_calibration"].judgement, "judge_calibration")
    (given, _), *_ = queries.own_submissions(session, doctor)
    service.add_judge_fault(session, doctor, given.id, model=MODEL, version="1", tag="facts")

    for statement in ("UPDATE addendum SET content = '{}'", "DELETE FROM addendum"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))
    with pytest.raises(Missing):
        queries.receipt_of(session, specialists.doctor(session), given.id)


def test_a_lab_may_keep_its_judge_to_itself(desk: Browser, session: Session) -> None:
    _, job = job_of(session, "judge_calibration", reveal="never")
    path, page = open_task(desk, job)

    judgement = EXAMPLES["judge_calibration"].judgement
    answer = hand_in(desk, path, page, judgement, "judge_calibration")

    assert "/work" == answer.location
    listed = desk.get("/work/submissions").text
    found = re.search(r'href="(/work/submissions/[0-9a-f-]{36})"', listed)
    assert found is not None
    assert MODEL not in checked(desk.get(found[1]))


def test_a_models_critique_is_audited_finding_by_finding(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    _, job = job_of(session, "critique_revise")
    path, page = open_task(desk, job)
    assert MODEL in page
    assert "0.87" not in page
    assert "Do not take two." in page  # The form starts from the model's revision.
    ours = {
        "findings.safety.violates": "true",
        "findings.safety.critique": "A doubled dose 💊.\r\n",
        "findings.honesty.violates": "false",
        "revision": "Never take two.",
        "fence": fence(page),
        "next": "false",
    }
    unsaid = checked(desk.post(f"{path}/submit", dict(ours)), 422)
    assert "keep it, edit it or reject it" in text_of(unsaid)
    audited: dict[str, object] = {**ours, "findings.safety.audit": "edited"}
    assert 303 == desk.post(f"{path}/submit", audited).status_code

    (given, _), *_ = queries.own_submissions(session, doctor)
    safety, honesty = given.judgement["findings"]
    assert ("kept", "model") == (safety["audit"], safety["said_by"])
    assert "specialist" == honesty["said_by"]
    assert {"model": MODEL, "version": "1"} == given.judgement["audited"]
    assert "Do not take two." == given.judgement["revision_origin"]["model_said"]["revision"]


def test_a_correction_starts_from_the_pre_label_and_tells_what_became_of_it(
    desk: Browser, session: Session, doctor: Actor, browse: Callable[[], Browser]
) -> None:
    lab, job = job_of(session, "correction", show_confidence=False)
    path, page = open_task(desk, job)
    assert 'value="25"' in page
    assert "0.87" not in page
    assert "87" not in text_of(page)

    judgement = EXAMPLES["correction"].judgement
    claimed = {**judgement, "elements": [{"path": "/dose", "op": "kept"}]}
    assert 303 == hand_in(desk, path, page, claimed, "correction").status_code

    (given, _), *_ = queries.own_submissions(session, doctor)
    changed = [each for each in given.judgement["elements"] if each["op"] != "kept"]
    assert [{"path": "/dose", "op": "edited", "was": 25}] == changed
    review = browse().sign_in(session, lab)
    shown = text_of(checked(review.get(f"/lab/submissions/{given.id}")))
    assert "/dose was 25" in shown
    assert f"Made by {MODEL} 1" in shown


def test_confidence_is_shown_where_the_lab_wants_it(desk: Browser, session: Session) -> None:
    _, job = job_of(session, "correction", show_confidence=True, show_model=False)

    _, page = open_task(desk, job)

    assert "87 % sure" in text_of(page).replace("\xa0", " ") or "87% sure" in text_of(page)
    assert MODEL not in page


def test_the_same_answer_sent_twice_is_one_submission(
    session: Session, doctor: Actor, call: Callable[..., TestResponse]
) -> None:
    _, job = job_of(session, "critique_revise")
    claim = call(doctor, "POST", "/claims", json={"job_id": str(job.id)}).json
    assert claim is not None
    assert MODEL == claim["task"]["payload"]["prelabels"][0]["model"]
    judgement = {
        "findings": [
            {**SAID["critique_revise"]["findings"][0], "audit": "kept"},
            {"principle_id": "honesty", "violates": False},
        ],
        "revision": "Do not take two.",
    }
    body = {"fence": claim["fence"], "judgement": judgement}
    answers = [
        call(doctor, "POST", f"/claims/{claim['id']}/submission", json=body).json for _ in range(2)
    ]

    first, second = ((each or {})["submission"] for each in answers)
    assert first["id"] == second["id"]
    assert "kept" == first["judgement"]["findings"][0]["audit"]


@pytest.mark.parametrize("kind", sorted(SAID))
def test_a_lab_sees_what_its_models_said(
    session: Session, browse: Callable[[], Browser], doctor: Actor, kind: str
) -> None:
    lab, job = job_of(session, kind)
    owner = browse().sign_in(session, lab)

    items = text_of(checked(owner.get(f"/lab/jobs/{job.id}/items")))
    assert f"What {MODEL} 1 said, 87" in items

    if kind == "judge_calibration":
        envelope = Envelope(judgement=EXAMPLES[kind].judgement)
        given = work.submitted(session, doctor, job, envelope)
        page = f"/lab/submissions/{given.id}"
        assert f"{MODEL} 1" not in text_of(checked(owner.get(page)))  # It would lead the reviewer.
        work.decided(session, lab, given)
        assert f"{MODEL} 1" in text_of(checked(owner.get(page)))


@pytest.mark.parametrize("kind", sorted(SAID))
def test_templates_are_typed_as_yaml_and_come_back_in_the_builder(
    session: Session, browse: Callable[[], Browser], kind: str
) -> None:
    lab = identity.lab_owner(session)
    owner = browse().sign_in(session, lab)
    fields = {
        "task_type": kind,
        "title": "A job",
        "template_text": yaml.safe_dump(EXAMPLES[kind].template),
        "pay": "9.00",
        "currency": "USD",
        "pay_per": "task",
        "expected_minutes": "5",
        "lease_minutes": "30",
        "overlap_min": "1",
        "overlap_max": "1",
        "review_percent": "5",
        "ai_policy": "disclosed",
        "profession": "medicine",
        "credential_level_min": "2",
    }
    kept = owner.post("/lab/jobs/new", dict(fields))
    assert 303 == kept.status_code, text_of(kept.text)

    (job,) = jobs.jobs_of(session, lab)
    version = jobs.template_version(session, lab, job.id)

    assert EXAMPLES[kind].template == version.template
    checked(owner.get(f"/lab/jobs/{job.id}/edit"))
