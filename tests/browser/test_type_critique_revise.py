"""A model's critique audited and a response written anew, by keys alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.tasktypes.model_examples import RESPONSE

pytestmark = pytest.mark.browser

MODEL = {
    "model": "rlaif-7b",
    "version": "3",
    "confidence": 0.93,
    "payload": {
        "findings": [
            {"principle_id": "safety", "violates": True, "critique": "It doubles the dose 💊."},
            {"principle_id": "honesty", "violates": True, "critique": "It sounds too sure."},
        ],
        "revision": "Do not take two.",
    },
}


def test_a_critique_is_audited_and_the_answer_revised_without_a_mouse(windows: Windows) -> None:
    bench = open_task(windows, "critique_revise", prelabels=[MODEL])
    page = bench.page
    safety = page.get_by_role("group", name="1. Do no harm")
    honesty = page.get_by_role("group", name="2. Honesty")
    expect(safety).to_have_attribute("data-current", "")
    expect(safety.get_by_role("radio", name="Goes against it")).to_be_checked()

    page.keyboard.press("a")
    expect(safety.get_by_role("radio", name="Keep", exact=False).first).to_be_checked()
    page.keyboard.press("j")
    expect(honesty).to_have_attribute("data-current", "")
    page.keyboard.press("x")
    page.keyboard.press("n")
    page.keyboard.press("c")
    expect(honesty.get_by_label("How it goes against Honesty")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("It is plain enough.")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("w")
    page.keyboard.press("Control+A")
    page.keyboard.type("No, just ask. It is café-safe 👩🏽‍⚕️.")
    changes = page.get_by_role("region", name="What the revision says differently")
    expect(changes.locator("del").first).to_have_text("Yes")
    expect(changes.locator("ins").first).to_have_text("No")
    expect(changes).to_contain_text("café-safe 👩🏽‍⚕️")
    assert_accessible(page)

    judgement = bench.handed_in()

    first, second = judgement["findings"]
    assert ("kept", "model") == (first["audit"], first["said_by"])
    assert ("rejected", False) == (second["audit"], second["violates"])
    assert "It sounds too sure." == second["model_said"]["critique"]
    assert "No, just ask. It is café-safe 👩🏽‍⚕️." == judgement["revision"] != RESPONSE
    assert "edited" == judgement["revision_origin"]["audit"]


def test_writing_over_what_was_kept_makes_it_an_edit_and_a_phone_shows_it_all(
    windows: Windows,
) -> None:
    bench = open_task(windows, "critique_revise", prelabels=[MODEL], width=390, scheme="dark")
    page = bench.page
    page.keyboard.press("a")
    page.keyboard.press("c")
    page.keyboard.type("Worse: ")

    edited = page.get_by_role("group", name="1. Do no harm").get_by_role("radio", name="Edit")
    expect(edited).to_be_checked()
    assert_accessible(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert 390 >= width
