"""What is typed in the workbench is never lost: windows that close, servers that go, copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from marketplace import clock
from marketplace.db import transaction
from marketplace.jobs import service as jobs
from marketplace.jobs.rules import PauseReason
from marketplace.routing import service as routing
from marketplace.work import service as work
from tests.browser.bench import Bench
from tests.browser.place import Place
from tests.browser.test_workbench import WORDS, bench, press, ready, revisions, says, why
from tests.browser.windows import Windows
from tests.make import specialists

pytestmark = pytest.mark.browser
__all__ = ["bench"]
# More than a page that is left may send.
# Without a space at its end, which only the mirror in the browser would keep.
LONG = ("Paragraph by paragraph: the dose, the interval, the weight. " * 1_500).strip()
NO_STORAGE = """for (const name of ["indexedDB", "localStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("Denied"); } });"""


def write(page: Page, words: str) -> None:
    press(page, "Escape", "r")
    page.keyboard.type(words)


def opened(page: Page, address: str) -> Page:
    """The task in another window of the same browser."""
    page.goto(address)
    ready(page)
    return page


def until(page: Page, came: Callable[[], bool]) -> None:
    """Wait for it while the browser's own events go on."""
    for _ in range(300):
        if came():
            return
        page.wait_for_timeout(50)
    assert came()


def beat(page: Page) -> None:
    """What the page does when somebody comes back to it, and every half minute."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_window_closed_in_mid_word_and_a_page_left_at_once_lose_nothing(bench: Bench) -> None:
    first, page, address = bench.page, bench.page.context.new_page(), bench.page.url
    write(first, WORDS[:-2])
    first.close(run_before_unload=True)
    until(page, lambda: revisions(bench) == [WORDS[:-2]])  # Sent while the window closed.

    opened(page, address)
    expect(why(page)).to_have_value(WORDS[:-2])
    press(page, "Escape", "e")
    page.keyboard.type("A first reason.")
    page.get_by_role("button", name="Another reason").click()
    page.keyboard.type("A second one.")
    why(page).fill(LONG)
    page.reload()

    expect(why(page)).to_have_value(LONG)
    expect(page.get_by_role("textbox", name="Reason 2")).to_have_value("A second one.")
    until(page, lambda: revisions(bench)[-1] == LONG)
    expect(page.get_by_text("kept an answer")).to_have_count(0)


def test_a_lost_answer_and_a_server_that_starts_again_are_no_conflict(
    bench: Bench, windows: Windows, place: Place
) -> None:
    page = bench.page
    lost: list[int] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/draft", lose_first)
    write(page, "First.")
    says(page, "no network")
    page.keyboard.type(" Second.")
    says(page, "revision 2")
    assert [200] == lost
    assert ["First.", "First. Second."] == revisions(bench)

    page.unroute("**/draft")
    with place.pages.away():
        page.keyboard.type(" Third.")
        says(page, "kept in this browser")
    says(page, "revision 3")
    assert "First. Second. Third." == revisions(bench)[-1]
    expected = ("ERR_FAILED", "CONNECTION", "503")
    windows.complaints = [
        one for one in windows.complaints if not any(each in one for each in expected)
    ]


def test_an_old_copy_is_offered_to_its_writer_and_forgotten_at_sign_out(
    bench: Bench, windows: Windows
) -> None:
    here, address, browser = bench.page, bench.page.url, bench.page.context
    browser.set_offline(True)
    write(here, "Here, without a network.")
    says(here, "no network")
    here.close()
    browser.set_offline(False)
    elsewhere = opened(windows.open(cookie=bench.doctor_cookie), address)
    write(elsewhere, "Elsewhere, later.")
    says(elsewhere, "revision 1")

    again = opened(browser.new_page(), address)
    expect(why(again)).to_have_value("Elsewhere, later.")
    again.get_by_role("button", name="Bring it back").click()
    expect(why(again)).to_have_value("Here, without a network.")
    says(again, "revision 2")
    assert ["Elsewhere, later.", "Here, without a network."] == revisions(bench)

    browser.set_offline(True)
    write(again, " And more.")
    says(again, "no network")
    again.evaluate(
        """() => { const { claim } = document.querySelector("x-workbench").dataset;
        localStorage.setItem("draft:" + claim, JSON.stringify({claim, holder: "somebody else",
        fields: [["rationale", "Theirs"]], etag: '"2"', at: Date.now() + 9e6})); }"""
    )
    browser.set_offline(False)
    again.goto("/work")
    answers = [False, True]
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if answers.pop(0) else dialog.dismiss()

    again.on("dialog", answer)
    again.locator("details.account summary").click()
    again.get_by_role("button", name="Sign out").click()
    until(again, lambda: len(asked) == 1)
    again.get_by_role("button", name="Sign out").click()
    expect(again).to_have_url(re.compile("/$|/sign-in"))

    assert "kept in this browser only" in asked[0]
    assert [] == again.evaluate("Object.keys(localStorage).filter(n => n.startsWith('draft:'))")
    windows.complaints = [one for one in windows.complaints if "INTERNET_DISC" not in one]


def test_without_storage_the_page_says_so_and_asks_before_it_goes(
    bench: Bench, windows: Windows
) -> None:
    page = bench.page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.add_init_script(NO_STORAGE)
    opened(page, page.url)
    page.context.set_offline(True)
    write(page, WORDS)
    says(page, "leave this window open")
    page.on("dialog", stay)
    page.close(run_before_unload=True)
    until(page, lambda: asked == ["beforeunload"])

    page.context.set_offline(False)
    says(page, "revision 1")
    assert [WORDS] == revisions(bench)
    windows.complaints = [one for one in windows.complaints if "INTERNET_DISC" not in one]


def test_a_pause_and_a_lost_lease_are_told_and_take_nothing(bench: Bench, windows: Windows) -> None:
    page = bench.page
    with transaction() as session:
        jobs.pause_job(session, bench.lab, bench.job_id, reason=PauseReason.LAB)
    beat(page)
    expect(page.get_by_text("The job is paused.")).to_be_visible()
    press(page, "b", "2")
    write(page, "Paused.")
    says(page, "revision 1")

    with transaction() as session:
        routing.resume_job(session, bench.lab, bench.job_id)
    with clock.shifted(timedelta(hours=9)), transaction() as session:
        work.expire_leases(session)
    with transaction() as session:
        other = specialists.doctor(session)
    with transaction() as session:
        assert routing.claim_next(session, other, job_id=bench.job_id) is not None
    beat(page)
    says(page, "it is not free any more")
    page.keyboard.type(" Late.")
    says(page, "revision 2")
    assert ["Paused.", "Paused. Late."] == revisions(bench)

    bench.handed_in()
    expect(page.get_by_text("Your answer is kept as an extra one")).to_be_visible()
    windows.forgive(409)
