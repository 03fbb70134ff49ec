"""Talking to models over HTTP: without script, in part, over the API, and with slow models."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.ids import JobId
from marketplace.work import queries
from tests.make import endpoints, identity, specialists
from tests.make import work as make
from tests.make.endpoints import KEY, Served
from tests.web.conftest import Browser
from tests.web.pages import checked

PART = {"HX-Request": "true"}


@pytest.fixture
def models(session: Session) -> Iterator[Served]:
    with endpoints.models() as served:
        yield served


class Desk:
    """A doctor's browser at one claim of a chat."""

    def __init__(self, session: Session, browser: Browser, **job: Any) -> None:
        self.doctor = specialists.doctor(session)
        self.lab, self.job = endpoints.chat_job(session, **job)
        self.claim = make.claimed(session, self.doctor, self.job)
        session.flush()
        self.browser = browser.sign_in(session, self.doctor)
        self.path = f"/work/tasks/{self.claim.id}"

    def step(
        self, name: str, turn: int, *, part: bool = True, edit: str = "", **fields: Any
    ) -> TestResponse:
        if edit:
            fields |= {f"editing.{fields['choice']}": edit}
        form = {"csrf_token": self.browser.form_token(), "fence": self.claim.fence}
        form |= {"turn": turn, "attempt": 1}
        address = f"{self.path}/conversation/{name}"
        headers = PART if part else {}
        return self.browser.client.post(address, data={**form, **fields}, headers=headers)


def state(answer: TestResponse) -> str:
    found = re.search(r'data-state="(\w+)"', answer.text)
    return found[1] if found else answer.text[:400]


def test_each_step_draws_the_conversation_anew(
    browser: Browser, session: Session, models: Served
) -> None:
    desk = Desk(session, browser)

    assert "choosing" == state(desk.step("say", 1, saying="Hello"))
    assert "choosing" == state(desk.step("choice", 1, choice="neither"))
    page = checked(browser.get(desk.path))
    again = desk.step("choice", 1, choice="b", edit="Another reply", attempt=2)
    stale = desk.step("say", 1, saying="From an old window")

    assert "Another reply" in again.text
    assert ("open", 409) == (state(stale), stale.status_code)
    assert "From an old window" in stale.text
    for shown in (page, again.text):
        assert {"echo-warm", KEY} & set(re.findall(r"[\w-]+", shown)) == set()


def test_without_script_what_stands_in_the_form_is_kept(
    browser: Browser, session: Session, models: Served
) -> None:
    desk = Desk(session, browser)

    said = desk.step("say", 1, part=False, saying="Hello", rationale="I have a reason.")
    page = checked(browser.get(desk.path))
    empty = desk.step("choice", 1, part=False, choice="z", rationale="A better reason.")

    assert (303, f"{desk.path}#talk") == (said.status_code, said.location)
    assert "I have a reason." in page
    assert 'name="saying"' not in page
    assert 303 == empty.status_code
    assert "A better reason." in checked(browser.get(desk.path))


def test_a_model_that_fails_leaves_a_button_and_no_words_of_its_server(
    browser: Browser, session: Session, models: Served
) -> None:
    desk = Desk(session, browser, api_key="not-the-key-of-the-sandbox")

    failed = desk.step("say", 1, saying="Hello")

    assert "unanswered" == state(failed)
    assert "The model cannot be reached as the lab set it up." in failed.text
    assert "not-the-key" not in failed.text
    assert f"{desk.path}/conversation/ask" in failed.text


def test_the_api_holds_a_conversation_and_its_author_never_learns_the_models(
    app: Flask, session: Session, models: Served, browser: Browser
) -> None:
    desk = Desk(session, browser)
    bearer = {"Authorization": f"Bearer {identity.token(session, desk.doctor)}"}
    client, base = app.test_client(), f"/api/v1/claims/{desk.claim.id}"
    fence = {"fence": desk.claim.fence, "turn": 1}

    first = client.post(
        f"{base}/conversation/turns", json={**fence, "said": "Hello"}, headers=bearer
    ).json
    chosen = client.post(
        f"{base}/conversation/choice", json={**fence, "choice": "tie"}, headers=bearer
    ).json
    given = client.post(
        f"{base}/submission",
        json={"fence": desk.claim.fence, "judgement": {"ratings": {"helpful": {"score": 5}}}},
        headers=bearer,
    ).json

    assert first is not None
    assert chosen is not None
    assert given is not None
    assert ("choosing", "open") == (first["state"], chosen["state"])
    (turn,) = given["submission"]["judgement"]["turns"]
    assert "tie" == turn["choice"]
    assert "echo-warm" not in str(first) + str(chosen) + str(given["submission"]["judgement"])
    (view, *_) = queries.submissions_of(session, desk.lab, JobId(desk.job.id))
    assert "echo-warm" in str(view.submission.judgement)


def test_a_key_is_written_and_never_read_back(
    app: Flask, session: Session, models: Served, browser: Browser
) -> None:
    lab = identity.lab_owner(session)
    made = endpoints.endpoint(session, lab)
    session.flush()
    desk = browser.sign_in(session, lab)
    bearer = {"Authorization": f"Bearer {identity.token(session, lab)}"}
    client, path = app.test_client(), f"/api/v1/model-endpoints/{made.id}"
    form = {"name": "two words", "base_url": "ftp://x", "model": "", "api_key": KEY}

    shown = [
        checked(desk.get("/lab/models")),
        checked(desk.get(f"/lab/models/{made.id}")),
        checked(desk.post("/lab/models/new", dict(form)), 422),
        checked(desk.post(f"/lab/models/{made.id}", dict(form)), 422),
        client.get(path, headers=bearer).text,
        client.get("/api/v1/model-endpoints", headers=bearer).text,
        client.patch(path, json={"api_key": KEY, "turns_max": 3}, headers=bearer).text,
    ]
    tried = client.post(f"{path}/test", headers=bearer).json

    assert [] == [page for page in shown if KEY in page]
    assert tried is not None
    assert "answered" == tried["outcome"]
    session.refresh(made)
    assert [KEY, 3] == [made.api_key, made.turns_max]


@pytest.fixture
def crowd(app: Flask, committed: Engine, redis: Any) -> Callable[[int], list[tuple[Actor, Any]]]:
    """So many doctors with a claim each, of one job whose model takes three seconds."""
    del committed, redis, app

    def make_them(count: int) -> list[tuple[Actor, Any]]:
        found = []
        for _ in range(count):
            with transaction() as session:
                candidates = [{"endpoint": "echo"}, {"endpoint": "echo-slow-3"}]
                _, job = endpoints.chat_job(session, template={"candidates": candidates})
                doctor = specialists.doctor(session)
                found.append((doctor, make.claimed(session, doctor, job)))
        return found

    return make_them


def test_five_people_and_a_slow_model_leave_the_site_to_the_others(
    app: Flask, crowd: Callable[[int], list[tuple[Actor, Any]]]
) -> None:
    with endpoints.models(model_turns_at_once=2):
        people = crowd(5)
        answers: list[tuple[str, float]] = []

        def talk(doctor: Actor, claim: Any) -> None:
            browser = Browser(app.test_client())
            with transaction() as session:
                browser.sign_in(session, doctor)
            form = {"csrf_token": browser.form_token(), "fence": claim.fence, "turn": 1}
            address = f"/work/tasks/{claim.id}/conversation/say"
            began = time.monotonic()
            answer = browser.client.post(address, data={**form, "saying": "Hello"}, headers=PART)
            answers.append((state(answer), time.monotonic() - began))

        threads = [threading.Thread(target=talk, args=each) for each in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # Two wait for the model; the others get their threads back at once, their words kept.
    assert ["choosing"] * 2 + ["unanswered"] * 3 == sorted(said for said, _ in answers)
    assert all(seconds < 3 for said, seconds in answers if said == "unanswered")
