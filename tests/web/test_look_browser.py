"""The look and the workbench in a real browser: no violations, keys, drafts, submission."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from marketplace.web import vendor
from tests.browser.wcag import RULES, violations
from tests.tasktypes.examples import EXAMPLES
from tests.web.look_stage import Received, make_stage

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
LOCAL = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# In light and wide, each type is looked at by its own test in tests/browser.
PLACES = [f"/work/{kind}" for kind in EXAMPLES]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium on PATH"),
    pytest.mark.skipif(
        not vendor.up_to_date(vendor.stamp()), reason="needs the front-end libraries (make run)"
    ),
]


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[str, Received]]:
    app, received = make_stage()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=LOCAL)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own profile, on which any complaint of the browser fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if _bad(said) else None)
    yield opened
    context.close()
    assert [] == complaints


def _bad(said: Any) -> bool:
    # Chromium reports what the page expects as well: a refusal, and a network that is gone.
    expected = ("422", "net::ERR_FAILED")
    return said.type in {"error", "warning"} and not any(one in said.text for one in expected)


@pytest.mark.parametrize("path", PLACES)
def test_a_task_has_no_violation_on_a_dark_phone(
    browser: Browser, stage: tuple[str, Received], path: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 860},
        color_scheme="dark",
        reduced_motion="reduce",
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto(stage[0] + path)
    page.evaluate("document.fonts.ready")
    page.evaluate("Promise.allSettled(document.getAnimations().map(each => each.finished))")
    # What the bar of answers happens to cover is reached by scrolling; here nothing is covered.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 390, "height": height})
    found = violations(page, [*RULES, "best-practice"])
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()

    assert [] == found
    assert wide <= 390


def test_the_theme_is_kept_and_never_flashes(page: Page, stage: tuple[str, Received]) -> None:
    page.goto(stage[0] + "/")
    page.click("[data-theme-choice=dark]")
    page.reload(wait_until="commit")
    page.wait_for_selector("h1")
    assert "dark" == page.evaluate("document.documentElement.dataset.theme")
    page.click("[data-theme-choice=system]")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_keys_open_the_list_and_search_and_go(page: Page, stage: tuple[str, Received]) -> None:
    page.goto(stage[0] + "/house/ui")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert "search" == page.evaluate("document.activeElement.type")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/house/ui#content")


def test_pairwise_is_done_with_keys_alone(page: Page, stage: tuple[str, Received]) -> None:
    url, received = stage
    page.goto(url + "/work/pairwise")
    with page.expect_request("**/draft"):
        page.keyboard.press("a")
        page.keyboard.press("2")
        page.keyboard.press("r")
        page.keyboard.type("The other halves the dose.")
    expect(page.locator("[data-saved]")).to_contain_text("revision")
    draft = received.drafts[-1]
    assert ("b", "2", "The other halves the dose.") == (
        draft["choice"],
        draft["strength"],
        draft["rationale"],
    )
    assert '"0"' == received.matches[0]

    with page.expect_navigation(url="**/work/ranking"):
        page.keyboard.press("Control+Enter")
    assert "b" == received.submitted[-1]["choice"]
    assert "true" == received.submitted[-1]["next"]
    assert page.evaluate(MIRRORED) is None


MIRRORED = """import("/static/islands/mirror.js").then(m => m.find("claim-pairwise"))
    .then(found => found ? found.fields.length : null)"""


def test_a_draft_survives_a_network_that_is_gone(page: Page, stage: tuple[str, Received]) -> None:
    page.goto(stage[0] + "/work/pairwise")
    page.route("**/draft", lambda route: route.abort())
    page.keyboard.press("b")
    page.keyboard.press("r")
    page.keyboard.type("Kept.")
    page.wait_for_selector("[data-saved][data-state=offline]")
    page.unroute("**/draft")
    page.reload()
    expect(page.locator("#field-rationale")).to_have_value("Kept.")
    assert "a" == page.evaluate("document.querySelector('input[name=choice]:checked').value")


def test_a_refused_submission_stays_and_says_why(page: Page, stage: tuple[str, Received]) -> None:
    page.goto(stage[0] + "/work/pairwise")
    page.keyboard.press("r")
    page.keyboard.type("No choice yet.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Choose an answer.")
    assert page.url.endswith("/work/pairwise")
    assert "No choice yet." == page.input_value("#field-rationale")


def test_without_script_the_form_still_submits(
    browser: Browser, stage: tuple[str, Received]
) -> None:
    url, received = stage
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + "/work/pairwise")
    page.check("input[name=choice][value=tie]", force=True)
    page.click("button[name=next][value=true]")
    page.wait_for_url("**/work/ranking")
    context.close()
    assert "tie" == received.submitted[-1]["choice"]


def test_the_bottom_bar_of_a_phone_shows_whole_words(
    browser: Browser, stage: tuple[str, Received]
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(stage[0] + "/house/ui")
    cut = page.locator(".rail nav .label").evaluate_all(
        "each => each.filter(e => e.scrollHeight > e.clientHeight + 1).length"
    )
    page.close()
    assert 0 == cut


def test_a_choice_stays_readable_under_the_pointer(page: Page, stage: tuple[str, Received]) -> None:
    page.goto(f"{stage[0]}/work/pairwise")
    label = page.locator(".choices label").first
    style = "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"

    label.click()
    page.wait_for_timeout(250)  # Colours take their time.
    pointed_at = label.evaluate(style)
    page.mouse.move(0, 0)
    page.wait_for_timeout(250)

    assert label.evaluate(style) == pointed_at
