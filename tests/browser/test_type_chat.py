"""A chat by keys alone: said, answered, chosen, changed, rated, handed in; and its tree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.make import endpoints
from tests.tasktypes.examples import EXAMPLES

pytestmark = pytest.mark.browser
TEMPLATE = {**EXAMPLES["chat"].template, "turns_min": 1}


@pytest.fixture
def models(committed: Engine) -> Iterator[None]:
    with endpoints.models():
        yield


def due(page: Page, state: str) -> None:
    expect(page.locator(f'x-conversation[data-state="{state}"]')).to_be_visible()


def say(page: Page, words: str) -> None:
    page.keyboard.press("w")
    page.keyboard.type(words)
    page.keyboard.press("Control+Enter")
    due(page, "choosing")


def test_a_chat_is_done_by_keys_alone(windows: Windows, models: None) -> None:
    bench = open_task(windows, "chat", template=TEMPLATE)
    page = bench.page

    say(page, "I missed a dose. Two tonight?")
    talk = page.get_by_role("region", name="The conversation")
    for letter in "AB":
        expect(talk.get_by_role("heading", name=f"Reply {letter}")).to_be_visible()
        expect(talk.get_by_role("region", name=f"Text of reply {letter}")).to_be_visible()
        expect(talk.get_by_role("button", name=f"{letter} goes on")).to_be_enabled()
    expect(talk.get_by_role("button", name="None of them, ask anew")).to_be_enabled()
    assert_accessible(page)
    page.keyboard.press("b")
    due(page, "open")
    # The field for the next words has the focus; a double press says them once.
    expect(page.get_by_label("What you say next")).to_be_focused()
    page.keyboard.type("And if I bruise? 🩹")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    due(page, "choosing")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Opens what changes the reply.
    changed = talk.get_by_label("Reply A, changed")
    expect(changed).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Ring us.")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    due(page, "open")
    page.keyboard.press("Escape")
    page.keyboard.press("5")
    judgement = bench.handed_in()

    first, second = judgement["turns"]
    assert ("I missed a dose. Two tonight?", first["attempts"][0]["order"][1]) == (
        first["said"],
        first["choice"],
    )
    assert ("And if I bruise? 🩹", "Ring us.") == (second["said"], second["edit"])
    assert {"helpful": {"score": 5}} == judgement["ratings"]
    assert {"saying", "editing"}.isdisjoint(judgement)


def test_a_chat_fits_a_phone_at_night(windows: Windows, models: None) -> None:
    page = open_task(windows, "chat", template=TEMPLATE, width=390, scheme="dark").page
    page.get_by_label("What you say").fill("Hello")
    page.get_by_role("button", name="Say it").click()
    due(page, "choosing")

    assert 390 == page.evaluate("document.documentElement.scrollWidth")
    assert_accessible(page)
