"""What a keyboard reaches without a pointer, and what a phone shows of long names."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from marketplace.db import transaction
from marketplace.identity.rules import Role
from marketplace.money import Money
from tests.browser.windows import Windows
from tests.make import identity, jobs, work

pytestmark = pytest.mark.browser


def jobs_of(windows: Windows, name: str, *, width: int = 1280) -> Page:
    """The jobs of a lab, before somebody of this name."""
    with transaction() as session:
        lab = identity.lab_owner(session, name=name)
        jobs.filled(session, lab)
        cookie = identity.cookie(session, lab)
    opened = windows.open(cookie=cookie, width=width)
    opened.goto("/lab/jobs")
    return opened


@pytest.fixture
def page(windows: Windows) -> Page:
    """The jobs of a lab."""
    return jobs_of(windows, "Nora Adler")


@pytest.fixture
def desk(windows: Windows) -> Page:
    """The desk of finance on a phone, where a lab has paid something in."""
    with transaction() as session:
        work.money_in(session, identity.lab_owner(session), Money(100_00, "USD"))
        cookie = identity.cookie(session, identity.staff(session, Role.PREPARER))
    opened = windows.open(cookie=cookie, width=390)
    opened.goto("/finance")
    return opened


def test_the_first_tab_offers_to_skip_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()

    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_tab_reaches_the_whole_rail_in_its_order(page: Page) -> None:
    entries = page.locator(".rail nav a")
    reached: list[str] = []
    for _ in range(2 + entries.count()):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))

    assert entries.evaluate_all("each => each.map(one => one.getAttribute('href'))") == reached[2:]
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert "none" != page.evaluate(outline)


def test_a_question_mark_shows_the_keys_and_escape_gives_the_focus_back(page: Page) -> None:
    page.locator(".rail nav a").first.focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()

    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(page.locator(".rail nav a").first).to_be_focused()


def test_g_and_a_letter_go_to_another_page(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("b")

    page.wait_for_url("**/lab/balance")


def test_a_long_name_widens_nothing_on_a_phone(windows: Windows) -> None:
    page = jobs_of(windows, "Wolfeschlegelsteinhausenbergerdorff " * 3, width=390)

    assert 390 == page.evaluate("document.documentElement.scrollWidth")
    expect(page.locator(".account > summary .icon").last).to_be_in_viewport(ratio=1)


def test_a_tables_head_stands_above_its_first_row_on_a_phone(desk: Page) -> None:
    table = desk.get_by_role("table", name="Whose money it is")
    head = table.locator("thead th").first.bounding_box()
    first = table.locator("tbody th").first.bounding_box()

    assert head is not None
    assert first is not None
    assert head["y"] + head["height"] <= first["y"] + 1


def test_the_bar_of_a_phone_cuts_no_word(desk: Page) -> None:
    labels = desk.locator(".rail nav .label")
    assert labels.count() > 0
    cut = "each => each.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
    assert [] == labels.evaluate_all(cut)
