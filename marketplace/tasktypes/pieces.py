"""Pieces that the schemas of several task types are made of."""

from __future__ import annotations

from typing import Any

from marketplace.tasktypes.shapes import Json

TEXT_MAX = 200_000
MESSAGES_MAX = 500
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def closed(properties: Json, required: tuple[str, ...] = (), **more: Any) -> Json:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def contract(title: str, properties: Json, required: tuple[str, ...] = ()) -> Json:
    """The outermost object of a schema that clients are served."""
    return closed(properties, required, **{"$schema": DIALECT, "title": title})


def listing(items: Json, *, least: int = 0, most: int) -> Json:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def text(most: int = TEXT_MAX, description: str | None = None) -> Json:
    """Any text, also an empty one."""
    said = {"description": description} if description else {}
    return {"type": "string", "maxLength": most, **said}


def words(most: int = TEXT_MAX) -> Json:
    """Text with something in it."""
    return {
        "type": "string",
        "maxLength": most,
        "pattern": r"\S",
        "description": "Write something here; it is empty.",
    }


def one_of(*options: str) -> Json:
    return {"type": "string", "enum": list(options)}


def whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


FLAG: Json = {"type": "boolean"}

# Keys become parts of form names, column names of exports and CSS hooks.
KEY: Json = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]{0,39}$",
    "description": "Use a key of lower-case letters, digits and underscores, at most 40, "
    "starting with a letter.",
}

# Names of responses and documents, chosen by the lab, must survive in form names too.
NAME: Json = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9_-]{1,64}$",
    "description": "Use a name of letters, digits, hyphens and underscores, at most 64.",
}

METADATA: Json = {
    "type": "object",
    "description": "The lab's own fields: kept and exported, never shown to specialists.",
}

MESSAGE = closed(
    {
        "role": one_of("system", "developer", "user", "assistant", "tool"),
        "content": text(),
        "name": text(200),
    },
    ("role", "content"),
)

MESSAGES = listing(MESSAGE, least=1, most=MESSAGES_MAX)

CONTEXT = listing(closed({"title": text(500), "content": text()}, ("title", "content")), most=100)

# What every template may say.
TEMPLATE_FIELDS: Json = {
    "question": text(2_000, "What the specialist is asked, in one sentence."),
    "rationale": {
        **one_of("off", "optional", "required"),
        "description": "Whether the submission carries a rationale; optional where unset.",
    },
}

# What every item may carry.
ITEM_FIELDS: Json = {"messages": MESSAGES, "context": CONTEXT, "metadata": METADATA}


def aspect(**more: Json) -> Json:
    """One named dimension that a judgement speaks about."""
    properties = {"key": KEY, "title": words(200), "question": text(1_000), "required": FLAG}
    return closed({**properties, **more}, ("key", "title"))
