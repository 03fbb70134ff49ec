"""The queue of a reviewer by keys, on a telephone, and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from marketplace.db import transaction
from marketplace.ids import SubmissionId
from marketplace.review import service
from marketplace.review.models import Decision
from marketplace.review.rules import Verdict
from tests.browser.bench import assert_accessible
from tests.browser.windows import Windows
from tests.make import identity, specialists
from tests.make import work as make

pytestmark = pytest.mark.browser


def waiting() -> tuple[str, str]:
    """(path of a queue of three answers, cookie of its lab's owner)."""
    with transaction() as session:
        lab, job = make.published(session, items=3, review_sample_ratio=1.0)
        for choice in ("a", "b", "a"):
            flags = ("unsure",) if choice == "b" else ()
            person = specialists.doctor(session)
            make.submitted(session, person, job, make.answer(choice, flags=flags))
        session.flush()
        service.draw_waiting(session)
        return f"/lab/review/{job.id}", identity.cookie(session, lab)


def verdicts(page: Page) -> list[tuple[Verdict, list[str]]]:
    with transaction() as session:
        job_id = page.url.split("/review/")[1].split("?")[0]
        found = session.scalars(select(Decision).where(Decision.job_id == job_id))
        rows = sorted(found, key=lambda each: SubmissionId(each.submission_id))
        return [(each.verdict, [one["code"] for one in each.defects]) for each in rows]


def test_a_queue_is_worked_through_by_keys(windows: Windows) -> None:
    path, cookie = waiting()
    page = windows.open(cookie=cookie)
    page.goto(path)
    expect(page.locator("x-review:defined")).to_be_visible()
    expect(page.get_by_text("Submission 1 of 3")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_label("Where").first).to_be_focused()
    page.get_by_label("Where").first.select_option("choice")
    assert_accessible(page)
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("r")
    with page.expect_navigation():
        page.keyboard.press("j")
    expect(page.get_by_text("Submission 2 of 2")).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("a")

    assert [(Verdict.REWORK, ["wrong_preference"]), (Verdict.ACCEPT, [])] == verdicts(page)

    phone = windows.open(cookie=cookie, width=390, scheme="dark", script=False)
    phone.goto(path)
    expect(phone.get_by_text("Submission 1 of 1")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_text("Filter, or accept many at once").click()
    phone.get_by_role("link", name="Accept all of these").click()
    phone.get_by_role("button", name="Accept 1 answer").click()
    expect(phone.get_by_text("1 answer is accepted.")).to_be_visible()
    expect(phone.get_by_text("You are through.")).to_be_visible()
