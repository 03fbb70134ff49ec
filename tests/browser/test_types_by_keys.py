"""Pairwise, ranking, rubric and demonstration: one task of each done without a mouse."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser


def tab_to(page: Page, control: Locator, *, key: str = "Tab") -> None:
    """Move to a control as the keyboard does; it must be on the way."""
    for _ in range(80):
        if control.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press(key)
    expect(control).to_be_focused()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tree_has(page: Page, *lines: str) -> None:
    """What a screen reader is told."""
    tree = page.locator("x-workbench").aria_snapshot()
    assert [] == [each for each in lines if each not in tree]


def test_pairwise(windows: Windows) -> None:
    bench = open_task(windows, "pairwise")
    page = bench.page
    tree_has(
        page,
        'heading "Answer A" [level=2]',
        'region "Text of answer B"',
        'group "Safety',
        'group "Which answer is better?"',
        'radio "A is better"',
        'radio "Both bad"',
        'group "How much better?"',
    )
    first = page.locator(".answers .answer").first.get_attribute("data-slot")
    press(page, "d")
    expect(page.get_by_role("region", name="What B says differently from A")).to_be_visible()
    press(page, "d", "a", "2")
    tab_to(
        page, page.get_by_role("group", name="Safety").get_by_role("radio").last, key="Shift+Tab"
    )
    press(page, "ArrowLeft")
    assert_accessible(page)

    judgement = bench.handed_in()

    assert (first, 2) == (judgement["choice"], judgement["strength"])
    assert {"safety": "tie"} == judgement["aspects"]


def test_a_tie_takes_no_strength(windows: Windows) -> None:
    bench = open_task(windows, "pairwise", template={}, width=390, scheme="dark")
    press(bench.page, "t")
    assert_accessible(bench.page)
    assert 390 >= bench.page.evaluate("document.documentElement.scrollWidth")

    assert {"choice": "tie"} == bench.handed_in()


def test_ranking(windows: Windows) -> None:
    bench = open_task(windows, "ranking")
    page = bench.page
    order = page.locator("[data-row] fieldset").evaluate_all("all => all.map(each => each.id)")
    ids = [each.removeprefix("field-ranks-") for each in order]
    tree_has(page, 'region "Answers to rank"', 'group "Place of answer C"', 'radio "1 (best)"')
    press(page, "2", "1", "2")
    expect(
        page.get_by_role("group", name="Place of answer B").get_by_role("radio").first
    ).to_be_checked()
    assert_accessible(page)

    assert [[ids[1]], sorted([ids[0], ids[2]])] == sorted_tiers(bench.handed_in()["tiers"])


def sorted_tiers(tiers: Sequence[Sequence[str]]) -> list[list[str]]:
    """Places with their answers in order of name: within one place there is none."""
    return [sorted(each) for each in tiers]


def test_rubric(windows: Windows) -> None:
    bench = open_task(windows, "rubric")
    page = bench.page
    tree_has(
        page,
        'region "Ratings"',
        'group "Clarity"',
        'radio "5: Clear"',
        'group "Dosing"',
        'checkbox "Not applicable"',
    )
    press(page, "4")
    expect(page.get_by_role("group", name="Dosing")).to_have_attribute("data-current", "")
    press(page, "n", "k")
    expect(page.get_by_role("group", name="Clarity")).to_have_attribute("data-current", "")
    assert_accessible(page)

    ratings = bench.handed_in()["ratings"]

    assert {"clarity": {"score": 4}, "dosing": {"na": True}} == ratings


def test_demonstration(windows: Windows) -> None:
    bench = open_task(windows, "demonstration")
    page = bench.page
    tree_has(page, 'textbox "The answer that should have been given', 'checkbox "My own words')
    press(page, "w")
    page.keyboard.type("Yes.\n\nKeep the amount *steady*.")
    press(page, "Escape")
    press(page, "Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("My own words")
    tab_to(page, page.get_by_role("checkbox", name="My own words"))
    press(page, "Space")
    assert_accessible(page)

    judgement = bench.handed_in()

    assert [{"role": "assistant", "content": "Yes.\n\nKeep the amount *steady*."}] == [
        {name: each[name] for name in ("role", "content")} for each in judgement["messages"]
    ]
    assert {"own_words": True} == judgement["self_check"]
    windows.forgive(422)
