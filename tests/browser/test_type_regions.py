"""Regions on an image by keys alone, by pointer, and on an image of 16 bits."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bench import assert_accessible, open_task
from tests.browser.windows import Windows
from tests.make.images import SCAN_SHA256, deep_tiff

pytestmark = pytest.mark.browser

TEMPLATE: dict[str, Any] = {
    "question": "Mark every cell.",
    "labels": [
        {"key": "rbc", "title": "Red cell", "kinds": ["box", "polygon"]},
        {"key": "wbc", "title": "White cell", "kinds": ["box"]},
        {"key": "tip", "title": "Tip", "kinds": ["point"]},
    ],
    "certainty": "optional",
    "answers": [{"key": "quality", "title": "Quality", "options": ["good", "poor"]}],
}
PAYLOAD = {"image": "smear 1.png", "width": 640, "height": 480}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_an_image_is_marked_by_keys_alone(windows: Windows) -> None:
    bench = open_task(windows, "regions", template=TEMPLATE, payload=PAYLOAD)
    page = bench.page
    picture = page.get_by_role("application", name="smear 1.png with its regions")
    expect(picture).to_be_visible()

    press(page, "n", "ArrowRight", "Shift+ArrowDown", "s", "ArrowLeft", "ArrowLeft", "s")
    box = picture.get_by_role("button", name="Red cell, box at 241, 190, 158 by 120")
    expect(box).to_be_focused()
    press(page, "2")
    expect(picture.get_by_role("button", name="White cell, box at 241, 190")).to_be_visible()
    press(page, "Escape", "1", "p", "n", "c", "Shift+ArrowUp", "a", "ArrowLeft")
    expect(page.get_by_role("status").filter(has_text="polygon of 5 corners")).to_be_attached()
    press(page, "Escape", "3", "n", "x", "z")
    expect(page.get_by_role("heading", name="Regions 3")).to_be_visible()
    press(page, "Tab", "Shift+Tab")
    box_again = picture.get_by_role("button", name="White cell")
    box_again.focus()
    press(page, "Enter")
    expect(page.get_by_role("group", name="Region 1").get_by_label("Label")).to_be_focused()
    press(page, "Tab")
    expect(page.get_by_label("X", exact=True)).to_be_focused()
    page.keyboard.type("12.5")
    press(page, "Tab", "Escape")
    expect(picture.get_by_role("button", name="White cell, box at 12.5, 190")).to_be_visible()
    assert_accessible(page)
    tree = page.locator("x-regions").aria_snapshot()
    for line in ('group "Label"', 'button "Box B"', "list", "listitem", 'spinbutton "Width"'):
        assert line in tree

    judgement = bench.handed_in()

    first, second, third = judgement["regions"]
    assert {"label": "wbc", "kind": "box", "box": [12.5, 190, 158, 120]}.items() <= first.items()
    assert ("rbc", "polygon", 5) == (second["label"], second["kind"], len(second["points"]))
    assert ("tip", [[320, 240]]) == (third["label"], third["points"])
    assert {"name": "smear 1.png", "sha256": SCAN_SHA256}.items() <= judgement["image"].items()
    assert {"rbc": True, "wbc": True, "tip": True} == judgement["presence"]


def test_a_pointer_draws_moves_and_closes(windows: Windows) -> None:
    bench = open_task(windows, "regions", template=TEMPLATE, payload=PAYLOAD)
    page = bench.page
    place = page.get_by_role("application").bounding_box()
    assert place is not None
    unit = max(640 / place["width"], 480 / place["height"])
    left = place["x"] + (place["width"] - 640 / unit) / 2
    top = place["y"] + (place["height"] - 480 / unit) / 2

    def to(x: float, y: float) -> tuple[float, float]:
        return left + x / unit, top + y / unit

    page.mouse.move(*to(100, 100))
    page.mouse.down()
    page.mouse.move(*to(150, 120), steps=3)
    page.mouse.move(*to(200, 180), steps=3)
    page.mouse.up()
    page.mouse.move(*to(150, 140))
    page.mouse.down()
    page.mouse.move(*to(250, 140), steps=4)
    page.mouse.up()
    press(page, "p")
    for corner in ((400, 300), (500, 300), (450, 400)):
        page.mouse.click(*to(*corner))
    press(page, "Enter")
    press(page, "-", "=", "=", "0", "e")
    page.keyboard.type("It has three corners.")

    judgement = bench.handed_in()

    box, polygon = judgement["regions"]
    (reason,) = bench.reasons()
    assert [("region", polygon["id"])] == [(e["kind"], e["region"]) for e in reason["evidence"]]
    assert [200, 100, 100, 80] == pytest.approx(box["box"], abs=2)
    assert [400, 300] == pytest.approx(polygon["points"][0], abs=2)
    assert 3 == len(polygon["points"])


def test_16_bits_are_shown_through_a_window_that_keys_move(windows: Windows) -> None:
    payload = {"image": "deep.tif"}
    bench = open_task(windows, "regions", template=TEMPLATE, payload=payload, image=deep_tiff())
    page = bench.page
    shown = page.locator("svg.canvas image")
    before = shown.get_attribute("href")
    expect(page.get_by_role("slider", name="Window")).to_have_value("3150")

    press(page, ",", ",", ";")

    expect(page.get_by_role("slider", name="Window")).to_have_value("2954")
    expect(page.get_by_role("slider", name="Level")).to_have_value("2477")
    expect(shown).not_to_have_attribute("href", before or "")
    assert "w=2954" in (shown.get_attribute("href") or "")
    press(page, "m")
    assert [] == bench.handed_in()["regions"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_the_image_fits_its_window(windows: Windows, width: int, scheme: Any) -> None:
    bench = open_task(
        windows, "regions", template=TEMPLATE, payload=PAYLOAD, width=width, scheme=scheme
    )

    expect(bench.page.get_by_role("application")).to_be_visible()
    press(bench.page, "n")
    expect(bench.page.get_by_role("button", name="Red cell, box at")).to_be_visible()
    assert width == bench.page.evaluate("document.documentElement.scrollWidth")
    assert_accessible(bench.page)
