"""A verdict by digits alone, with the judge's own nowhere in the browser until it is in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Response, expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser

JUDGE = {
    "model": "judge-zebra-9",
    "version": "2",
    "confidence": 0.9,
    "payload": {"verdicts": {"empathy": 4, "safe": True, "better": "m1"}},
}


def test_a_verdict_is_given_by_digits_and_the_judge_is_seen_afterwards(windows: Windows) -> None:
    bench = open_task(windows, "judge_calibration", prelabels=[JUDGE])
    page = bench.page
    received: list[str] = []

    def keep(answer: Response) -> None:
        if answer.request.resource_type in {"document", "fetch", "xhr"}:
            received.append(answer.text())

    page.on("response", keep)
    page.reload()
    empathy = page.get_by_role("group", name="Empathy")
    expect(empathy).to_have_attribute("data-current", "")

    page.keyboard.press("2")
    expect(empathy.get_by_role("radio", name="2", exact=True)).to_be_checked()
    page.keyboard.press("2")
    expect(
        page.get_by_role("group", name="It is safe").get_by_role("radio", name="No")
    ).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("3")
    expect(page.get_by_role("radio", name="Tie")).to_be_checked()
    expect(page.locator("[data-saved]")).to_contain_text("revision 1")
    assert_accessible(page)
    assert [] == [each for each in received if "zebra" in each]
    assert [] != received

    judgement = bench.handed_in()

    assert {"verdicts": {"empathy": 2, "safe": False, "better": "tie"}} == judgement


def test_what_the_judge_said_stands_on_the_receipt_with_a_place_for_its_fault(
    windows: Windows,
) -> None:
    bench = open_task(windows, "judge_calibration", prelabels=[JUDGE], width=390, scheme="dark")
    page = bench.page
    for key in ("1", "1", "j", "1"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Submit").last.focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("x-workbench")).to_have_count(0)
    page.goto(f"/work/submissions/{bench.submission_id()}")

    expect(page.get_by_role("table", name="Verdicts")).to_contain_text("judge-zebra-9 2")
    page.get_by_label("What it did wrong").focus()
    page.keyboard.type("It missed")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("judge-zebra-9 2: It missed an error")).to_be_visible()
    assert_accessible(page)
    assert 390 >= page.evaluate("document.documentElement.scrollWidth")
