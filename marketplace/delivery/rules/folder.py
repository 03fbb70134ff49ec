"""The small files of a dataset folder: what items' judgements say together, guidelines, hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from marketplace.delivery.rules.facts import Facts
from marketplace.delivery.rules.tables import JSON, NOTHING, Shape, joined
from marketplace.tasktypes import Json, Record, Units
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.raw import as_json
from marketplace.tasktypes.votes import majorities


def aggregate(kind: TaskType, record: Record) -> Json:
    """What an item's judgements say together: votes and the majority of every unit."""
    ballots: list[Units] = [kind.units(given.judgement) for given in record.in_order()]
    votes: dict[str, Counter[str]] = {}
    for ballot in ballots:
        for unit, label in ballot.items():
            votes.setdefault(unit, Counter())[str(label)] += 1
    settled = majorities(ballots)
    return {
        "item_id": record.item_id,
        "external_id": record.external_id,
        "judgements": len(record.judgements),
        "votes": {unit: dict(sorted(each.items())) for unit, each in sorted(votes.items())},
        "majority": {unit: as_json(label) for unit, label in settled.items()},
        "is_gold": record.is_gold,
    }


def belief(record: Record) -> Json:
    """What is believed of an item, and whose word it is."""
    return {
        "item_id": record.item_id,
        "external_id": record.external_id,
        "labels": {unit: dict(said) for unit, said in record.labels.items()},
        "labelled_by": record.labelled_by,
    }


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the envelope for a table: its author's facts are columns of their own."""
    told = {name: value for name, value in row.items() if name != "author"}
    return told | {f"author_{name}": value for name, value in row.get("author", {}).items()}


# What the envelope's columns hold, also where every row of a job lacks it.
_PLAIN: Mapping[str, Shape] = {
    "confidence": "number",
    "active_seconds": "whole",
    "template_version": "whole",
    "is_gold": "yes_no",
    "surplus": "yes_no",
    "flags": ["text"],
    "presented_order": ["text"],
    "author_specialties": ["text"],
}
_AS_JSON = frozenset(
    {
        *("payload", "judgement", "rationale_claims", "references", "ai_use", "spent", "addenda"),
        *("prelabels", "review", "labels", "majority"),
    }
)


def as_columns(shape: Mapping[str, Shape]) -> dict[str, Shape]:
    """The columns of the envelope, the same ones for every job: what differs from job to job is
    JSON as text."""
    return {
        name: JSON
        if name in _AS_JSON or _is_nested(each)
        else joined(_PLAIN.get(name, NOTHING), each)
        for name, each in shape.items()
    }


def _is_nested(shape: Shape) -> bool:
    return isinstance(shape, dict) or (isinstance(shape, list) and _is_nested(shape[0]))


def guideline(number: int, instructions_md: str, template: Mapping[str, Any]) -> str:
    """One version of what people were told, and the template that their answers follow."""
    told = orjson.dumps(template, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode()
    return (
        f"<!-- Version {number} -->\n\n{instructions_md.rstrip()}\n\n"
        f"## Template of the answers\n\n```json\n{told}\n```\n"
    )


def agreement_report(facts: Facts) -> Json:
    """Agreement by unit, every measure with its interval of 90 %."""
    return {
        "job": facts.reference,
        "computed_at": facts.agreement_at,
        "judgements": facts.agreement_judgements,
        "interval": 0.9,
        "units": [
            {
                "unit": each.unit,
                "level": each.level,
                "items": each.items,
                "judgements": each.labels,
                "measures": {
                    name: {"value": value, "lower": lower, "upper": upper}
                    for name, (value, lower, upper) in each.measures.items()
                },
            }
            for each in facts.agreement
        ],
    }


def manifest(files: Sequence[tuple[str, str]]) -> bytes:
    """Path and hexadecimal SHA-256 of every file, as `sha256sum -c` reads them."""
    return "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(files)).encode()
