"""Fact check by keys alone: claims are selected in the answer, quotations in the source."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench, assert_accessible, open_task
from tests.browser.windows import Windows
from tests.tasktypes.examples import RESPONSE

pytestmark = pytest.mark.browser


@pytest.fixture
def bench(windows: Windows) -> Bench:
    return open_task(windows, "fact_check")


def select(page: Page, name: str, before: int, length: int) -> None:
    """Select words with the keyboard: so many characters from the beginning, so many long."""
    page.get_by_role("textbox", name=name, exact=True).focus()
    page.keyboard.press("Control+Home")
    for _ in range(before):
        page.keyboard.press("ArrowRight")
    for _ in range(length):
        page.keyboard.press("Shift+ArrowRight")


def test_claims_are_made_judged_and_quoted_without_a_mouse(bench: Bench) -> None:
    page = bench.page
    answer = page.get_by_role("textbox", name="The answer to check")
    answer.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    expect(page.locator("[data-said]")).to_contain_text("notice is due in 30 days.")
    # Across the line's end, which a quotation writes as a blank.
    select(page, "Code", 0, 24)
    page.keyboard.press("s")
    expect(page.locator("[data-said]")).to_contain_text("Quoted for")
    page.get_by_label("Where in it").press("End")
    page.keyboard.type("§ 3")
    answer.focus()
    page.keyboard.press("Control+End")
    for _ in range(len("Fees are capped.")):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Cannot be verified").nth(1)).to_be_focused()
    assert_accessible(page)

    marked, found = bench.handed_in()["claims"]

    assert (14, 40, "contradicted") == (marked["start"], marked["end"], marked["verdict"])
    source = {"doc_id": "s1", "quote": "Notice is due in 20 days", "locator": "§ 3"}
    assert [source] == marked["sources"]
    assert "Fees are capped." == RESPONSE[found["start"] : found["end"]]
    assert "unverifiable" == found["verdict"]


def test_the_labs_claims_stay_and_ones_own_can_go(bench: Bench) -> None:
    page = bench.page
    select(page, "The answer to check", 0, 4)
    page.keyboard.press("c")
    claims = page.get_by_role("group", name="Claim", exact=False).filter(
        has=page.locator("blockquote")
    )
    expect(page.locator("[data-claim-row]")).to_have_count(2)
    expect(claims.last).to_contain_text("Café")
    page.keyboard.press("Delete")
    expect(page.locator("[data-claim-row]")).to_have_count(1)

    page.get_by_role("textbox", name="The answer to check").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Delete")

    expect(page.locator("[data-said]")).to_contain_text("The lab marked this claim")
    expect(page.locator("[data-claim-row]")).to_have_count(1)


def test_a_draft_keeps_claims_and_their_sources(bench: Bench) -> None:
    page = bench.page
    select(page, "The answer to check", 0, 4)
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.get_by_role("button", name="Another source").last.press("Enter")
    page.get_by_label("Or an address").last.fill("https://law.example/3")
    expect(page.locator("[data-saved]")).to_contain_text("saved")
    page.locator("[data-saved]", has_text="revision").wait_for()
    page.wait_for_timeout(1500)

    page.reload()

    expect(page.locator("[data-claim-row]")).to_have_count(2)
    expect(page.locator(".mark").first).to_have_attribute("data-words", "Supported")
    # An empty first source is no source: the second one is the first now.
    expect(page.locator("[data-claim-row]").last.get_by_label("Or an address")).to_have_value(
        "https://law.example/3"
    )
