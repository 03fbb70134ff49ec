"""Rules about named dimensions, for the task types whose judgements have some."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from marketplace.errors import Fault
from marketplace.tasktypes.shapes import Json, listed, pointer


def doubled_keys(entries: Sequence[Json], place: str) -> list[Fault]:
    """Keys that stand twice in a template's list."""
    seen: set[str] = set()
    faults = []
    for number, entry in enumerate(entries):
        if entry["key"] in seen:
            where = f"{place}/{number}/key"
            faults.append(Fault(where, f'The key "{entry["key"]}" stands twice. Rename one.'))
        seen.add(entry["key"])
    return faults


def aspect_faults(
    entries: Sequence[Json], answered: Collection[str], place: str, *, required: bool = False
) -> list[Fault]:
    """Answers to aspects the template does not have, and required ones that are missing.

    required: whether an aspect that does not say so itself must be answered.
    """
    known = [entry["key"] for entry in entries]
    strangers = [
        Fault(
            place + pointer([key]),
            f'The template has no aspect "{key[:80]}". Its aspects: {listed(known)}.',
        )
        for key in answered
        if key not in known
    ]
    missing = [
        Fault(place + pointer([entry["key"]]), f"Answer “{entry['title']}” too.")
        for entry in entries
        if entry.get("required", required) and entry["key"] not in answered
    ]
    return strangers + missing


def none_required(template: Json) -> Json:
    """The template with every aspect optional."""
    aspects = [{**aspect, "required": False} for aspect in template.get("aspects", [])]
    return {**template, "aspects": aspects}
