"""Appeals on pages and over the API: filed, answered by the lab, decided, read by both sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.review import service
from marketplace.review.models import Appeal
from marketplace.review.rules import DECIDE_WITHIN, STATEMENT_WITHIN, AppealState
from marketplace.work.rules import SubmissionState
from tests.make import appeals as make
from tests.make import identity, specialists, work
from tests.make.appeals import NOTE, REASON
from tests.web.conftest import Browser
from tests.web.pages import checked

SIDE = "The instructions ask for the dose in milligrams, and the answer gives none."


def test_an_appeal_from_its_filing_to_its_outcome_on_pages(
    browse: Callable[[], Browser], session: Session
) -> None:
    lab, job, doctor, submission = make.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS, name="Op Erations")
    author, desk, owner = (browse().sign_in(session, who) for who in (doctor, operations, lab))
    session.flush()
    form = f"/work/submissions/{submission.id}/appeal"

    assert form in checked(author.get("/work/submissions"))
    assert form in checked(author.get(f"/work/submissions/{submission.id}"))
    assert "until" in checked(author.get(form))
    assert "Say why in 20" in checked(author.post(form, {"reason": "No!"}), 422)
    filed = author.post(form, {"reason": REASON})
    own = filed.headers["Location"]
    assert (303, own) == (filed.status_code, author.get(form).headers["Location"])
    assert "it ends in your favour" in checked(author.get(own))
    appeal = session.scalars(select(Appeal)).one()

    theirs = checked(owner.get(f"/lab/appeals/{appeal.id}"))
    assert (True, False) == (REASON in theirs, "Dr. Lin" in theirs)
    assert "Asked for" in checked(owner.get("/lab/appeals"))
    say = f"/lab/appeals/{appeal.id}/statement"
    checked(owner.post(say, {"statement": "No."}), 422)
    assert 303 == owner.post(say, {"statement": SIDE}).status_code

    one = f"/operations/appeals/{appeal.id}"
    assert job.title in checked(desk.get("/operations/appeals"))
    assert "Take it" in checked(desk.get(one))
    assert 303 == desk.post(f"{one}/take").status_code
    page = checked(desk.get(one))
    assert (True, True, False) == (REASON in page, SIDE in page, "Owner of Lab" in page)
    checked(desk.post(one, {"note": NOTE}), 422)
    assert 303 == desk.post(one, {"note": NOTE, "outcome": "upheld"}).status_code
    session.refresh(submission)
    assert SubmissionState.ACCEPTED is submission.state
    assert NOTE in checked(author.get(own))
    assert NOTE in checked(owner.get(f"/lab/appeals/{appeal.id}"))
    assert "100" in checked(desk.get("/operations/appeals?state=upheld"))
    assert "Upheld" in checked(author.get("/work/appeals"))


def test_what_nobody_has_decided_cannot_be_appealed_however_short_the_words(
    browse: Callable[[], Browser], session: Session
) -> None:
    _, job = work.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = work.submitted(session, doctor, job)
    author = browse().sign_in(session, doctor)

    answer = author.post(f"/work/submissions/{submission.id}/appeal", {"reason": "No!"})

    assert 409 == answer.status_code


def test_appeals_wait_by_their_deadline_and_may_be_left_to_a_colleague(
    browse: Callable[[], Browser], session: Session
) -> None:
    appeals = []
    for _ in range(2):
        _, _, doctor, submission = make.rejected(session)
        appeals.append(make.filed(session, doctor, submission))
    operations = identity.staff(session, Role.OPERATIONS)
    service.take_appeal(session, operations, appeals[0].id)
    session.flush()

    with clock.shifted(DECIDE_WITHIN - timedelta(days=1)):
        desk = browse().sign_in(session, operations)
        page = checked(desk.get("/operations/appeals"))
        assert page.index(str(appeals[0].id)) < page.index(str(appeals[1].id))
        assert str(appeals[1].id) in checked(desk.get(f"/operations/appeals/{appeals[0].id}"))
        assert 303 == desk.post(f"/operations/appeals/{appeals[0].id}/give-back").status_code
    session.refresh(appeals[0])
    assert AppealState.FILED is appeals[0].state


def test_withdrawing_is_the_authors(browse: Callable[[], Browser], session: Session) -> None:
    _, _, doctor, submission = make.rejected(session)
    appeal = make.filed(session, doctor, submission)
    author = browse().sign_in(session, doctor)
    session.flush()

    assert 303 == author.post(f"/work/appeals/{appeal.id}/withdraw").status_code
    session.refresh(appeal)
    assert AppealState.WITHDRAWN is appeal.state
    assert "Withdrawn" in checked(author.get(f"/work/appeals/{appeal.id}"))


class Program:
    """A program that calls the API as somebody."""

    def __init__(self, browser: Browser, session: Session, who: Actor) -> None:
        self.client = browser.client
        self.headers = {"Authorization": f"Bearer {identity.token(session, who)}"}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        return self.client.open(f"/api/v1{path}", method=method, headers=self.headers, **options)


@pytest.mark.parametrize("outcome", ["upheld", "denied"])
def test_the_same_over_the_api(
    browse: Callable[[], Browser], session: Session, outcome: str
) -> None:
    lab, _, doctor, submission = make.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    author, owner, desk = (Program(browse(), session, who) for who in (doctor, lab, operations))
    session.flush()

    filed = author.ask("POST", f"/submissions/{submission.id}/appeal", json={"reason": REASON})
    assert (201, "filed", None) == (filed.status_code, filed.json["state"], filed.json["author"])
    again = author.ask("POST", f"/submissions/{submission.id}/appeal", json={"reason": REASON})
    assert (409, "no_appeal") == (again.status_code, again.json["code"])
    name = filed.json["id"]
    seen = owner.ask("GET", f"/review/appeals/{name}").json
    assert ("reject", REASON) == (seen["evidence"]["decision"]["verdict"], seen["reason"])
    assert seen["author"] == owner.ask("GET", "/review/appeals").json["items"][0]["author"]
    assert [name] == [one["id"] for one in desk.ask("GET", "/operations/appeals").json["items"]]
    said = owner.ask("POST", f"/review/appeals/{name}/statement", json={"statement": SIDE})
    assert SIDE == said.json["statement"]
    assert "assigned" == desk.ask("POST", f"/operations/appeals/{name}/take").json["state"]
    body = {"outcome": outcome, "note": NOTE}
    with clock.shifted(STATEMENT_WITHIN):
        ended = desk.ask("POST", f"/operations/appeals/{name}/decision", json=body)
    assert (200, outcome) == (ended.status_code, ended.json["state"])
    assert NOTE == author.ask("GET", f"/appeals/{name}").json["note"]
    assert outcome == author.ask("GET", "/appeals").json["items"][0]["state"]
    assert 403 == author.ask("GET", f"/review/appeals/{name}").status_code
