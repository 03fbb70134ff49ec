"""The pages of qualifications in a real browser: WCAG, width, and an attempt from start to end."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from marketplace.db import transaction
from marketplace.jobs.models import Job
from marketplace.quality import queries as quality
from marketplace.specialists.models import QualificationResult
from tests.browser.place import Place
from tests.browser.test_every_page import LOOKS, PAINTED, TAGS
from tests.browser.wcag import violations
from tests.browser.windows import SHOTS, Windows
from tests.make import identity, qualification, work

pytestmark = pytest.mark.browser


@pytest.fixture
def cookies(place: Place) -> dict[str, str]:
    """Windows of a lab whose qualification has results, and of somebody who has not begun."""
    place.empty()
    with transaction() as session:
        lab, job = qualification.published(
            session, lines=qualification.bank(10), feedback="explanations", candidates_max=9
        )
        work.published(
            session, lab, profession=None, qualification_ids=[job.id], title="Discharge letters"
        )
        for choices in ("aaaa", "aaab", "bbba"):
            qualification.sat(session, identity.specialist(session), job, choices)
        person = identity.specialist(session, name="Dr. Ines Okafor")
        return {
            "lab": identity.cookie(session, lab),
            "person": identity.cookie(session, person),
            "job": str(job.id),
        }


def looked_at(page: Page, name: str) -> None:
    """Nothing to complain about at either width; a shot of each for people to look at."""
    page.evaluate("document.fonts.ready")
    SHOTS.mkdir(exist_ok=True)
    for scheme, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(PAINTED)
        page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        assert (name, []) == (name, violations(page, TAGS))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 860})
    page.emulate_media(color_scheme="light")


def test_an_attempt_from_the_list_to_its_result(cookies: dict[str, str], windows: Windows) -> None:
    page = windows.open(cookie=cookies["person"])
    page.goto("/work/qualifications")
    looked_at(page, "qualifications")
    page.get_by_role("link", name="Reading summaries", exact=True).click()
    looked_at(page, "qualification")
    page.get_by_role("button", name="Begin").click()
    looked_at(page, "attempt-live")
    page.get_by_role("button", name="First item").click()
    for number in range(1, 5):
        expect(page.get_by_text(f"item {number} of 4")).to_be_visible()
        page.get_by_label("A is better").check(force=True)
        page.get_by_role("button", name="Submit", exact=True).click()

    expect(page.get_by_role("heading", name="By concept")).to_be_visible()
    looked_at(page, "attempt-result")
    with transaction() as session:
        newest = select(QualificationResult).order_by(QualificationResult.id.desc())
        attempt = session.scalars(newest.limit(1)).one()
        assert 4 == quality.progress_of_attempt(session, attempt).answered


@pytest.mark.slow
def test_the_labs_pages(cookies: dict[str, str], windows: Windows) -> None:
    page = windows.open(cookie=cookies["lab"])
    page.goto(f"/lab/jobs/{cookies['job']}/qualification")
    looked_at(page, "lab-qualification")
    page.get_by_role("link", name="Items and their figures").click()
    looked_at(page, "lab-qualification-items")
    page.goto("/lab/jobs/new?type=pairwise")
    page.locator("#field-title").fill("A new one")
    page.get_by_label("This is a qualification").check()
    page.get_by_role("button", name="Keep the draft and send items").click()
    expect(page.get_by_role("heading", name="The test")).to_be_visible()
    looked_at(page, "lab-qualification-terms")
    page.get_by_role("button", name="Save the terms").click()
    with transaction() as session:
        draft = session.scalars(select(Job).where(Job.title == "A new one")).one()
        assert 200 == draft.seats_max
