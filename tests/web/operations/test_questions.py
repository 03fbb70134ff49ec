"""Pages of evidence packs: the queue and one of them, its person's side, and what is private."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from marketplace.quality.models import EvidencePack
from marketplace.quality.rules.evidence_packs import PackOutcome
from marketplace.review.models import Decision
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.work.models import Submission
from tests.make import identity, specialists, work
from tests.quality.test_evidence_packs import NOTE, WHY, hurried
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_a_question_from_the_queue_to_its_end(
    browse: Callable[[], Browser], session: Session
) -> None:
    lab, _, quick, pack = hurried(session)
    staff = identity.staff(session, Role.OPERATIONS)
    desk, mine = browse().sign_in(session, staff), browse().sign_in(session, quick)
    other = browse().sign_in(session, specialists.doctor(session))
    owner = browse().sign_in(session, lab)
    here, theirs = f"/operations/questions/{pack.id}", f"/work/questions/{pack.id}"

    assert "Very quick answers" in text_of(checked(desk.get("/operations/questions")))
    assert "Nobody has a question" in text_of(checked(mine.get("/work/questions")))
    assert 404 == mine.get(theirs).status_code
    assert "They were not told" in text_of(checked(desk.get(here)))
    page = checked(desk.post(here, {"outcome": "upheld", "note": NOTE}), 422)
    assert "Ask them first" in text_of(page)
    assert 303 == desk.post(f"{here}/send", {}).status_code

    assert "took less time than nearly all" in text_of(checked(mine.get(theirs)))
    assert 404 == other.get(theirs).status_code == other.post(theirs, {"reply": WHY}).status_code
    assert 403 == owner.get(here).status_code
    assert "in your own words" in text_of(checked(mine.post(theirs, {"reply": "No."}), 422))
    assert 303 == mine.post(theirs, {"reply": WHY}).status_code
    assert WHY in text_of(checked(desk.get(here)))
    given = session.scalars(
        select(Submission).where(Submission.specialist_id == quick.person_id)
    ).first()
    assert given is not None
    work.decided(session, lab, given)
    assert 303 == desk.post(f"{here}/reject/{given.id}", {"note": NOTE}).status_code
    assert "Only a pack that was upheld" in text_of(checked(desk.get(here)))

    assert 303 == desk.post(here, {"outcome": "upheld", "note": NOTE}).status_code
    session.expire_all()
    assert PackOutcome.UPHELD is session.get_one(EvidencePack, pack.id).outcome
    assert [Verdict.ACCEPT] == list(session.scalars(select(Decision.verdict)))
    assert 303 == desk.post(f"{here}/reject/{given.id}", {"note": NOTE}).status_code
    last = session.scalars(select(Decision).order_by(Decision.id.desc())).first()
    assert last is not None
    assert (Verdict.REJECT, OverturnCause.INTEGRITY) == (last.verdict, last.cause)
    assert NOTE in text_of(checked(mine.get(theirs)))


def test_what_one_works_with_is_said_and_taken_back(
    browse: Callable[[], Browser], session: Session
) -> None:
    mine = browse().sign_in(session, specialists.doctor(session))
    page = "/work/profile/accommodation"
    assert "Say it if you like" in text_of(checked(mine.get(page)))
    assert 422 == mine.post(page, {"kinds": "telepathy"}).status_code

    assert 303 == mine.post(page, {"kinds": "dictation"}).status_code
    assert "Kept privately" in text_of(checked(mine.get(page)))
    assert 303 == mine.post(page, {}).status_code
    assert "Say it if you like" in text_of(checked(mine.get(page)))
