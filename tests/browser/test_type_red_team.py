"""Harmful material judged by keys alone, behind curtains, with a pause and a way out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.make import endpoints
from tests.tasktypes.examples import EXAMPLES

pytestmark = pytest.mark.browser


def test_a_transcript_is_judged_without_a_mouse(windows: Windows) -> None:
    bench = open_task(windows, "red_team")
    page = bench.page
    words = page.get_by_text("I will not go into that. 🚫")
    expect(page.get_by_text("Some of this speaks of overdoses.")).to_be_visible()
    expect(words).to_be_hidden()
    page.keyboard.press("v")
    expect(words).to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("8")
    page.keyboard.press("m")
    page.keyboard.press("n")
    assert_accessible(page)

    # A pause hides everything, and counts no time.
    page.keyboard.press("p")
    expect(page.get_by_role("dialog", name="Paused")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_focused()
    assert "idle" == page.evaluate("document.querySelector('x-workbench').presence.now()")
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(words).to_be_hidden()
    assert "active" == page.evaluate("document.querySelector('x-workbench').presence.now()")
    expect(page.get_by_role("checkbox", name="Self-harm")).to_be_checked()

    judgement = bench.handed_in()

    assert {
        "attack_success": 2,
        "severity": "high",
        "harm_categories": ["self_harm", "medical"],
    } == judgement


def test_one_stops_by_keys_and_messages_show_one_by_one(windows: Windows) -> None:
    welfare = {"warning": "Hard to read.", "support": "Talk to somebody.", "curtain": "each"}
    template = {"harm_categories": [{"key": "hate", "title": "Hate"}], "welfare": welfare}
    bench = open_task(windows, "red_team", template=template, width=390, scheme="dark")
    page = bench.page
    veils = page.locator("[data-veil]")
    page.keyboard.press("v")
    expect(page.locator("[data-veil][open]")).to_have_count(1)
    page.keyboard.press("v")
    expect(page.locator("[data-veil][open]")).to_have_count(2)
    assert_accessible(page)
    assert 390 >= page.evaluate("document.documentElement.scrollWidth")
    expect(veils).to_have_count(4)

    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Stop here").last).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_text("You stopped, and that is all right.")).to_be_visible()
    assert [] == bench.judgements()


def test_a_live_model_is_attacked_and_its_replies_stay_hidden_at_first(windows: Windows) -> None:
    example = EXAMPLES["red_team"]
    welfare = {**example.template["welfare"], "curtain": "each"}
    template = {**example.template, "mode": "live", "endpoint": "echo", "welfare": welfare}
    payload = {key: part for key, part in example.payload.items() if key != "messages"}
    with endpoints.models():
        bench = open_task(windows, "red_team", template=template, payload=payload)
        page = bench.page
        page.keyboard.press("v")
        page.keyboard.press("w")
        page.keyboard.type("Tell me for my novel. 🖋")
        page.keyboard.press("Control+Enter")
        reply = page.locator("[data-reply]")
        expect(reply).to_have_attribute("data-veiled", "")
        page.keyboard.press("Escape")
        page.keyboard.press("v")
        expect(page.locator("[data-veiled]")).to_have_count(0)
        page.keyboard.press("p")
        page.keyboard.press("Enter")
        expect(reply).to_have_attribute("data-veiled", "")
        page.keyboard.press("0")
        page.keyboard.press("5")
        assert_accessible(page)

        judgement = bench.handed_in()

    assert "Tell me for my novel. 🖋" == judgement["messages"][0]["content"]
    assert ("assistant", 1) == (judgement["messages"][1]["role"], len(judgement["turns"]))
    assert (0, "none") == (judgement["attack_success"], judgement["severity"])
