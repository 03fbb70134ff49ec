"""A change reviewed by keys alone: lines, comments below them, severities, a verdict."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.tasktypes.test_diffs import ODD

pytestmark = pytest.mark.browser


def test_a_change_is_reviewed_without_a_mouse(windows: Windows) -> None:
    bench = open_task(windows, "code", template={}, payload={"title": "Tidy up", "diff": ODD})
    page = bench.page
    remarks = page.get_by_role("group", name="new name.txt, line 2")
    page.keyboard.press("j")
    line = page.get_by_role("row", name="Line 2 before the change, removed: b")
    expect(line).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(remarks.get_by_label("What is wrong, and what would be right")).to_be_focused()
    page.keyboard.type("Café 🏛 goes first.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="Line 2, added: c")).to_be_focused()
    page.keyboard.press("2")
    expect(remarks.get_by_role("radio", name="Major")).to_be_checked()
    page.keyboard.press("s")
    expect(remarks.get_by_label("Code to put in its place")).to_have_value("c")
    page.keyboard.press("End")
    page.keyboard.type("()")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    # A comment that is begun and left empty is none.
    page.keyboard.press("]")
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.locator("#file-2 summary")).to_be_focused()
    page.keyboard.press("w")
    page.keyboard.type("Why another picture?")
    page.keyboard.press("Escape")
    page.keyboard.press("4")
    page.keyboard.press("x")
    page.keyboard.press("e")
    page.keyboard.type("It loses an accent.")
    assert_accessible(page)

    judgement = bench.handed_in()

    comment = {"path": "new name.txt", "line": 2, "severity": "major", "suggestion": "c()"}
    assert {
        "verdict": "request_changes",
        "comments": [
            {**comment, "body": "Café 🏛 goes first."},
            {"path": "logo.png", "severity": "nit", "body": "Why another picture?"},
        ],
    } == judgement


def test_a_draft_finds_its_lines_again_and_a_phone_shows_it_all(windows: Windows) -> None:
    bench = open_task(windows, "code", width=390, scheme="dark")
    page = bench.page
    page.locator(".diff-lines tr.removed td").first.click()
    page.keyboard.type("Why not?")
    page.locator("[data-saved]", has_text="revision").wait_for()
    assert_accessible(page)
    assert 390 >= page.evaluate("document.documentElement.scrollWidth")

    page.reload()

    holder = page.locator(".diff-lines tr.removed + tr.remark-line")
    expect(holder.get_by_label("What is wrong")).to_have_value("Why not?")
    holder.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-comment]")).to_have_count(0)
    expect(page.get_by_text("None yet.")).to_be_visible()
