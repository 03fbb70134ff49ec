"""Every page of a specialist, with content and without, is a good page and says what to do."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.money import Money
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from tests.make import identity, jobs, specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

NASTY = "<script>alert(1)</script>"
EMPTY = {
    "/work": "Say who you are and where",
    "/work/start/you": "What should we call you?",
    "/work/start/profession": "Specialties in medicine",
    "/work/start/hours": "Languages you work in",
    "/work/start/papers": "Both are stored encrypted.",
    "/work/start/credential": "National Provider Identifier",
    "/work/start/identity": "not given yet",
    "/work/start/qualification": "A short piece of the work itself",
    "/work/start/paid": "Stripe pays your bank account",
    "/work/feed": "New jobs appear here",
    "/work/earnings": "Nothing earned yet",
    "/work/submissions": "Nothing handed in yet",
    "/work/credentials": "No credential yet",
    "/work/credentials/new": "National Provider Identifier",
    "/work/credentials/new?type=us_bar": "How each register writes it",
    "/work/credentials/new?type=nothing": "National Provider Identifier",
    "/work/profile": "Your languages decide",
}


@pytest.mark.parametrize("path", EMPTY)
def test_a_newcomer_sees_what_to_do_next(newcomer: Browser, path: str) -> None:
    assert EMPTY[path] in text_of(checked(newcomer.get(path)))


def test_the_feed_tells_all_that_counts_before_a_claim(desk: Browser, session: Session) -> None:
    _, job = work.published(session, pay=Money(9_00, "USD"), ai_policy="forbidden")

    feed = text_of(checked(desk.get("/work/feed")))
    card = text_of(checked(desk.get(f"/work/jobs/{job.id}")))

    for page in (feed, card):
        assert "$9.00 a task" in page
        assert "about 2 minutes" in page
        assert "$270.00 an hour" in page
        assert "No AI tools" in page
        assert "A rejected answer is not paid" in page
    assert "You meet all of it" in card


def test_what_does_not_fit_says_why(newcomer: Browser, session: Session) -> None:
    _, job = work.published(session)

    feed = text_of(checked(newcomer.get("/work/feed")))
    card = checked(newcomer.get(f"/work/jobs/{job.id}"))

    assert "It asks for a verified credential in medicine" in feed
    assert "You cannot start it now." in text_of(card)
    assert ">Start<" not in card


def test_starting_what_does_not_fit_leads_back_with_the_reason(
    newcomer: Browser, session: Session
) -> None:
    _, job = work.published(session)

    answer = newcomer.post("/work/tasks/next", {"job_id": str(job.id)})

    assert (303, f"/work/jobs/{job.id}") == (answer.status_code, answer.location)
    assert "verified credential in medicine" in text_of(newcomer.get(answer.location).text)


def test_a_draft_job_is_no_job_to_a_specialist(desk: Browser, session: Session) -> None:
    job = jobs.draft(session, identity.lab_owner(session))

    assert 404 == desk.get(f"/work/jobs/{job.id}").status_code


def test_home_shows_what_is_in_hand_and_what_came_back(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    lab, job = work.published(session, review_sample_ratio=1)
    submission = work.submitted(session, doctor, job)
    work.decided(session, lab, submission, Verdict.REWORK)
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(desk.get("/work")))

    assert "It came back to you." in page
    assert "The first answer names the dose." in page
    assert "Go on with it" in page


def test_earnings_and_verdicts_are_told_task_by_task(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    lab, job = work.published(session, review_sample_ratio=1)
    work.decided(session, lab, work.submitted(session, doctor, job))
    work.decided(session, lab, work.submitted(session, doctor, job), Verdict.REJECT)
    session.flush()  # The pages read by sessions of their own.

    earnings = text_of(checked(desk.get("/work/earnings")))
    home = text_of(checked(desk.get("/work")))
    handed_in = text_of(checked(desk.get("/work/submissions")))

    assert "Pending $4.50" in earnings
    assert "Earned in the last seven days, USD" in home
    assert "Accepted" in handed_in
    assert "Rejected The first answer names the dose." in handed_in


def test_what_others_typed_is_shown_as_text(desk: Browser, session: Session, doctor: Actor) -> None:
    lab, job = work.published(session, instructions_md=NASTY, review_sample_ratio=1)
    submission = work.submitted(session, doctor, job)
    review.decide(
        session,
        lab,
        submission.id,
        verdict=Verdict.REWORK,
        clearance_days=7,
        note=f"Look at this: {NASTY}",
        defects=[{"what": NASTY, "severity": "major", "where": NASTY}],
    )
    session.flush()  # The pages read by sessions of their own.

    for path in ("/work", "/work/submissions", f"/work/jobs/{job.id}"):
        page = checked(desk.get(path))
        assert NASTY not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_credentials_show_days_left_and_history(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    claim = specialists.claimed(session, doctor, type="npi", identifier=specialists.npi(),
                                jurisdiction="US", specialties=())  # fmt: skip

    listed = text_of(checked(desk.get("/work/credentials")))
    one = text_of(checked(desk.get(f"/work/credentials/{claim.id}")))

    assert "400 days left" in listed
    assert "How it is written: fits" in one
    assert "Being checked" in one


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/work", "Home"),
        ("/work/connections", "Credentials"),
        ("/work/qualifications", "Credentials"),
        ("/work/profile", "Account"),
    ],
)
def test_the_rail_says_where_one_is(newcomer: Browser, path: str, entry: str) -> None:
    page = newcomer.get(path).text
    rail = page[page.index('class="rail') : page.index("<main")]
    here = re.findall(r'aria-current="page".*?class="label">(.*?)<', rail)

    assert [entry] == here
