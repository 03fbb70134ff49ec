"""Constitutions: principles with a version, and the hash by which every answer can name them."""

from __future__ import annotations

import hashlib

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.aspects import doubled_keys
from marketplace.tasktypes.exports import line
from marketplace.tasktypes.shapes import Json

REQUEST_MAX = 4_000

PRINCIPLE = pieces.closed(
    {
        "key": pieces.KEY,
        "title": pieces.words(200),
        "text": pieces.words(10_000),
        "critique_request": pieces.text(
            REQUEST_MAX, "How a model is asked for a critique, for training sets."
        ),
        "revision_request": pieces.text(
            REQUEST_MAX, "How a model is asked for a revision, for training sets."
        ),
    },
    ("key", "title", "text"),
)

CONSTITUTION = pieces.closed(
    {
        "title": pieces.words(200),
        "version": pieces.words(100),
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "Write the hash as 64 hexadecimal digits, or leave it out.",
        },
    },
    ("title", "version"),
)


def constitution_sha256(template: Json) -> str:
    """The hash of a constitution: its title, its version and its principles, in their order."""
    named = {name: template["constitution"][name] for name in ("title", "version")}
    return hashlib.sha256(line({**named, "principles": template["principles"]})).hexdigest()


def constitution_faults(template: Json) -> list[Fault]:
    """Keys that stand twice, and a hash of other principles than these."""
    faults = doubled_keys(template["principles"], "/principles")
    stated = template["constitution"].get("sha256")
    if stated is not None and stated != constitution_sha256(template):
        advice = "Write the hash of these principles, or leave it out"
        faults.append(Fault("/constitution/sha256", f"{advice}: {constitution_sha256(template)}."))
    return faults


def constitution_of(template: Json) -> Json:
    """What a row of an export says of the constitution: title, version and hash."""
    named = template["constitution"]
    return {
        "title": named["title"],
        "version": named["version"],
        "sha256": constitution_sha256(template),
    }
