"""Gold cannot be told from other items by anything that a specialist's program or browser sees.

Items with gold and without lie in one job and go through every call about a task: the same SQL in
the same number, the same headers, the same shapes of bodies and pages. What an answer to gold
scored is looked at only afterwards, in the background.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import psycopg
import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.ids import JobId
from marketplace.jobs.models import Item
from marketplace.money import Money
from marketplace.quality.models import GoldScore
from marketplace.routing import service as routing
from marketplace.web.visitors import COOKIE
from marketplace.work.models import Submission, Task
from tests.make import background, identity, jobs, specialists, work

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Which answer stands first is drawn for each seat.
PLACE = re.compile(r"First|Second")
WARM = 5  # Tasks before the first that is compared: caches fill, statements are prepared.
TASKS = 8
GOLD = {"judgement": {"choice": "a"}, "explanation": "Only the first names the dose."}


class Skeleton(HTMLParser):
    """The tags of a page with the names of their attributes, and how much text lies between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[object] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        # Times and counts of tasks done differ by a digit; words do not.
        self.parts.append("".join(each for each in data if each.isalpha()))


def shape(value: Any) -> Any:
    """The names and kinds of a body, without what they say."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


def seen(answer: TestResponse) -> Any:
    """All of an answer that could tell one kind of item from another."""
    headers = sorted((name.lower() for name, _ in answer.headers))
    if answer.mimetype == "text/html":
        return (
            answer.status_code,
            headers,
            Skeleton(PLACE.sub("A", ID.sub("id", answer.text))).parts,
        )
    body = answer.get_json() if answer.data else None
    # A list of one's answers grows by one with each task; its rows must be alike.
    if isinstance(body, dict) and isinstance(body.get("items"), list):
        body = body | {"items": body["items"][:1]}
    return answer.status_code, headers, shape(body)


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements of this thread that reach the driver meanwhile, by their text.

    Servers of other tests may still ask for work of theirs in threads of this process.
    """
    said: list[str] = []
    mine = threading.get_ident()
    with monkeypatch.context() as patch:
        run = psycopg.Cursor.execute

        def noted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
            # Savepoints are numbered, which is no part of what is asked.
            if threading.get_ident() == mine:
                said.append(re.sub(r"savepoint_\d+", "savepoint", str(query)))
            return run(self, query, *given, **more)

        patch.setattr(psycopg.Cursor, "execute", noted)
        yield said


class World:
    """A job in which every other item has gold, and somebody who works in it."""

    def __init__(self, app: Flask, session: Session) -> None:
        lab = identity.lab_owner(session)
        work.money_in(session, lab, Money(10_000_00, "USD"))
        lines = [
            jobs.line(f"item-{n}", jobs.pair(n), **({"gold": GOLD} if n % 2 else {}))
            for n in range(10, 10 + WARM + TASKS + 2)
        ]
        job = jobs.filled(session, lab, items=lines, claims_live_max=2)
        routing.publish_job(session, lab, JobId(job.id), fee_basis_points=jobs.FEE_BASIS_POINTS)
        self.app, self.session, self.job = app, session, job
        self.person = specialists.doctor(session)
        self.client = app.test_client()
        self.bearer = {"Authorization": f"Bearer {identity.token(session, self.person)}"}

    def api(self, method: str, path: str, **more: Any) -> TestResponse:
        """Call the API as the specialist's program."""
        headers = self.bearer | more.pop("headers", {})
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def last_submission(self) -> Any:
        """The id of the answer that was handed in last."""
        own = select(Submission.id).where(Submission.specialist_id == self.person.person_id)
        return self.session.scalars(own.order_by(Submission.id.desc()).limit(1)).one()

    def last_was_gold(self) -> bool:
        """Whether the item of the answer that was handed in last has gold."""
        newest = (
            select(Item.gold)
            .join(Task, Task.item_id == Item.id)
            .join(Submission, Submission.task_id == Task.id)
            .where(Submission.specialist_id == self.person.person_id)
            .order_by(Submission.id.desc())
            .limit(1)
        )
        return self.session.scalars(newest).one() is not None


def over_the_api(world: World) -> Iterator[tuple[str, TestResponse]]:
    """One task from claim to list, as (step, answer); the first names the task."""
    yield "feed", world.api("GET", "/feed")
    claimed = world.api("POST", "/claims", json={"job_id": str(world.job.id)})
    yield "claim", claimed
    claim = claimed.get_json()
    path, fence = f"/claims/{claim['id']}", {"fence": claim["fence"]}
    yield "look", world.api("GET", path)
    draft = fence | {"judgement": {"choice": "b"}}
    yield "draft", world.api("PUT", f"{path}/draft", json=draft, headers={"If-Match": '"0"'})
    yield "heartbeat", world.api("POST", f"{path}/heartbeat", json=fence)
    answer = fence | {"judgement": {"choice": "b"}, "rationale": "The doses differ.", "next": True}
    handed_in = world.api("POST", f"{path}/submission", json=answer)
    yield "submit", handed_in
    submission = handed_in.get_json()["submission"]["id"]
    yield "receipt", world.api("GET", f"/submissions/{submission}/receipt")
    following = handed_in.get_json()["claim"]
    given_back = {"fence": following["fence"]}
    released = world.api("POST", f"/claims/{following['id']}/release", json=given_back)
    assert released.status_code < 300
    yield "list", world.api("GET", "/submissions")


def over_pages(world: World) -> Iterator[tuple[str, TestResponse]]:
    """One task by the pages, as (step, answer)."""
    client = world.client
    client.set_cookie(COOKIE, identity.cookie(world.session, world.person))
    token = client.get("/reset-password").text.split('name="csrf_token" value="')[1].split('"')[0]
    form, headers = {"csrf_token": token}, {"X-CSRFToken": token}
    yield "feed", client.get("/work/feed")
    claimed = client.post("/work/tasks/next", data=form | {"job_id": str(world.job.id)})
    yield "claim", claimed
    where = claimed.headers["Location"]
    page = client.get(where)
    yield "look", page
    fence = page.text.split('name="fence" value="')[1].split('"')[0]
    answer = form | {"fence": fence, "choice": "b", "next": "false"}
    yield "draft", client.put(f"{where}/draft", data=answer, headers=headers | {"If-Match": '"0"'})
    beat = {"fence": int(fence), "intervals": []}
    yield "heartbeat", client.post(f"{where}/heartbeat", json=beat, headers=headers)
    handed_in = client.post(f"{where}/submit", data=answer)
    assert 303 == handed_in.status_code
    yield "submit", handed_in
    yield "home", client.get("/work")
    yield "receipt", client.get(f"/work/submissions/{world.last_submission()}")


def walked(
    world: World,
    walk: Callable[[World], Iterator[tuple[str, TestResponse]]],
    monkeypatch: pytest.MonkeyPatch,
    redis: Redis,
) -> dict[bool, dict[str, set[str]]]:
    """By whether a task's item has gold, and by step: all that was seen and asked, as texts."""
    found: dict[bool, dict[str, set[str]]] = {True: defaultdict(set), False: defaultdict(set)}
    for number in range(WARM + TASKS):
        redis.flushdb()
        steps: list[tuple[str, str]] = []
        with statements(monkeypatch) as said:
            for step, answer in walk(world):
                steps.append((step, repr((seen(answer), said[:]))))
                said.clear()
        gold = world.last_was_gold()
        for step, text in steps if number >= WARM else []:
            found[gold][step].add(text)
    return found


@pytest.mark.parametrize("walk", [over_the_api, over_pages])
def test_gold_looks_like_any_other_item(
    app: Flask,
    session: Session,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    walk: Callable[[World], Iterator[tuple[str, TestResponse]]],
) -> None:
    world = World(app, session)

    found = walked(world, walk, monkeypatch, redis)

    assert found[True].keys() == found[False].keys()
    for step, plain in found[False].items():
        assert plain == found[True][step], step
    assert [] == session.scalars(select(GoldScore)).all()  # Nothing was scored on the way.
    background.number_facts()
    background.run("quality.score_gold")
    assert [] != session.scalars(select(GoldScore)).all()
