"""Examples for the document, made out of its schemas, so that none is ever out of date.

A field's own `example` counts first, then its default or first allowed value, then what fields of
that name usually hold, then any value of its type. The house's tests check each example against
its schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
DEPTH_MAX = 6
ID = "01993f52-8a6b-7c41-b0e5-3d9a6f21c874"
FORMATS: Mapping[str, Any] = {
    "uuid": ID,
    "date-time": "2026-11-23T09:30:00+00:00",
    "date": "2026-11-23",
    "uri": "https://example.org/hook",
    "url": "https://example.org/hook",
    "email": "ada@example.org",
    "binary": "…",
}
# What fields of these names hold where they say nothing themselves.
NAMES: Mapping[str, Any] = {
    "title": "Which answer would you give a patient?",
    "name": "Blood pressure in pregnancy",
    "domain": "medicine",
    "reference": "JOB-2026-0042",
    "external_id": "row-17",
    "currency": "USD",
    "amount_minor": 4500,
    "fee_basis_points": 1500,
    "note": "The first answer names the right dose.",
    "reason": "The guideline allows both answers.",
    "reasons": "Your licence does not cover this country.",
    "message": "Give a whole number from 0 to 3.",
    "detail": "Some of the input needs mending.",
    "pointer": "/pay/amount_minor",
    "rationale": "Labetalol is the first choice here; the second answer names an ACE inhibitor.",
    "evidence": "Page 3 of the guideline says nothing of children.",
    "statement": "The sample was judged by the version of the instructions of that day.",
    "words": "A careful answer.",
    "code": "faulty_input",
    "type": "about:blank",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "totp_code": "492039",
    "task_type": "pairwise",
    "profession": "physician",
    "specialties": "cardiology",
    "jurisdictions": "GB",
    "country": "GB",
    "languages": "en",
    "month": "2026-10",
    "filename": "rows.jsonl",
    "format": "helpsteer3",
    "model": "claude-sonnet",
    "version": "2026-10-01",
    "judgement": {"choice": "a", "strength": 2},
    "payload": {
        "messages": [{"role": "user", "content": "Which drug is the first choice?"}],
        "a": "Labetalol.",
        "b": "Ramipril.",
    },
    "presented_order": ["b", "a"],
    "scopes": "jobs.view",
    "roles": "owner",
    "next": ID,
}


def example_of(spec: Schema, schema: Schema, *, asked: bool = False) -> Any:
    """A value that fits the schema. asked: for a body; it leaves out what may be left out."""
    return _value(spec, schema, "", asked, 0)


def resolved(spec: Schema, node: Schema) -> Schema:
    """The node that a `$ref` inside the document points at; the node itself without one."""
    reference = node.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return node
    found: Any = spec
    for part in reference[2:].split("/"):
        found = found.get(part, {})
    return {**found, **{key: value for key, value in node.items() if key != "$ref"}}


def _value(spec: Schema, schema: Schema, name: str, asked: bool, depth: int) -> Any:
    schema = resolved(spec, schema)
    if "example" in schema:
        return schema["example"]
    if schema.get("enum"):
        return next((one for one in schema["enum"] if one is not None), None)
    if "const" in schema:
        return schema["const"]
    for word in ("allOf", "anyOf", "oneOf"):
        if schema.get(word):
            plain = [one for one in schema[word] if one.get("type") != "null"]
            return _value(spec, (plain or schema[word])[0], name, asked, depth)
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    kind = next((one for one in kinds if one != "null"), "null")
    if kind == "object":
        return _object(spec, schema, name, asked, depth)
    if kind == "array":
        return _array(spec, schema, name, asked, depth)
    return _plain(schema, kind, name)


def _object(spec: Schema, schema: Schema, name: str, asked: bool, depth: int) -> Any:
    known = schema.get("properties", {})
    if not known:
        usual = NAMES.get(name)
        return usual if isinstance(usual, dict) else {}
    if depth >= DEPTH_MAX:
        return {}
    needed = set(schema.get("required", []))
    return {
        key: _value(spec, inner, key, asked, depth + 1)
        for key, inner in known.items()
        if not asked or key in needed or "example" in resolved(spec, inner)
    }


def _array(spec: Schema, schema: Schema, name: str, asked: bool, depth: int) -> list[Any]:
    usual = NAMES.get(name)
    if isinstance(usual, list):
        return usual
    if depth >= DEPTH_MAX:
        return []
    count = max(1, schema.get("minItems", 1))
    return [_value(spec, schema.get("items", {}), name, asked, depth + 1)] * count


def _plain(schema: Schema, kind: str, name: str) -> Any:
    if schema.get("format") in FORMATS and kind == "string":
        return FORMATS[schema["format"]]
    usual = NAMES.get(name)
    if kind == "string":
        text = usual if isinstance(usual, str) else schema.get("default") or name.replace("_", " ")
        return _fitting(str(text), schema)
    if kind in {"integer", "number"}:
        if isinstance(usual, int):
            return usual
        default = schema.get("default")
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return default if default is not None else max(least, 1 if kind == "integer" else 0.5)
    if kind == "boolean":
        return bool(schema.get("default", True))
    return usual if kind == "any" else None


def _fitting(text: str, schema: Schema) -> str:
    """The text, cut or filled up to the lengths that the schema allows."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(text))
    return text.ljust(least, "x")[: max(most, least)]
