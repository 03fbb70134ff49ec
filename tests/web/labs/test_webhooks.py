"""The pages of webhooks, and the feed and webhooks over the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.actor import Actor
from marketplace.delivery.rules.kinds import KINDS
from marketplace.ids import new_id
from tests.house.test_endpoints import Caller
from tests.make import identity, specialists
from tests.make import webhooks as make
from tests.make.webhooks import Answer


def call(caller: Caller, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of an answer that must be a success."""
    answer = caller.client.open(f"/api/v1{path}", method=method, json=body, headers=caller.bearer)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.get_json() if answer.status_code != 204 else None


def test_a_webhook_from_its_form_to_its_end(app: Flask, session: Session) -> None:
    lab = identity.lab_owner(session)
    caller = Caller(app, session, lab)
    with make.receiver() as server:

        def post(path: str, **typed: Any) -> Any:
            return caller.client.post(path, data=typed, headers=caller.form)

        def page(path: str) -> str:
            answer = caller.client.get(path, headers=caller.form)
            assert 200 == answer.status_code, path
            return answer.get_data(as_text=True)

        assert "No webhooks yet" in page("/lab/webhooks")
        refused = post("/lab/webhooks/new", url="http://example.com")
        assert (422, True) == (refused.status_code, b"begins with https://" in refused.data)
        made = post("/lab/webhooks/new", url=server.address, kinds=["job.*", "task.accepted"])
        assert (200, "no-store") == (made.status_code, made.headers["Cache-Control"])
        (hook,) = call(caller, "GET", "/webhook-endpoints")["items"]
        at = f"/lab/webhooks/{hook['id']}"
        secret = made.get_data(as_text=True).partition("whsec_")[2].partition('"')[0]
        assert secret not in page(at)
        assert "checked" in page(f"{at}/change")

        server.says = lambda _: Answer(500, body=b"<script>alert(1)</script>")
        make.told(session, lab, reference="J-7")
        make.carried()
        shown = page(at)
        assert ("Trying again" in shown, "job.created" in shown) == (True, True)
        (delivery,) = call(caller, "GET", f"/webhook-endpoints/{hook['id']}/deliveries")["items"]
        one = page(f"/lab/webhook-deliveries/{delivery['id']}")
        assert ("J-7" in one, "<script>alert" in one, "The server failed." in one) == (
            True, False, True,
        )  # fmt: skip
        for step, words in (
            ("pause", "is paused"), ("resume", "is on"), ("rotate", None), ("test", None),
        ):  # fmt: skip
            answer = post(f"{at}/{step}", overlap_hours=24)
            assert answer.status_code in {200, 303}, step
            assert words is None or words in page(at)
        assert 303 == post(f"/lab/webhook-deliveries/{delivery['id']}/again").status_code
        assert 303 == post(f"/lab/webhooks/{hook['id']}/replay", after=0).status_code
        assert 303 == post(f"{at}/retire").status_code
        assert "task.accepted" in page("/lab/webhooks/kinds")


def test_webhooks_over_the_api(app: Flask, session: Session) -> None:
    lab = identity.lab_owner(session)
    caller = Caller(app, session, lab)
    with make.receiver() as server:
        made = call(caller, "POST", "/webhook-endpoints", {"url": server.address})
        at = f"/webhook-endpoints/{made['id']}"
        assert "secret" not in call(caller, "GET", at)
        event_id = make.told(session, lab)
        call(caller, "POST", f"{at}/test", {})
        (again,) = call(caller, "POST", f"/events/{event_id}/redeliver", {})["items"]
        assert 1 == call(caller, "POST", f"{at}/replay", {"after": 0})["deliveries"] + 1
        make.carried()

        assert "endpoint.test" in {got.content(made["secret"])["type"] for got in server.got}
        whole = call(caller, "GET", f"/webhook-deliveries/{again['id']}")
        assert ("delivered", "job.created", 204) == (
            whole["state"], whole["payload"]["type"], whole["tries"][0]["status"],
        )  # fmt: skip
        changed = call(caller, "PATCH", at, {"state": "paused", "kinds": ["task.*"]})
        assert ("paused", ["task.*"]) == (changed["state"], changed["kinds"])
        assert "active" == call(caller, "PATCH", at, {"state": "active", "missed": "skip"})["state"]
        rotated = call(caller, "POST", f"{at}/rotate", {"overlap_hours": 0})
        assert (True, None) == (rotated["secret"] != made["secret"], rotated["former_until"])
        call(caller, "DELETE", at)
        assert [] == call(caller, "GET", "/webhook-endpoints")["items"]


def tell(session: Session, kind: str, lab: Actor, person: Actor | None = None) -> None:
    outbox.announce(
        session, kind, new_id(), {"task_id": new_id(), "secret": "x", "reason": "lab"},
        organisation_id=lab.organisation_id,
        person_id=person.person_id if person is not None else None,
    )  # fmt: skip
    session.flush()
    outbox.number_events(session)


@pytest.fixture
def feed(app: Flask, session: Session) -> tuple[Caller, Caller]:
    """A lab's caller, and a specialist's, with something in both feeds."""
    lab, doctor = identity.lab_owner(session), specialists.doctor(session)
    tell(session, "job.created", lab)
    tell(session, "task.seat_opened", lab)
    tell(session, "task.accepted", lab, doctor)
    tell(session, "job.paused", lab)
    outbox.announce(session, "payout.transferred", new_id(), {}, person_id=doctor.person_id)
    session.flush()
    outbox.number_events(session)
    return Caller(app, session, lab), Caller(app, session, doctor)


def test_each_reads_their_own_feed(feed: tuple[Caller, Caller]) -> None:
    lab, doctor = feed
    found = call(lab, "GET", "/events")
    assert [(1, "job.created"), (3, "task.accepted"), (4, "job.paused")] == [
        (each["number"], each["kind"]) for each in found["items"]
    ]
    assert (None, 4, {"task_id"}) == (
        found["next"], found["reached"], set(found["items"][1]["facts"]),
    )  # fmt: skip
    own = call(doctor, "GET", "/events")["items"]
    assert ["credential.changed", "task.accepted", "payout.sent"] == list(
        dict.fromkeys(each["kind"] for each in own)
    )
    assert list(range(1, len(own) + 1)) == [each["number"] for each in own]
    assert {"number": 4} == call(lab, "GET", "/events/head")


def test_a_feed_is_filtered_and_paged(feed: tuple[Caller, Caller]) -> None:
    lab, _ = feed
    page = call(lab, "GET", "/events?limit=1&kinds=job.*")
    assert (1, 1, ["job.created"]) == (
        page["next"], page["reached"], [each["kind"] for each in page["items"]],
    )  # fmt: skip
    rest = call(lab, "GET", "/events?limit=1&kinds=job.*&after=1&wait=1")
    assert (["job.paused"], None) == ([each["kind"] for each in rest["items"]], rest["next"])
    assert 4 == call(lab, "GET", "/events?kinds=export.done")["reached"]
    assert [] == call(lab, "GET", f"/events?job_id={new_id()}")["items"]
    unknown = lab.client.get("/api/v1/events?kinds=no.such", headers=lab.bearer)
    assert 422 == unknown.status_code


def test_the_catalogue_is_public(app: Flask) -> None:
    shown = app.test_client().get("/api/v1/event-kinds").get_json()["items"]

    assert list(KINDS) == [each["kind"] for each in shown]
