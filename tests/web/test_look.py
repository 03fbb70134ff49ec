"""Templates, sheets and icons: what can be said about the look without a browser."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import product
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from flask.testing import FlaskClient

from marketplace.web import vendor
from tests.tasktypes.examples import EXAMPLES
from tests.web.look_stage import NONCE, ROOT, make_stage

ERRORS = ("403", "404", "429", "500", "503", "error")
PAGES = [
    "/",
    "/house/ui",
    *(f"/errors/{name}" for name in ERRORS),
    *(f"/work/{kind}" for kind in EXAMPLES),
]
STATIC = ROOT / "marketplace" / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
SCRIPTS = sorted([*STATIC.glob("*.js"), *(STATIC / "islands").glob("*.js")])


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    app, _ = make_stage()
    return app.test_client()


def tree_at(client: FlaskClient, path: str) -> Element:
    """The page as a tree; invalid HTML raises."""
    answer = client.get(path)
    assert 200 == answer.status_code
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    parsed: Element = parser.parse(answer.text)
    return parsed


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_valid_with_one_heading_and_unique_ids(
    client: FlaskClient, path: str
) -> None:
    tree = tree_at(client, path)

    assert 1 == len(tree.findall(".//h1"))
    assert "" != "".join(tree.find(".//title").itertext()).strip(" ·")  # type: ignore[union-attr]
    ids = Counter(each.get("id") for each in tree.iter() if each.get("id"))
    assert [] == [name for name, number in ids.items() if number > 1]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_the_strict_policy(client: FlaskClient, path: str) -> None:
    for each in tree_at(client, path).iter():
        assert "style" not in each.attrib
        assert [] == [name for name in each.attrib if name.startswith("on")]
        if each.tag == "script":
            assert each.get("src") or (each.get("type"), each.get("nonce")) == ("importmap", NONCE)


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_name_for_readers_of_screens(client: FlaskClient, path: str) -> None:
    tree = tree_at(client, path)
    labelled = {each.get("for") for each in tree.iter("label")}
    wrapped = {id(inner) for label in tree.iter("label") for inner in label.iter()}
    for tag in ("input", "select", "textarea"):
        for control in tree.iter(tag):
            if control.get("type") == "hidden":
                continue
            named = control.get("id") in labelled or control.get("aria-label")
            assert named or id(control) in wrapped, control.attrib


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_every_form_of_the_workbench_works_without_script(client: FlaskClient, kind: str) -> None:
    tree = tree_at(client, f"/work/{kind}")
    form = next(each for each in tree.iter("form") if each.get("id") == "judgement")
    assert ("post", "/submit") == (form.get("method"), form.get("action"))
    names = {each.get("name") for each in form.iter("input")}
    assert {"csrf_token", "fence"} <= names
    submits = [each for each in form.iter("button") if each.get("name") == "next"]
    assert ["false", "true"] == [each.get("value") for each in submits]


def test_pairwise_speaks_in_the_items_own_names(client: FlaskClient) -> None:
    tree = tree_at(client, "/work/pairwise")
    choices = [each.get("value") for each in tree.iter("input") if each.get("name") == "choice"]
    # The stage shows b first: the key A chooses it, under its own name.
    assert ["b", "tie", "a", "both_bad"] == choices


def test_keys_of_a_page_never_clash(client: FlaskClient) -> None:
    for kind in EXAMPLES:
        tree = tree_at(client, f"/work/{kind}")
        keys = Counter(each.get("data-key") for each in tree.iter() if each.get("data-key"))
        assert [] == [key for key, number in keys.items() if number > 1], kind


def test_templates_use_only_icons_that_are_fetched() -> None:
    known = set(vendor.ICONS.read_text().split())
    places = [*(ROOT / "templates").rglob("*.html")]
    used = {
        name
        for path in places
        for name in re.findall(r"ui\.icon\('([a-z0-9-]+)'", path.read_text())
    }
    states = re.findall(
        r"\('\w+', '([a-z0-9-]+)', '[A-Z]", (ROOT / "templates/ui.html").read_text()
    )
    assert set() == (used | set(states)) - known


@pytest.mark.parametrize("path", [*SHEETS, *SCRIPTS], ids=lambda path: path.name)
def test_sheets_and_scripts_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_run_under_the_strict_policy(path: Path) -> None:
    source = path.read_text()
    for banned in ("eval(", "new Function", "innerHTML", "document.write", 'setAttribute("style'):
        assert banned not in source


# --- contrast ---------------------------------------------------------------------------------

Colour = tuple[float, float, float]


def token_colours(theme: int) -> dict[str, Colour]:
    """Every token that is a pair of oklch colours; theme 0 is light, 1 is dark."""
    source = (STATIC / "css" / "tokens.css").read_text()
    pattern = r"--([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\)"
    found = re.findall(pattern, source)
    return {
        name: tuple(map(float, pair[theme].split()))  # type: ignore[misc]
        for name, *pair in found
    }


def luminance(colour: Colour) -> float:
    """Relative luminance of an oklch colour, clipped to sRGB."""
    light, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    lms = (
        (light + 0.3963377774 * a + 0.2158037573 * b) ** 3,
        (light - 0.1055613458 * a - 0.0638541728 * b) ** 3,
        (light - 0.0894841775 * a - 1.2914855480 * b) ** 3,
    )
    rows = (
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    )
    red, green, blue = (
        min(1.0, max(0.0, sum(k * v for k, v in zip(row, lms, strict=True)))) for row in rows
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert 21.0 == pytest.approx(contrast((0, 0, 0), (1, 0, 0)), abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_reaches_aa_and_material_aaa(theme: int) -> None:
    colours = token_colours(theme)
    grounds = ("paper", "surface", "sunken", "floating")
    pairs = dict.fromkeys(product(("ink", "ink-quiet"), grounds), 4.5)
    pairs |= {("ink", ground): 7.0 for ground in ("paper", "surface", "accent-wash", "good-wash")}
    pairs |= {(name, f"{name}-wash"): 4.5 for name in ("accent", "good", "watch", "stop")}
    pairs |= {(name, "paper"): 4.5 for name in ("accent", "good", "watch", "stop")}
    pairs |= {("accent-ink", "accent"): 4.5, ("edge", "surface"): 3.0, ("focus", "paper"): 3.0}
    weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair, least in pairs.items()
        if contrast(colours[pair[0]], colours[pair[1]]) < least
    }
    assert {} == weak
