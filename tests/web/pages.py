"""What every page must be: valid, titled, one heading, unique ids, labelled controls, no inline."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib
from werkzeug.test import TestResponse


def checked(answer: TestResponse, status: int = 200) -> str:
    """The text of a page after it was found good; fails with what is wrong."""
    assert status == answer.status_code, answer.text[:2_000]
    # Browsers show the source of anything else.
    assert "text/html" == answer.mimetype
    tree = tree_of(answer.text)
    assert 1 == len(tree.findall(".//h1"))
    assert "" != "".join(tree.find(".//title").itertext()).strip(" ·")  # type: ignore[union-attr]
    ids = Counter(each.get("id") for each in tree.iter() if each.get("id"))
    assert [] == [name for name, number in ids.items() if number > 1]
    assert [] == unlabelled(tree)
    assert [] == inline(tree)
    return answer.text


@lru_cache(maxsize=4)
def tree_of(page: str) -> Element:
    """The page as a tree, only to be looked at; invalid HTML raises."""
    parsed: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    return parsed


def unlabelled(tree: Element) -> list[dict[str, str]]:
    """Controls without a name for readers of screens."""
    labelled = {each.get("for") for each in tree.iter("label")}
    wrapped = {id(inner) for label in tree.iter("label") for inner in label.iter()}
    return [
        dict(control.attrib)
        for tag in ("input", "select", "textarea")
        for control in tree.iter(tag)
        if control.get("type") != "hidden"
        and control.get("id") not in labelled
        and not control.get("aria-label")
        and id(control) not in wrapped
    ]


def inline(tree: Element) -> list[str]:
    """Styles and handlers that the policy would refuse."""
    return [
        f"{each.tag} {name}"
        for each in tree.iter()
        for name in each.attrib
        if name == "style" or name.startswith("on")
    ]


def text_of(page: str) -> str:
    """The words of a page, with single blanks."""
    body = tree_of(page).find("body")
    return " ".join(" ".join(body.itertext()).split()) if body is not None else ""
