"""Another theme is there at once, however deep its words lie in the page."""

from __future__ import annotations

import pytest

from tests.browser.place import Place
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser

BEGAN = "window.began = 0; document.addEventListener('transitionrun', () => window.began++)"


def test_who_wants_no_motion_sees_another_theme_at_once(windows: Windows, place: Place) -> None:
    page = windows.open(scheme="light")
    page.goto("/")
    page.evaluate(BEGAN)
    page.emulate_media(color_scheme="dark")
    colour, ground = page.evaluate(
        "new Promise(done => requestAnimationFrame(() => done(['h1', 'body'].map("
        "(each, nth) => getComputedStyle(document.querySelector(each))"
        "[nth ? 'backgroundColor' : 'color']))))"
    )
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    assert 0 == page.evaluate("window.began")
    assert ("oklch(0.935 0.006 85)", "oklch(0.178 0.005 75)") == (colour, ground)
