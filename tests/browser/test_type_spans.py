"""Spans by keys alone: select, label, say more, relate, take back, submit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import Bench, assert_accessible, open_task
from tests.browser.windows import Windows
from tests.tasktypes.examples import COURT_TEXT
from tests.tasktypes.test_spans import ODD

pytestmark = pytest.mark.browser


@pytest.fixture
def bench(windows: Windows) -> Bench:
    return open_task(windows, "spans")


def select(page: Page, words: str) -> None:
    """Select words of the text with the keyboard, from its beginning."""
    page.get_by_role("textbox", name="The text").focus()
    page.keyboard.press("Control+Home")
    start = COURT_TEXT.index(words)
    # One press a character as people see it; the sign of scales and the flag are one each.
    seen = "".join(each for each in COURT_TEXT[:start] if each != "\N{VARIATION SELECTOR-16}")
    for _ in range(len(seen.replace("\r\n", "\n"))):
        page.keyboard.press("ArrowRight")
    for _ in range(len(words)):
        page.keyboard.press("Shift+ArrowRight")


def test_a_task_is_done_without_a_mouse(bench: Bench) -> None:
    page = bench.page
    select(page, "High Court of Delhi")
    page.keyboard.press("1")
    expect(page.locator("[data-said]")).to_contain_text("COURT: “High Court of Delhi”. 1 span.")
    select(page, "Najmi Wazīri")
    page.keyboard.press("2")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Label", exact=True)).to_have_value("JUDGE")
    page.get_by_label("Label", exact=True).press("Tab")
    page.get_by_label("Role").press("s")
    page.get_by_label("Quoted").press("Space")
    page.get_by_label("Negated").press("Space")
    page.get_by_label("Concept id").fill("Q42")
    page.get_by_role("textbox", name="The text").focus()
    page.keyboard.press("k")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="sits in").press("Enter")
    page.get_by_label("appeal").press("Space")
    assert_accessible(page)

    judgement = bench.handed_in()

    court, judge = judgement["spans"]
    assert ("COURT", 7, 26, "High Court of Delhi") == tuple(
        court[key] for key in ("label", "start", "end", "text")
    )
    assert (52, 64, "Najmi Wazīri") == (judge["start"], judge["end"], judge["text"])
    assert {"role": "sole", "quoted": True} == judge["attributes"]
    assert (True, "Q42") == (judge["negated"], judge["kb_id"])
    relation = {"source": judge["id"], "target": court["id"], "type": "sits in"}
    assert [relation] == judgement["relations"]
    assert ["appeal"] == judgement["cats"]


def test_the_tree_names_what_a_screen_reader_says(bench: Bench) -> None:
    page = bench.page
    text = page.get_by_role("textbox", name="The text")
    expect(text).to_have_attribute("aria-readonly", "true")
    select(page, "Delhi")
    page.keyboard.press("1")

    expect(page.get_by_role("toolbar", name="Labels")).to_be_visible()
    expect(page.get_by_role("button", name="COURT", exact=True)).to_be_visible()
    row = page.get_by_role("list", name="Spans").get_by_role("listitem")
    expect(row.get_by_role("button", name="COURT “Delhi”")).to_be_visible()
    expect(row.get_by_role("button", name="Remove COURT: “Delhi”")).to_be_visible()


def test_typing_changes_nothing_and_what_was_done_can_be_taken_back(bench: Bench) -> None:
    page = bench.page
    text = page.get_by_role("textbox", name="The text")
    before = text.evaluate("box => box.textContent")
    select(page, "Delhi")
    page.keyboard.type("xyz 9")
    page.keyboard.press("Enter")
    assert before == text.evaluate("box => box.textContent")
    page.keyboard.press("1")
    page.keyboard.press("Delete")
    expect(page.get_by_text("Removed COURT")).to_be_visible()

    page.keyboard.press("Control+z")

    expect(page.get_by_role("list", name="Spans").get_by_role("listitem")).to_have_count(1)
    assert before == text.evaluate("box => box.textContent")


def test_overlap_is_refused_with_a_reason_while_it_is_done(bench: Bench) -> None:
    page = bench.page
    select(page, "High Court")
    page.keyboard.press("1")
    select(page, "Court of Delhi")
    page.keyboard.press("2")

    expect(page.locator("[data-said]")).to_contain_text("It crosses COURT: “High Court”")
    expect(page.get_by_role("list", name="Spans").get_by_role("listitem")).to_have_count(1)


def test_a_draft_comes_back_where_it_was(bench: Bench) -> None:
    page = bench.page
    select(page, "Najmi Wazīri")
    page.keyboard.press("2")
    expect(page.locator("[data-saved]")).to_contain_text("revision 1")

    page.reload()

    row = page.get_by_role("list", name="Spans").get_by_role("listitem")
    expect(row).to_contain_text("Najmi Wazīri")
    assert "Najmi Wazīri" == page.locator(".mark").inner_text()


def test_offsets_arrive_in_code_points_whatever_stands_before(windows: Windows) -> None:
    bench = open_task(windows, "spans", payload={"text": ODD})
    page = bench.page
    page.get_by_role("textbox", name="The text").focus()
    page.keyboard.press("Control+End")
    # Without a selection the word at the caret is meant.
    page.keyboard.press("1")
    page.keyboard.press("Control+Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    # One press takes the whole family, which is five code points and eight UTF-16 units.
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")
    page.get_by_role("combobox", name="Role").select_option("sole")
    page.get_by_role("textbox", name="The text").focus()
    for key in ("Control+Home", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "e"):
        page.keyboard.press(key)
    page.keyboard.type("A family, joined.")

    last, family = bench.handed_in()["spans"]

    assert (len(ODD) - 3, len(ODD), "end") == (last["start"], last["end"], last["text"])
    assert ("👩‍👩‍👧", ODD.index("👩")) == (family["text"], family["start"])
    (reason,) = bench.reasons()
    (evidence,) = reason["evidence"]
    assert ("👩‍👩‍👧", family["start"], family["end"]) == (
        evidence["quote"],
        evidence["start"],
        evidence["end"],
    )
