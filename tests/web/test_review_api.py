"""Review over the API: rules, a blind queue, structured defects, reviewers, contested items."""

from __future__ import annotations

from typing import Any

from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.review import service
from marketplace.review.rules import Verdict
from tests.make import identity
from tests.review.world import WHY, world


class Program:
    """A program with somebody's token."""

    def __init__(self, app: Flask, session: Session, actor: Actor) -> None:
        self.client, self.session = app.test_client(), session
        self.bearer = {"Authorization": f"Bearer {identity.token(session, actor)}"}

    def ask(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        """What the API answers."""
        self.session.flush()
        more: dict[str, Any] = {"json": body} if body else {}
        path = f"/api/v1{path}"
        answer = self.client.open(path, method=method, headers=self.bearer, **more)
        assert status == answer.status_code, answer.text
        return answer.json


def test_a_queue_is_blind_and_defects_have_codes_and_places(
    app: Flask, session: Session, redis: Redis
) -> None:
    here = world(session)
    given = here.answered()
    here.said(given, Verdict.REJECT, by=here.reviewers[0])
    fresh = here.answered()
    service.draw_waiting(session)
    second = Program(app, session, here.reviewers[1])

    queue = second.ask("GET", f"/jobs/{here.job.id}/review-queue")["items"]
    assert [str(given.id), str(fresh.id)] == [row["id"] for row in queue]
    assert [("in_review", None)] * 2 == [(row["state"], row["decided_at"]) for row in queue]
    listed = second.ask("GET", f"/jobs/{here.job.id}/submissions")["items"]
    assert [None, None] == [row["decision"] for row in listed]
    codes = second.ask("GET", f"/jobs/{here.job.id}/defect-codes")["items"]
    assert "wrong_preference" in [row["code"] for row in codes]

    defect = {"what": "B is right.", "severity": "major", "code": "wrong_preference"}
    wrong: dict[str, Any] = {"verdict": "rework", "defects": [defect | {"place": "step:4"}]}
    path = f"/submissions/{fresh.id}/decision"
    refused = second.ask("POST", path, 422, **wrong)
    assert ["/defects/0/place"] == [fault["pointer"] for fault in refused["errors"]]
    right: dict[str, Any] = {"verdict": "rework", "defects": [defect | {"place": "choice"}]}
    said = second.ask("POST", path, **right)
    assert ("Choice", 1, False) == (
        said["defects"][0]["where"],
        said["defects"][0]["guideline_version"],
        said["held"],
    )
    second.ask("POST", f"/submissions/{given.id}/decision", verdict="accept")
    records = Program(app, session, here.owner).ask("GET", f"/jobs/{here.job.id}/reviewers")
    first = next(
        row for row in records["items"] if row["reviewer_id"] == str(here.reviewers[0].person_id)
    )
    assert (1, 1, 1) == (first["rejected"], first["checked"], first["overturned"])


def test_rules_and_contested_items(app: Flask, session: Session, redis: Redis) -> None:
    here = world(session, items=1, overlap_min=2, overlap_max=2)
    first, second = here.answered("a"), here.answered("b")
    owner = Program(app, session, here.owner)
    path = f"/jobs/{here.job.id}/review-rules"
    assert {"days_max": 7, "second_look_ratio": 0.1, "adjudicates": False} == owner.ask("GET", path)
    asked: dict[str, Any] = {"days_max": 3, "second_look_ratio": 0.5, "adjudicates": True}
    assert asked == owner.ask("PUT", path, **asked)
    assert [] == owner.ask("GET", "/holds")["items"]

    case = owner.ask("POST", f"/submissions/{first.id}/third-person", 201)
    settled: dict[str, Any] = {"chosen_id": str(second.id), "rationale": WHY}
    owner.ask("POST", f"/contested/{case['id']}", 403, **settled)
    third = Program(app, session, here.reviewers[0])
    done = third.ask("POST", f"/contested/{case['id']}", **settled)

    assert ("settled", {"choice": "b"}) == (done["state"], done["judgement"])
    listed = third.ask("GET", f"/jobs/{here.job.id}/contested")["items"]
    assert [case["id"]] == [row["id"] for row in listed]
