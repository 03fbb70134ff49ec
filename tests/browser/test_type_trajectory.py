"""A run of an agent judged by keys alone: a short one, and one of two thousand steps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser

LONG = 2_000
WRONG_AT = 1_203


def current(page: Page) -> Any:
    """The step that keys act on."""
    return page.locator("article[aria-current=step]")


def rate_by_mouse(page: Page) -> None:
    """Rate the last step, and go back to the second.

    What is asked beside the rating is drawn for the step that is read, by keys or by mouse.
    """
    last = page.get_by_role("feed", name="Steps").get_by_role("article").last
    expect(last.get_by_role("combobox")).to_have_count(0)
    last.get_by_role("radio", name="Neutral").click()
    expect(last.get_by_role("radio", name="Neutral")).to_be_checked()
    expect(last.get_by_role("combobox", name="Grounded")).to_be_visible()
    expect(last.get_by_role("button", name="First error here")).to_be_visible()
    page.locator("article[data-step=s2]").get_by_role("radio", name="Not judged").click()
    expect(current(page)).to_have_attribute("data-step", "s2")


def test_a_short_run_is_judged_by_keys(windows: Windows) -> None:
    bench = open_task(windows, "trajectory")
    page = bench.page
    expect(page.locator("x-trajectory:defined")).to_be_visible()
    feed = page.get_by_role("feed", name="Steps")
    expect(feed.get_by_role("article")).to_have_count(5)
    named = re.compile("Tool call, Clerk cancel failed")
    expect(feed.get_by_role("article", name=named)).to_be_visible()
    assert ["1", "5"] == [
        feed.get_by_role("article").first.get_attribute(name)
        for name in ("aria-posinset", "aria-setsize")
    ]
    assert_accessible(page)

    page.keyboard.press("j")
    expect(current(page)).to_have_attribute("data-step", "s2")
    rate_by_mouse(page)
    for key in "xaj2jb3":
        page.keyboard.press(key)
    expect(current(page)).to_have_attribute("data-step", "s4")
    for key in "1sp":
        page.keyboard.press(key)
    expect(page.locator("[data-tally]")).to_have_text("4 of 4 judged, 2 wrong")
    expect(page.get_by_role("combobox", name="First error")).to_have_value("s2")
    assert_accessible(page)

    page.keyboard.press("n")
    page.keyboard.press("5")
    for name in ("side_effects", "looping"):
        page.locator(f"input[name={name}]").first.focus()
        page.keyboard.press("Space")
    page.locator("#field-fault-author").focus()
    page.keyboard.press("ArrowDown")

    assert {
        "outcome": "no",
        "side_effects": "yes",
        "looping": "yes",
        "optimality": "suboptimal",
        "first_error_step": "s2",
        "responsible_agent": "Clerk",
        "fault": {"author": "agent"},
        "steps": {
            "s2": {"correctness": -1, "arguments": False},
            "s3": {"correctness": 0},
            "s3-1": {"correctness": 1, "recovered_from": "s2"},
            "s4": {"correctness": -1, "grounded": False, "inherited_error": True},
        },
    } == bench.handed_in()


def long_run() -> dict[str, Any]:
    """Two thousand steps, one of which says what is looked for."""
    steps: list[dict[str, Any]] = []
    for number in range(LONG):
        content = f"I look at row {number}. " * (1 + number % 7)
        steps.append({"id": f"s{number}", "kind": "agent", "content": content})
        if number % 3 == 1:
            call = {"tool": "read_row", "args": {"row": number}, "result": f"row {number}\n" * 9}
            steps[-1] |= {"kind": "tool_call", **call}
    steps[WRONG_AT]["content"] = "I delete the Zürich 🏔️ row."
    return {"goal": "Look at every row and change none.", "steps": steps}


def test_two_thousand_steps_are_searched_judged_and_handed_in(windows: Windows) -> None:
    bench = open_task(
        windows, "trajectory", template={"first_error": "required"}, payload=long_run()
    )
    page = bench.page
    articles = page.get_by_role("feed").get_by_role("article")
    expect(articles.first).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("zürich 🏔")
    expect(page.locator("[data-found]")).to_have_text("1 of 1")
    page.keyboard.press("Escape")
    expect(current(page)).to_have_attribute("data-step", f"s{WRONG_AT}")
    expect(current(page)).to_be_in_viewport()
    expect(current(page)).to_have_attribute("aria-posinset", str(WRONG_AT + 1))
    assert articles.count() < 60
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("[")
    expect(current(page)).to_have_attribute("data-step", f"s{WRONG_AT}")
    expect(current(page)).to_be_focused()
    expect(page.locator("[data-tally]")).to_have_text("1 of 2,000 judged, 1 wrong")
    assert f"s{WRONG_AT}.-1" == page.locator("textarea[name=marks]").input_value()
    assert_accessible(page)

    page.keyboard.press("n")

    assert {
        "outcome": "no",
        "first_error_step": f"s{WRONG_AT}",
        "steps": {f"s{WRONG_AT}": {"correctness": -1}},
    } == bench.handed_in()


def test_without_script_steps_come_in_pages_that_keep_what_was_judged(windows: Windows) -> None:
    steps = [{"id": f"s{number}", "kind": "agent", "content": "On."} for number in range(50)]
    bench = open_task(
        windows,
        "trajectory",
        template={"first_error": "required"},
        payload={"goal": "Go on.", "steps": steps},
    )
    path = bench.page.url
    bench.page.close()
    page = windows.open(cookie=bench.doctor_cookie, script=False)
    page.goto(path)
    step = page.get_by_role("article").nth(3)
    step.get_by_role("radio", name="Wrong").check()
    page.get_by_role("button", name="Further steps").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    page.get_by_role("article").nth(1).get_by_role("radio", name="Neutral").check()
    page.get_by_role("button", name="Earlier steps").click()
    expect(step.get_by_role("radio", name="Wrong")).to_be_checked()
    page.get_by_role("combobox", name="First error").fill("s3")
    page.get_by_role("radio", name="Not reached").check()
    page.get_by_role("button", name="Submit", exact=False).last.click()

    expect(page.get_by_role("combobox", name="First error")).to_have_count(0)
    # A browser without script loads none, and says so of each file.
    windows.complaints = [each for each in windows.complaints if not each.endswith(" csp")]
    (judgement,) = bench.judgements()
    assert {"s3": {"correctness": -1}, "s21": {"correctness": 0}} == judgement["steps"]
