"""A pre-label put right by keys alone."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.tasktypes.model_examples import CORRECTED

pytestmark = pytest.mark.browser

WRONG = {**CORRECTED["values"], "dose": 25, "summary": "Missed a dose 💊.\nWants to treble it."}
MODEL = {"model": "scribe-1", "version": "", "confidence": 0.98, "payload": {"values": WRONG}}


def test_a_pre_label_is_put_right_without_a_mouse(windows: Windows) -> None:
    bench = open_task(windows, "correction", prelabels=[MODEL])
    page = bench.page
    summary = page.get_by_role("group", name="Summary")
    dose = page.get_by_role("group", name="Dose in mg")
    expect(summary.locator("[data-op]")).to_have_text("kept")
    expect(page.get_by_role("heading", name="What scribe-1 made of it")).to_be_visible()

    page.keyboard.press("d")
    page.keyboard.press("c")
    page.keyboard.press("Control+A")
    page.keyboard.type("Missed a dose 💊.\nWants to double it.")
    page.keyboard.press("Escape")
    expect(summary.locator("[data-op]")).to_have_text("edited")
    changes = page.get_by_role("region", name="What changed in Summary")
    expect(changes.locator("del")).to_have_text("treble ")
    expect(changes.locator("ins")).to_have_text("double ")
    page.keyboard.press("j")
    page.keyboard.press("2")
    expect(page.get_by_role("group", name="Urgency").locator("[data-op]")).to_have_text("edited")
    page.keyboard.press("a")
    expect(page.get_by_role("radio", name="Now")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.press("Control+A")
    page.keyboard.type("2.5")
    page.keyboard.press("Escape")
    expect(dose.locator("[data-op]")).to_have_text("edited")
    page.keyboard.press("j")
    page.keyboard.press("x")
    left_out = page.get_by_role("group", name="Allergic", exact=False).first
    expect(left_out.locator("[data-op]")).to_have_text("left out")
    assert_accessible(page)

    judgement = bench.handed_in()

    expected = {name: value for name, value in CORRECTED["values"].items() if name != "allergic"}
    assert {**expected, "summary": "Missed a dose 💊.\nWants to double it."} == judgement["values"]
    ops = {each["path"]: each["op"] for each in judgement["elements"] if each["op"] != "kept"}
    assert {"/summary": "edited", "/dose": "edited", "/allergic": "deleted"} == ops


def test_a_phone_shows_every_field(windows: Windows) -> None:
    bench = open_task(windows, "correction", prelabels=[MODEL], width=390, scheme="dark")
    page = bench.page

    assert_accessible(page)
    assert 390 >= page.evaluate("document.documentElement.scrollWidth")
    facts = json.dumps(WRONG["facts"], indent=2)
    expect(page.get_by_role("textbox", name="Facts")).to_have_value(facts)
