"""A labelling configuration as results see it: what is shown, what is asked, under which names.

The XML is untrusted: entities, document types and deep nesting are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from marketplace.tasktypes.shapes import Json

TEXT_MAX = 200_000
DEPTH_MAX = 50
TAGS_MAX = 5_000
OBJECTS = frozenset({"Text", "HyperText", "Image", "Paragraphs", "Chat", "List"})
OPTIONS = frozenset({"Label", "Choice", "Bucket", "Relation"})
_STEP = re.compile(r"[^.\[\]]+")


class NotAConfiguration(ValueError):
    """Why a text is no configuration that can be read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A tag that shows a part of a task's data. datum: the part, such as `text` or `page.title`;
    author, words: the fields of a dialogue's lines."""

    tag: str
    datum: str
    author: str = "author"
    words: str = "text"


@dataclass(frozen=True, slots=True)
class Control:
    """A tag that asks for something. options: as results write them; to: names of what it is
    about; per_region: whether it is asked of each region; many: several options may be chosen."""

    name: str
    tag: str
    to: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    per_region: bool = False
    many: bool = False

    @property
    def kind(self) -> str:
        """The type of its results, which is also the name of their value: `choices`."""
        return self.tag.lower()


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration shows and asks, in its order. shown: by name."""

    shown: Mapping[str, Shown] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()

    @property
    def first(self) -> tuple[str, ...]:
        """What questions about the task as a whole are about."""
        asked = self.controls[0].to if self.controls else ()
        return (asked or tuple(self.shown))[:1]

    def of(self, *tags: str, per_region: bool = False) -> list[Control]:
        """The controls of these tags, in the configuration's order."""
        return [
            each for each in self.controls if each.tag in tags and each.per_region == per_region
        ]

    def about(self, control: Control | None, at: int = 0) -> Shown | None:
        """What a control is about."""
        names = control.to if control else ()
        return self.shown.get(names[at]) if at < len(names) else None

    def named(self, results: Iterable[Json]) -> Config:
        """The same with the names that these results use, where no configuration was given.

        The first control of a tag takes the name of the first result of that type which names
        none of ours.
        """
        known = {each.name for each in self.controls}
        controls = list(self.controls)
        for result in results:
            name, kind = result.get("from_name"), result.get("type")
            if not isinstance(name, str) or name in known:
                continue
            at = next((n for n, each in enumerate(controls) if each.kind == kind), None)
            if at is None or controls[at] is not self.controls[at]:
                continue
            to = result.get("to_name")
            controls[at] = replace(
                controls[at], name=name, to=(to,) if isinstance(to, str) else controls[at].to
            )
            known.add(name)
        return replace(self, controls=tuple(controls))


def root_of(text: str) -> Element:
    """The outermost tag of a configuration; raises NotAConfiguration."""
    if len(text) > TEXT_MAX:
        raise NotAConfiguration(f"It is longer than {TEXT_MAX:,} characters.")
    try:
        found: Element = fromstring(text, forbid_dtd=True)
    except ParseError as wrong:
        raise NotAConfiguration(f"It is not XML: {wrong}.") from None
    except DefusedXmlException:
        raise NotAConfiguration("It declares entities or a document type. Remove them.") from None
    except ValueError:
        raise NotAConfiguration("It is not XML that can be read. Save it as UTF-8.") from None
    return found


def tags_of(root: Element) -> Iterator[Element]:
    """All tags in their order, without recursion, since the text is anybody's."""
    waiting = [(root, 1)]
    count = 0
    while waiting:
        tag, depth = waiting.pop()
        count += 1
        if depth > DEPTH_MAX or count > TAGS_MAX:
            raise NotAConfiguration("It has more tags, or deeper ones, than any page could show.")
        yield tag
        waiting += [(inner, depth + 1) for inner in reversed(tag)]


@lru_cache(maxsize=64)
def config_of(text: str) -> Config:
    """What a configuration shows and asks; raises NotAConfiguration."""
    shown: dict[str, Shown] = {}
    controls = []
    for tag in tags_of(root_of(text)):
        name = tag.get("name")
        if not name:
            continue
        if tag.tag in OBJECTS:
            shown[name] = Shown(
                tag=tag.tag,
                datum=str(tag.get("value", "")).removeprefix("$"),
                author=str(tag.get("nameKey") or tag.get("namekey") or "author"),
                words=str(tag.get("textKey") or tag.get("textkey") or "text"),
            )
        elif tag.get("toName"):
            controls.append(_control(name, tag))
    buckets = tuple(said(tag) for tag in tags_of(root_of(text)) if tag.tag == "Bucket")
    ranked = [replace(c, options=buckets) if c.tag == "Ranker" else c for c in controls]
    return Config(shown, tuple(ranked))


def _control(name: str, tag: Element) -> Control:
    return Control(
        name=name,
        tag=str(tag.tag),
        to=tuple(part.strip() for part in str(tag.get("toName")).split(",")),
        options=tuple(said(inner) for inner in tag.iter() if inner.tag in OPTIONS),
        per_region=str(tag.get("perRegion")).lower() == "true",
        many=str(tag.get("choice", "")).startswith("multiple"),
    )


def said(tag: Element) -> str:
    """How results write an option: by its alias where it has one."""
    name = tag.get("name") if tag.tag == "Bucket" else None
    return str(name or tag.get("alias") or tag.get("value") or "").strip()


def datum_of(content: Json, path: str) -> Any:
    """A part of a task's data, `title`, `page.title` or `pages[0].url`; None where it is not."""
    if path in content:
        return content[path]
    found: Any = content
    for step in _STEP.findall(path):
        if isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict):
            found = found.get(step)
        else:
            return None
    return found if path else None
