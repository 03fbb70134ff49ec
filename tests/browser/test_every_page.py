"""Each main page of each audience: no violation of WCAG, nothing wider than the window.

With SHOTS=1 in the environment a shot of each is left in tests/browser/shots/, for people.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.place import Place
from tests.browser.town import PAGES, Town
from tests.browser.wcag import RULES, violations
from tests.browser.windows import SHOTS, Scheme, Windows

pytestmark = pytest.mark.browser

TAGS = [*RULES, "best-practice"]
# What colours and a narrow window can change; all else is the same page in another dress.
IN_OTHER_DRESS = [
    "color-contrast",
    "link-in-text-block",
    "scrollable-region-focusable",
    "target-size",
    "region",
    "landmark-unique",
]
LOOKS: tuple[tuple[Scheme, int], ...] = (("light", 1280), ("dark", 390))
# Rows of a table come from one template, so those further down say nothing new.
MORE_ROWS = "tbody > tr:nth-child(n + 9)"
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Colours that are still on their way would be read as they are half-way.
STILL = "Promise.allSettled(document.getAnimations().map(each => each.finished))"
WANTS_SHOTS = os.environ.get("SHOTS") == "1"
STATUS = {"not-found": 404}
Visit = Callable[[str], Page]


@pytest.fixture(scope="module")
def visit(browser: Browser, place: Place, town: Town) -> Iterator[Visit]:
    """Opens a page by its name; each person has one window, whose files are fetched once.

    Nothing is done in the background meanwhile, and a window keeps the look that it had.
    """
    windows = Windows(browser, place.address)
    theirs: dict[str, Page] = {}

    def go(name: str) -> Page:
        cookie = town.cookie(name)
        if cookie not in theirs:
            theirs[cookie] = windows.open(cookie=cookie)
        page = theirs[cookie]
        answer = page.goto(town.path(name))
        assert answer is not None
        assert STATUS.get(name, 200) == answer.status
        windows.forgive(STATUS.get(name))
        return page

    with place.worker.resting():
        yield go
    windows.close()
    assert [] == windows.complaints


# What axe makes of the whole API takes it as long as five other pages.
LONG = "api-docs"
# One page of each kind; the others are made of the same parts and colours, and the long run looks
# at them in the other dress too.
IN_BOTH = frozenset(
    [
        "home",
        "sign-in",
        "lab-builder",
        "lab-job",
        "lab-quality",
        "lab-pipeline",
        "lab-disagreements",
        "lab-review-one",
        "lab-export",
        "work-home",
        "work-job",
        "work-receipt",
        "work-skill",
        "workbench-medicine",
        "workbench-code",
        "operations-credential",
        "finance-desk",
        "finance-run-draft",
        "finance-trial-balance",
        "account-tokens",
        "house",
    ]
)
OTHERS = [name for name in PAGES if name not in IN_BOTH]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n == LONG else ()) for n in PAGES]
)
def test_a_page_is_accessible_and_fits(visit: Visit, name: str) -> None:
    page = visit(name)
    page.evaluate("document.fonts.ready")
    expect(page.locator("h1")).to_have_count(1)
    assert "" != page.title().removesuffix("· Marketplace").strip()
    is_wide = page.viewport_size == {"width": 1280, "height": 860}
    for look in LOOKS if is_wide else reversed(LOOKS):
        wears(page, name, *look, by_axe=look == LOOKS[0] or name in IN_BOTH)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_page_is_accessible_in_the_dark_on_a_phone(visit: Visit, name: str) -> None:
    wears(visit(name), name, *LOOKS[1], by_axe=True)


def wears(page: Page, name: str, scheme: Scheme, width: int, *, by_axe: bool) -> None:
    """Dress a page, and look at it: by axe, and whether it fits."""
    page.set_viewport_size({"width": width, "height": 860})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(PAINTED)
    page.evaluate(STILL)
    if WANTS_SHOTS:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
    if by_axe:
        rules = TAGS if scheme == "light" else IN_OTHER_DRESS
        assert [] == violations(page, rules, without=[MORE_ROWS])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_disagreements_are_walked_by_keys(visit: Visit) -> None:
    page = visit("lab-disagreements")
    items = page.locator("x-disagreements > article")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("o")
    expect(items.nth(1).locator("[data-item]")).to_have_attribute("open", "")
    page.keyboard.press("k")
    expect(items.nth(0)).to_be_focused()
