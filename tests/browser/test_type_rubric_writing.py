"""Rubric writing by keys alone: write, add, move and remove criteria."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser


def test_a_rubric_is_written_without_a_mouse(windows: Windows) -> None:
    bench = open_task(windows, "rubric_writing")
    page = bench.page
    page.keyboard.press("n")
    page.keyboard.type("Gives an appropriate dose")
    expect(page.get_by_text("say what a grader should look for")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.type("accuracy")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("Tells to stop warfarin")
    page.keyboard.press("Tab")
    page.keyboard.type("-9")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_text("2 criteria, 7 points to gain, 9 to lose")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.type("Names the food")
    page.get_by_role("group", name="Criterion 5").get_by_role("button", name="Remove").press(
        "Enter"
    )
    page.get_by_role("group", name="Criterion 4").get_by_role("button", name="Remove").press(
        "Enter"
    )
    page.get_by_role("group", name="Criterion 3").get_by_role("button", name="Remove").press(
        "Enter"
    )
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.keyboard.type("Keep it steady.")
    expect(page.get_by_label("Points").first).to_have_value("-9")
    assert_accessible(page)

    judgement = bench.handed_in()

    assert {
        "rubrics": [
            {"criterion": "Tells to stop warfarin", "points": -9},
            {"criterion": "Gives an appropriate dose", "points": 7, "tags": ["accuracy"]},
        ],
        "ideal_completion": "Keep it steady.",
    } == judgement


def test_what_is_missing_is_told_at_its_place(windows: Windows) -> None:
    bench = open_task(windows, "rubric_writing")
    page = bench.page
    page.keyboard.press("n")
    page.keyboard.type("Names the dose")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("stands in the way.")).to_be_visible()
    windows.forgive(422)
    expect(page.get_by_label("What an answer does").first).to_have_value("Names the dose")
