"""The workbench over HTTP: every task type, drafts, time, rework, and everybody else's claims."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import service as jobs_service
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.tasktypes import TASK_TYPES, Json, task_type
from marketplace.work import queries, service
from marketplace.work.models import Claim
from marketplace.work.rules import ClaimState, SubmissionState
from tests.make import endpoints, identity, images, specialists, work
from tests.make.jobs import FEE_BASIS_POINTS
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

NASTY = "<script>alert(1)</script>"


def job_of(session: Session, kind: str, **fields: object) -> Job:
    """A running job of a task type, with the type's own example as its item."""
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(1_000_00, "USD"))
    example = EXAMPLES[kind]
    job = jobs_service.create_job(
        session,
        lab,
        task_type=kind,
        title="Second opinions",
        domain="cardiology",
        instructions_md="Prefer what a colleague could act on.",
        profession="medicine",
        pay=Money(30_00, "USD"),
        template=example.template,
        **fields,  # type: ignore[arg-type]
    )
    rows = [
        json.dumps({"external_id": f"item-{at}", "payload": example.payload}).encode()
        for at in range(2)
    ]
    jobs_service.add_items(session, lab, job.id, rows)
    images.sent(lab, job.id, example.payload)
    endpoints.wanted(session, lab, example.template)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=FEE_BASIS_POINTS)
    return job


def started(desk: Browser, job: Job) -> str:
    """The address of a task that was just claimed."""
    answer = desk.post("/work/tasks/next", {"job_id": str(job.id)})
    assert 303 == answer.status_code
    assert answer.location is not None
    return answer.location


def fence(page: str) -> str:
    found = re.search(r'name="fence" value="(\d+)"', page)
    assert found is not None
    return found[1]


def draft(desk: Browser, path: str, fields: dict[str, str], tag: str) -> int:
    """Save a draft as the page's script does; the status."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.get(path).text)
    assert token is not None
    headers = {"X-CSRFToken": token[1], "If-Match": tag}
    return desk.client.put(f"{path}/draft", data=fields, headers=headers).status_code


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_every_task_type_is_worked_on_from_draft_to_submission(
    desk: Browser, session: Session, doctor: Actor, kind: str
) -> None:
    path = started(desk, job_of(session, kind))
    page = checked(desk.get(path))
    flat = task_type(kind).to_form(EXAMPLES[kind].judgement)
    if kind == "ranking":
        flat = {"ranks.r2": "1", "ranks.r1": "2", "ranks.r3": "2"}
    answer = flat | {"fence": fence(page), "rationale": f"Why: {NASTY}"}

    assert 200 == draft(desk, path, answer, '"0"')
    restored = checked(desk.get(path))
    assert "This is what you had saved before." in restored
    assert NASTY not in restored
    empty = checked(desk.post(f"{path}/submit", {"fence": fence(page)}), 422)
    assert "in the way" in text_of(empty)
    done = desk.post(f"{path}/submit", {**answer, "next": "false"})

    assert (303, "/work") == (done.status_code, done.location)
    (given, _), *_ = queries.own_submissions(session, doctor)
    judged = {key: value for key, value in given.judgement.items() if key != "unrankable"}
    # A conversation is what was held, whatever a form says of it: here none was.
    unheld: Json = {"turns": [], "messages": []} if kind == "chat" else {}
    assert EXAMPLES[kind].judgement | unheld == judged
    assert f"Why: {NASTY}" == given.rationale


def test_every_fault_leads_to_a_field_of_the_page(desk: Browser, session: Session) -> None:
    for kind in TASK_TYPES:
        path = started(desk, job_of(session, kind))
        page = desk.post(f"{path}/submit", {"fence": fence(desk.get(path).text)}).text
        led = re.findall(r'<li><a href="#([^"]+)"', page)

        assert [] != led
        assert [] == [name for name in led if f'id="{name}"' not in page], kind
        assert "is missing. Add it." not in page


def test_a_second_window_is_told_and_gets_the_newer_tag(desk: Browser, session: Session) -> None:
    path = started(desk, job_of(session, "pairwise"))
    said = fence(desk.get(path).text)

    statuses = [
        draft(desk, path, {"fence": said, "rationale": f"Version {number}."}, tag)
        for number, tag in enumerate(('"0"', '"0"', '"1"', "nonsense"))
    ]

    assert [200, 412, 200, 412] == statuses


def interval(started_at: str, ended_at: str, kind: str = "active") -> dict[str, str]:
    return {"kind": kind, "started_at": started_at, "ended_at": ended_at}


def test_time_since_the_last_heartbeat_comes_with_the_submission(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    path = started(desk, job_of(session, "pairwise"))
    page = desk.get(path).text
    now = clock.now()
    begun, ended, ages = (
        (now + timedelta(seconds=after)).isoformat() for after in (1, 41, 900_000)
    )
    spent = [interval(begun, ended), interval(ended, ages, "idle"), {"kind": "nonsense"}]
    answer: dict[str, object] = {
        "fence": fence(page),
        "choice": "a",
        "strength": "1",
        "aspects.safety": "tie",
    }

    with clock.shifted(timedelta(minutes=5)):
        refused = desk.post(
            f"{path}/submit", {"fence": fence(page), "intervals": json.dumps(spent)}
        )
        assert "started_at" in refused.text  # Nothing is booked yet, so the page has it again.
        desk.post(f"{path}/submit", {**answer, "intervals": json.dumps(spent), "next": "false"})

    (given, _), *_ = queries.own_submissions(session, doctor)
    assert 40 == given.active_seconds
    assert "40 seconds" in text_of(checked(desk.get("/work/submissions")))


@pytest.mark.parametrize("intervals", ["", "x", "{}", "[1]", '[{"kind": "active"}]', "null"])
def test_time_that_cannot_be_read_is_nobodys(
    desk: Browser, session: Session, doctor: Actor, intervals: str
) -> None:
    path = started(desk, job_of(session, "demonstration"))
    flat = task_type("demonstration").to_form(EXAMPLES["demonstration"].judgement)
    sent: dict[str, object] = {**flat, "fence": fence(desk.get(path).text)}
    sent["intervals"] = intervals

    assert 303 == desk.post(f"{path}/submit", sent).status_code

    (given, _), *_ = queries.own_submissions(session, doctor)
    assert 0 == given.active_seconds


def test_what_came_back_shows_its_reasons_and_the_former_answer(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    lab, job = work.published(session, review_sample_ratio=1)
    path = started(desk, job)
    sent = {"fence": fence(desk.get(path).text), "choice": "b", "rationale": "My first thought."}
    desk.post(f"{path}/submit", {**sent, "next": "false"})
    (given, _), *_ = queries.own_submissions(session, doctor)
    work.decided(session, lab, given, Verdict.REWORK)
    session.flush()  # The pages read by sessions of their own.

    (claim, _), *_ = queries.claims_in_hand(session, doctor)
    page = checked(desk.get(f"/work/tasks/{claim.id}"))

    assert "It came back to you." in text_of(page)
    assert "The first answer names the dose." in text_of(page)
    assert "My first thought." in page
    assert re.search(r'name="choice" value="b"[^>]* checked', page)
    ended = desk.get(path)
    assert (303, "/work") == (ended.status_code, ended.location)


def test_anothers_claim_is_not_there(
    desk: Browser, browse: Callable[[], Browser], session: Session
) -> None:
    path = started(desk, job_of(session, "pairwise"))
    held = fence(desk.get(path).text)
    stranger = browse().sign_in(session, specialists.doctor(session))

    asked = [stranger.get(path), stranger.get(f"{path}/leave")]
    asked += [
        stranger.post(f"{path}/{verb}", {"fence": held, "kind": "guideline_gap", "evidence": "x"})
        for verb in ("submit", "release", "outcome")
    ]

    assert [404] * 5 == [each.status_code for each in asked]
    assert 200 == desk.get(path).status_code


def test_a_task_that_ended_leads_away(desk: Browser, session: Session) -> None:
    path = started(desk, job_of(session, "pairwise"))

    desk.post(f"{path}/release", {"fence": fence(desk.get(path).text)})

    assert "/work" == desk.get(path).location
    assert "You gave this task back." in text_of(checked(desk.get("/work")))


def test_leaving_without_script_is_a_page_of_its_own(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    path = started(desk, job_of(session, "pairwise"))
    leaving = checked(desk.get(f"{path}/leave"))
    sent: dict[str, object] = {
        "fence": fence(leaving),
        "kind": "guideline_gap",
        "evidence": NASTY[:9],
    }

    short = checked(desk.post(f"{path}/outcome", sent), 422)
    assert "Describe it in a sentence" in text_of(short)
    assert NASTY[:9] not in short.replace("<script src", "").replace("<script type", "")
    done = desk.post(f"{path}/outcome", {**sent, "evidence": "The rules say nothing on ties."})

    assert (303, "/work") == (done.status_code, done.location)
    assert [] == queries.claims_in_hand(session, doctor)


def test_heartbeats_want_their_fence(desk: Browser, session: Session) -> None:
    path = started(desk, job_of(session, "pairwise"))
    page = desk.get(path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    headers = {"X-CSRFToken": token[1]}

    def beat(sent: object) -> int:
        return desk.client.post(f"{path}/heartbeat", json=sent, headers=headers).status_code

    assert 200 == beat({"fence": int(fence(page)), "intervals": []})
    assert 409 == beat({"fence": int(fence(page)) + 1})
    assert [422, 422, 422] == [beat({}), beat({"fence": "1"}), beat([])]


def test_late_work_on_a_free_seat_counts(desk: Browser, session: Session, doctor: Actor) -> None:
    path = started(desk, job_of(session, "demonstration"))
    flat = task_type("demonstration").to_form(EXAMPLES["demonstration"].judgement)
    sent: dict[str, object] = {**flat, "fence": fence(desk.get(path).text), "next": "false"}
    assert 200 == draft(desk, path, {name: str(value) for name, value in sent.items()}, '"0"')
    claim = session.get_one(Claim, path.rsplit("/", 1)[1])
    with clock.shifted(timedelta(hours=9)):
        assert 1 == service.expire_leases(session)
        session.flush()
        assert "Time ran out, draft kept" in text_of(checked(desk.get("/work")))
        desk.post(f"{path}/submit", sent)

    session.refresh(claim)
    (given, _), *_ = queries.own_submissions(session, doctor)
    assert (ClaimState.SUBMITTED, True) == (claim.state, given.state != SubmissionState.SURPLUS)
