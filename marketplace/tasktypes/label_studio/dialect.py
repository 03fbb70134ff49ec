"""What every type says in Label Studio's language, and the words that all of them use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.label_studio.controls import (
    Config,
    Control,
    NotAConfiguration,
    Shown,
    config_of,
    datum_of,
)
from marketplace.tasktypes.shapes import Json

FIELD: Json = {
    "label_studio": pieces.text(
        200_000,
        "The labelling configuration (XML) of the Label Studio project that items come from and "
        "answers go back to; leave it empty for one of our own.",
    )
}
_NOT_IN_KEYS = re.compile(r"[^a-z0-9]+")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
KEY_MAX = 36  # Room for a number behind it, where two names give one key.
RATIONALES = frozenset({"rationale", "reason", "reasoning", "why", "explanation", "justification"})
ROLES = {"human": "user", "prompter": "user", "bot": "assistant", "ai": "assistant"}
KNOWN_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
Left: TypeAlias = Counter[str]


class Unfit(ValueError):
    """Why a task of Label Studio's is no item of this type: a sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where results are read or written: one task of one job.

    content: the task's own data, {} where it is not known; payload: of our item; results: all of
    the task's, whoever gave them.
    """

    template: Json
    config: Config
    content: Json = field(default_factory=dict)
    payload: Json = field(default_factory=dict)
    results: tuple[Json, ...] = ()


def _nothing(_place: Place) -> Json:
    return {}


def _sayable(_place: Place, _judgement: Json) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one task type is said in results.

    default: the configuration for a template that brings none of its own; payload: our item of a
    task, raises Unfit; judgement: what an annotation says, with what could not be carried over
    counted by reason; results: what a judgement says; unsayable: why it cannot be said, if so;
    told: what the results tell of the item itself.
    """

    default: Callable[[Json], Config]
    payload: Callable[[Place], Json]
    judgement: Callable[[Place, list[Json], Left], Json]
    results: Callable[[Place, Json], list[Json]]
    unsayable: Callable[[Place, Json], str | None] = _sayable
    told: Callable[[Place], Json] = _nothing

    def config(self, template: Json, results: Iterable[Json] = ()) -> Config:
        """The lab's own configuration, else ours in the names that the results use."""
        text = template.get("label_studio")
        if isinstance(text, str) and text.strip():
            # The check of the template says what is wrong with one that cannot be read; names of
            # our own serve until then.
            with suppress(NotAConfiguration):
                return config_of(text)
        return self.default(template).named(results)


def configuration_faults(template: Json) -> list[Fault]:
    """What keeps a template's configuration from being read."""
    text = template.get("label_studio")
    if not isinstance(text, str) or not text.strip():
        return []
    try:
        config_of(text)
    except NotAConfiguration as wrong:
        return [Fault("/label_studio", str(wrong))]
    return []


def result(control: Control, name: str, value: Json, **more: Any) -> Json:
    """One result in the name of a control; name: its id."""
    return {
        "id": name,
        "from_name": control.name,
        # One name, also where the control compares two: Label Studio looks it up as it stands.
        "to_name": control.to[0] if control.to else "text",
        "type": control.kind,
        "value": value,
        **more,
    }


def whole(control: Control, value: Json) -> Json:
    """A result about the task as a whole."""
    return result(control, control.name[:64], value)


def value_of(each: Json) -> Json:
    """The value of a result, {} for one that has none."""
    value = each.get("value")
    return value if isinstance(value, dict) else {}


def words_of(value: Json, name: str) -> list[str]:
    """The texts under a name of a value, which may also be one text."""
    found = value.get(name)
    if isinstance(found, str):
        return [found]
    listed = found if isinstance(found, list) else []
    return [str(each) for each in listed if isinstance(each, str | int)]


def key_of(title: str) -> str:
    """A key from a name in another tool: “Left lung” becomes `left_lung`."""
    key = _NOT_IN_KEYS.sub("_", title.lower()).strip("_")
    return (key if key[:1].isalpha() else f"k_{key}".rstrip("_"))[:KEY_MAX]


def name_of(name: object) -> str:
    """An id as ours may be written; most of Label Studio's are as they must be."""
    return _NOT_IN_NAMES.sub("-", str(name))[:64]


def control_of(config: Config, key: str, tags: tuple[str, ...], *, per_region: bool) -> Control:
    """The control that asks for a key of ours; one of that name where the lab has none."""
    for each in config.of(*tags, per_region=per_region):
        if each.name == key or key_of(each.name) == key:
            return each
    to = config.controls[0].to if config.controls else ()
    return Control(name=key, tag=tags[0], to=to, per_region=per_region)


def as_text(value: object) -> str:
    """A part of a task's data as text; "" for what is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    return str(value)


def messages_of(place: Place, used: Collection[str]) -> list[Json]:
    """The conversation of a task: a dialogue that it shows, else the other texts that it shows.

    used: the parts of the data that have another place. Never empty, since items need one.
    """
    shown = [each for each in place.config.shown.values() if each.datum and each.datum not in used]
    for each in shown:
        lines = datum_of(place.content, each.datum)
        if isinstance(lines, list) and (told := dialogue_of(lines, each)):
            return told
    texts = [as_text(datum_of(place.content, each.datum)) for each in shown]
    if not place.config.shown or not any(texts):
        texts = [
            text
            for name, value in sorted(place.content.items())
            if name not in used and (text := value if isinstance(value, str) else "")
        ]
    return [{"role": "user", "content": "\n\n".join(text for text in texts if text)}]


def dialogue_of(lines: list[Any], shown: Shown) -> list[Json]:
    """Messages from the lines of a dialogue, [] where they are of another shape."""
    told = []
    for each in lines[: pieces.MESSAGES_MAX]:
        if not isinstance(each, dict):
            return []
        author = as_text(each.get("role", each.get(shown.author)))
        words = as_text(each.get("content", each.get(shown.words)))
        role = ROLES.get(author.lower(), author.lower())
        told.append({"role": role if role in KNOWN_ROLES else "user", "content": words})
        if author and role not in KNOWN_ROLES:
            told[-1]["name"] = author[:200]
    return told
