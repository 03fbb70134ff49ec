"""Pages of gold and of rules: for labs, for operations, for those whom they concern."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from marketplace.ids import JobId, SubmissionId
from marketplace.jobs.models import Item
from marketplace.quality import service as quality
from marketplace.quality.models import ControlFiring, GoldDispute
from marketplace.quality.rules.control import Action
from tests.make import background, identity, specialists, work
from tests.quality.test_control import evaluated, rule_on
from tests.quality.test_gold import all_done, with_gold
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

WHY = "The second answer names the dose that the label asks for."


def test_gold_from_its_page_to_its_authors_dispute_and_back(
    browse: Callable[[], Browser], session: Session
) -> None:
    lab, job = with_gold(session, gold=5, items=6)
    bad = specialists.doctor(session)
    rule_on(session, lab, job, Action.PAUSE)
    all_done(session, bad, job, "bbbbb")
    evaluated()
    for given in all_done(session, specialists.doctor(session), job, "a"):
        work.decided(session, identity.member(session, lab, Role.REVIEWER), given)
    desk, mine = browse().sign_in(session, lab), browse().sign_in(session, bad)
    item = session.scalars(select(Item).order_by(Item.position)).first()
    assert item is not None
    listed = text_of(checked(desk.get(f"/lab/jobs/{job.id}/gold")))
    assert "5 items have a known answer" in listed
    assert "Nothing to tell yet" in text_of(checked(mine.get("/work/checks")))
    firing = session.scalars(select(ControlFiring)).one()
    page = checked(mine.post(f"/work/checks/rules/{firing.id}", {"words": "No."}), 422)
    assert "in your own words" in text_of(page)
    assert 303 == mine.post(f"/work/checks/rules/{firing.id}", {"words": WHY}).status_code

    shown = text_of(checked(desk.get(f"/quality/firings/{firing.id}")))
    assert WHY in shown
    decision: dict[str, object] = {
        "stands": "yes",
        "note": "The answers were looked at one by one.",
    }
    assert 303 == desk.post(f"/quality/firings/{firing.id}", decision).status_code
    assert "Holds; a person can lift it" in text_of(checked(mine.get("/work/checks")))

    plain = session.scalars(select(Item.id).order_by(Item.position.desc())).first()
    note: dict[str, object] = {"outcome": "withdrawn", "note": WHY}
    assert 404 == desk.post(f"/lab/gold/{plain}", note).status_code  # It has no gold.
    odd: dict[str, object] = {"outcome": "corrected", "note": WHY, "judgement": "none"}
    page = checked(desk.post(f"/lab/gold/{item.id}", odd), 422)
    assert "Write the judgement as JSON" in text_of(page)
    fixed: dict[str, object] = odd | {"judgement": '{"choice": "b"}'}
    assert 303 == desk.post(f"/lab/gold/{item.id}", fixed).status_code
    assert "Corrected" in text_of(checked(desk.get(f"/lab/gold/{item.id}")))
    # The rule would not fire on what the gold says now.
    assert "Lifted" in text_of(checked(mine.get("/work/checks")))


def test_an_author_disputes_what_they_were_told(
    browse: Callable[[], Browser], session: Session
) -> None:
    lab, job = with_gold(session, gold=1, items=1)
    doctor = specialists.doctor(session)
    given = all_done(session, doctor, job, "b")[0]
    background.number_facts()
    background.run("quality.score_gold")
    quality.set_exposures(session, lab, JobId(job.id), 1)
    all_done(session, specialists.doctor(session), job, "a")
    background.number_facts()
    background.run("quality.score_gold")
    background.run("quality.tell_gold")
    mine, desk = browse().sign_in(session, doctor), browse().sign_in(session, lab)

    assert "The known answer is wrong" in text_of(checked(mine.get("/work/checks")))
    sent = mine.post(f"/work/checks/gold/{SubmissionId(given.id)}", {"words": WHY})
    assert 303 == sent.status_code

    dispute = session.scalars(select(GoldDispute)).one()
    assert WHY in text_of(checked(desk.get(f"/lab/gold/{dispute.item_id}")))
    answer: dict[str, object] = {"outcome": "answer", "note": "They are right, and it says so."}
    assert 303 == desk.post(f"/lab/gold/{dispute.item_id}", answer).status_code
    assert "Agrees" in text_of(checked(mine.get("/work/checks")))


def test_operations_write_replay_and_switch_a_rule(
    browse: Callable[[], Browser], session: Session
) -> None:
    _, job = with_gold(session, gold=8, items=8)
    all_done(session, specialists.doctor(session), job, "bbbbbbbb")
    background.number_facts()
    background.run("quality.score_gold")
    staff = identity.staff(session, Role.OPERATIONS)
    desk = browse().sign_in(session, staff)
    assert "Ready to use" in text_of(checked(desk.get("/quality/rules")))
    checked(desk.get("/quality/rules/new"))
    unsure: dict[str, object] = {
        "name": "Quick", "collector": "haste", "side": "above", "bound": "upper",
        "threshold": "0.5", "n_min": "4", "window": "x", "action": "pause", "amount": "",
    }  # fmt: skip
    page = checked(desk.post("/quality/rules/new", unsure), 422)
    assert "compare the lower bound" in text_of(page)

    where = desk.post("/quality/rules", {"ready": "gold-review"}).headers["Location"]
    assert "was not replayed yet" in text_of(checked(desk.get(where)))
    assert "Replay this version first" in text_of(
        checked(desk.client.post(f"{where}/on", data={"csrf_token": desk.form_token()},
                                 follow_redirects=True))
    )  # fmt: skip
    desk.post(f"{where}/replay")
    background.run_all()
    assert "Would have been caught 1 of 1 person" in text_of(checked(desk.get(where)))
    assert 303 == desk.post(f"{where}/on").status_code
    evaluated()
    assert "Much gold wrong: review all" in text_of(checked(desk.get("/quality/firings")))
