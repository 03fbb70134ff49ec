"""The pages of review: the queue, its filters and defects, second looks, holds, contested items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import PersonId
from marketplace.review import queries, service
from marketplace.review.models import Adjudication, Brake, HeldDecision
from marketplace.review.rules import BrakeState, EndedBy, Policy, Verdict
from marketplace.review.rules.brake import REJECTIONS_MIN
from marketplace.secrets import pseudonym
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState
from tests.make import identity
from tests.review.world import WHY, World, world
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

Browse = Callable[[], Browser]


def as_(session: Session, browse: Browse, actor: Actor) -> Browser:
    return browse().sign_in(session, actor)


def decided(browser: Browser, given: Submission, **fields: Any) -> str:
    """The page that a verdict leads to."""
    sent = browser.post(f"/lab/submissions/{given.id}/decision", fields)
    if sent.status_code == 303:
        sent = browser.get(sent.headers["Location"])
        return text_of(checked(sent))
    return text_of(checked(sent, 422))


def test_the_queue_says_why_and_until_when_and_defects_go_to_their_author(
    session: Session, browse: Browse
) -> None:
    here = world(session, items=3)
    given = here.answered()
    here.answered()
    service.draw_waiting(session)
    browser = as_(session, browse, here.owner)

    page = text_of(checked(browser.get(f"/lab/review/{here.job.id}")))
    assert "0 of 2" in page
    assert "Without a decision it is accepted on" in page

    row = {"defects.0.code": "wrong_preference", "defects.0.place": "choice"}
    said = decided(browser, given, verdict="rework", **row, **{"defects.0.fix": "Answer B."})
    assert "Sent back." in said
    decision = queries.decisions_of(session, [given.id])[given.id]
    assert [
        {
            "what": "The other one is better",
            "severity": "major",
            "code": "wrong_preference",
            "place": "choice",
            "where": "Choice",
            "fix": "Answer B.",
            "guideline_version": 1,
        }
    ] == decision.defects
    author = as_(session, browse, here.doctors[0])
    for path in ("/work/submissions", f"/work/submissions/{given.id}", "/work"):
        seen = text_of(checked(author.get(path)))
        assert "The other one is better" in seen
    assert "Right would be: Answer B." in seen


def test_what_names_nothing_of_the_answer_is_said_beside_the_field(
    session: Session, browse: Browse
) -> None:
    here = world(session)
    given = here.answered()
    wrong = {"defects.0.what": "Wrong.", "defects.0.severity": "minor", "defects.0.place": "moon"}

    page = decided(as_(session, browse, here.owner), given, verdict="reject", **wrong)

    assert "Name a unit of the answer" in page
    assert SubmissionState.IN_REVIEW is given.state


def test_a_queue_is_narrowed_and_accepted_at_once(session: Session, browse: Browse) -> None:
    here = world(session, items=4)
    given = [here.answered() for _ in range(3)]
    service.draw_waiting(session)
    browser = as_(session, browse, here.owner)
    name = pseudonym(str(here.owner.organisation()), str(given[1].specialist_id))
    queue = f"/lab/review/{here.job.id}"

    assert "1 of 1 that wait and fit" in text_of(checked(browser.get(f"{queue}?author={name}")))
    assert "Nothing that waits fits" in text_of(checked(browser.get(f"{queue}?reason=unsure")))
    assert "Nothing that waits for you" in text_of(
        checked(browser.get(f"{queue}/accept?reason=unsure"))
    )
    asked = checked(browser.get(f"{queue}/accept?author={name}"))
    assert "pays their authors $4.50 in all" in text_of(asked)
    here.said(given[2])
    chosen = [str(each.id) for each in given[1:]]
    sent = browser.post(f"{queue}/accept", {"submission": chosen, "author": name})

    assert sent.headers["Location"].endswith(f"author={name}")
    told = text_of(checked(browser.get(sent.headers["Location"])))
    assert "1 answer is accepted. 1 other was decided meanwhile." in told
    session.expire_all()
    states = [SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED, SubmissionState.ACCEPTED]
    assert states == [each.state for each in given]
    assert EndedBy.BATCH is queries.draws_of(session, [given[1].id])[given[1].id].ended_by


def test_a_second_look_cannot_be_told_from_a_first(session: Session, browse: Browse) -> None:
    here = world(session)
    given = here.answered()
    here.said(given, Verdict.REJECT, by=here.reviewers[0])
    second = as_(session, browse, here.reviewers[1])
    seen = [
        text_of(checked(second.get(path)))
        for path in (f"/lab/review/{here.job.id}", f"/lab/submissions/{given.id}")
    ]

    assert "In review" in seen[0]
    assert not any("Rejected" in page or WHY in page for page in seen)
    first = as_(session, browse, here.reviewers[0])
    assert "You are through" in text_of(checked(first.get(f"/lab/review/{here.job.id}")))
    assert "Accepted. Its author has earned the pay." in decided(second, given, verdict="accept")
    rules = text_of(checked(as_(session, browse, here.owner).get(_rules(here))))
    assert "Reviewer One" in rules
    assert "22 % to 97 %, nine times in ten" in rules.replace("\u202f", " ").replace("\xa0", " ")


def _rules(here: World) -> str:
    return f"/lab/jobs/{here.job.id}/review-rules"


def test_the_rules_of_review_are_said_and_kept_to_bounds(session: Session, browse: Browse) -> None:
    here = world(session)
    browser = as_(session, browse, here.owner)
    checked(browser.get(_rules(here)))
    wrong = browser.post(_rules(here), {"days_max": "90", "second_look_percent": "10"})
    assert "Say 1 to 30 days." in text_of(checked(wrong, 422))

    sent = browser.post(
        _rules(here), {"days_max": "5", "second_look_percent": "25", "adjudicates": "true"}
    )

    assert 303 == sent.status_code
    assert Policy(5, 0.25, adjudicates=True) == queries.policy_of(session, here.job_id)
    assert 403 == as_(session, browse, here.reviewers[0]).post(_rules(here)).status_code


def test_held_rejections_are_confirmed_from_both_sides(session: Session, browse: Browse) -> None:
    here = world(session, items=10, policy=Policy(second_look_ratio=0))
    given = [here.answered() for _ in range(REJECTIONS_MIN + 1)]
    for each in given[:-1]:
        here.said(each, Verdict.REJECT, by=here.reviewers[0])
    reviewer = as_(session, browse, here.reviewers[0])
    assert "Your rejection is held" in decided(reviewer, given[-1], verdict="reject", note=WHY)
    held = text_of(checked(reviewer.get(f"/lab/submissions/{given[-1].id}")))
    assert "A rejection is held." in held
    brake = session.scalars(select(Brake)).one()

    owner = as_(session, browse, here.owner)
    assert "Rejections are held." in text_of(checked(owner.get("/lab/review")))
    checked(owner.get("/lab/holds"))
    assert "Your word as an owner" in text_of(checked(owner.get(f"/lab/holds/{brake.id}")))
    assert "sentence that others" in text_of(checked(owner.post(f"/lab/holds/{brake.id}"), 422))
    owner.post(f"/lab/holds/{brake.id}", {"reason": WHY, "does": "confirm"})
    ours = as_(session, browse, identity.staff(session, Role.OPERATIONS))
    checked(ours.get("/operations/holds"))
    assert f"The lab says: {WHY}" in text_of(checked(ours.get(f"/operations/holds/{brake.id}")))
    ours.post(f"/operations/holds/{brake.id}", {"reason": WHY, "does": "confirm"})

    session.expire_all()
    assert BrakeState.CONFIRMED is brake.state
    assert 1 == len(session.scalars(select(HeldDecision)).all())
    checked(owner.get(f"/lab/holds/{brake.id}"))
    stranger = as_(session, browse, identity.lab_owner(session))
    assert 404 == stranger.get(f"/lab/holds/{brake.id}").status_code
    assert 404 == stranger.post(f"/lab/holds/{brake.id}", {"reason": WHY}).status_code


def test_a_contested_item_is_settled_by_another_reviewer(session: Session, browse: Browse) -> None:
    here = world(session, items=1, overlap_min=2, overlap_max=2)
    first, second = here.answered("a"), here.answered("b")
    here.said(first)
    asker = as_(session, browse, here.owner)
    page = text_of(checked(asker.get(f"/lab/submissions/{first.id}")))
    assert "Show 1 other judgement of this item" in page
    before = text_of(checked(asker.get(f"/lab/submissions/{second.id}")))
    assert "Other judgements" not in before
    asker.post(f"/lab/submissions/{first.id}/third-person")
    case = session.scalars(select(Adjudication)).one()
    assert "You asked." in text_of(checked(asker.get(f"/lab/contested/{case.id}")))
    checked(asker.get(f"/lab/jobs/{here.job.id}/contested"))
    third = as_(session, browse, here.reviewers[0])
    path = f"/lab/contested/{case.id}"

    assert "Choose one, or write your own" in text_of(
        checked(third.post(path, {"rationale": WHY}), 422)
    )
    unread = third.post(path, {"rationale": WHY, "chosen": "own", "own_judgement": "{"})
    assert "Write the judgement as JSON" in text_of(checked(unread, 422))
    stranger = as_(session, browse, identity.lab_owner(session))
    mine: dict[str, object] = {"rationale": WHY, "chosen": str(second.id)}
    assert [404] * 3 == [
        stranger.get(path).status_code,
        stranger.post(path, mine).status_code,
        stranger.post(f"{path}/withdraw").status_code,
    ]
    third.post(path, mine)

    session.expire_all()
    settled = text_of(checked(third.get(path)))
    assert WHY in settled
    assert {"choice": "b"} == queries.adjudicated(session, [case.task_id])[case.task_id].judgement


def test_what_changed_between_rounds_stands_beside_the_answer(
    session: Session, browse: Browse
) -> None:
    here = world(session)
    given = here.answered("a")
    here.said(given, Verdict.REWORK)
    again = here.again(here.doctors[0], "b")
    service.draw_waiting(session)

    page = text_of(checked(as_(session, browse, here.owner).get(f"/lab/submissions/{again.id}")))
    assert "Changed since round 1" in page
    assert "It was sent back before" in page
    author = as_(session, browse, here.doctors[0])
    seen = text_of(checked(author.get(f"/work/submissions/{again.id}")))
    assert "Changed since round 1" in seen
    assert "It is decided by" in seen
    assert PersonId(again.specialist_id) == here.doctors[0].person()
