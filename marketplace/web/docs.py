"""The API's document and a page of our own that shows it, drawn on the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from marketplace.web.api.document import METHODS, finished
from marketplace.web.api.examples import resolved
from marketplace.web.errors import API_PREFIX
from marketplace.web.guards import public

docs = Blueprint("docs", __name__)
DOCUMENT = "marketplace_api_document"
DEPTH_MAX = 4


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a body: its path such as `pay.currency`, type in words, need and meaning."""

    path: str
    type: str
    required: bool
    meaning: str


def document() -> dict[str, Any]:
    """The OpenAPI document of this application, made once; nobody changes it."""
    if DOCUMENT not in current_app.extensions:
        spec = current_app.extensions["marketplace_api"].spec.to_dict()
        # Written and read again: references of the library's own are plain words afterwards.
        current_app.extensions[DOCUMENT] = finished(json.loads(json.dumps(spec)))
    found: dict[str, Any] = current_app.extensions[DOCUMENT]
    return found


@docs.get(API_PREFIX + "/openapi.json")
@public
def openapi() -> Response:
    """The document for programs; it holds nothing secret."""
    return Response(json.dumps(document(), ensure_ascii=False), mimetype="application/json")


@docs.get("/api/docs")
@public
def page() -> str:
    """The document for people."""
    spec = document()
    tags = {tag["name"]: tag.get("description", "") for tag in spec.get("tags", [])}
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in tags}
    for path, methods in spec.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                shown = operation(spec, path, method, methods)
                for tag in methods[method].get("tags", []):
                    groups.setdefault(tag, []).append(shown)
    return render_template(
        "docs/page.html",
        spec=spec,
        groups=[
            (name.removeprefix("api_").replace("_", " ").capitalize(), tags.get(name, ""), rows)
            for name, rows in groups.items()
            if rows
        ],
    )


def operation(
    spec: Mapping[str, Any], path: str, method: str, methods: dict[str, Any]
) -> dict[str, Any]:
    """One operation, as the page shows it."""
    found = methods[method]
    scopes = [scope for one in found.get("security", []) for scope in one.get("bearer", [])]
    parameters = [
        resolved(spec, one)
        for one in (*methods.get("parameters", []), *found.get("parameters", []))
    ]
    return {
        "id": found.get("operationId", f"{method}-{path}").replace(".", "-"),
        "method": method.upper(),
        "path": path,
        "summary": found.get("summary", ""),
        "description": found.get("description", ""),
        "scopes": scopes,
        "parameters": [
            FieldRow(
                one["name"],
                f"{type_of(spec, one.get('schema', {}))}, in {one['in']}",
                bool(one.get("required")),
                one.get("description", "") or one.get("schema", {}).get("description", ""),
            )
            for one in parameters
        ],
        "bodies": list(_bodies(spec, found.get("requestBody", {}))),
        "answers": [
            (status, resolved(spec, answer).get("description", ""), list(_rows_of(spec, answer)))
            for status, answer in found.get("responses", {}).items()
            if str(status).startswith("2")
        ],
    }


def _bodies(spec: Mapping[str, Any], body: dict[str, Any]) -> Iterator[tuple[str, list[FieldRow]]]:
    for kind, content in body.get("content", {}).items():
        yield kind, list(rows(spec, content.get("schema", {})))


def _rows_of(spec: Mapping[str, Any], answer: dict[str, Any]) -> Iterator[FieldRow]:
    for content in resolved(spec, answer).get("content", {}).values():
        yield from rows(spec, content.get("schema", {}))


def rows(
    spec: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[FieldRow]:
    """The fields of a schema, nested ones with their path, at most four levels deep."""
    schema = resolved(spec, schema)
    if schema.get("type") == "array":
        yield from rows(spec, schema.get("items", {}), prefix + "[]", depth)
        return
    needed = set(schema.get("required", []))
    for name, inner in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        whole = resolved(spec, inner)
        meaning = inner.get("description", "") or whole.get("description", "")
        yield FieldRow(path, type_of(spec, inner), name in needed, meaning)
        if depth + 1 < DEPTH_MAX:
            yield from rows(spec, inner, path, depth + 1)


def type_of(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A schema's type in words."""
    schema = resolved(spec, schema)
    if "enum" in schema:
        listed = [str(one) for one in schema["enum"] if one is not None]
        return " | ".join(listed[:8]) + (" | …" if len(listed) > 8 else "")
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(type_of(spec, one) for one in schema.get("anyOf") or schema["oneOf"])
    kinds = schema.get("type", "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    words = [
        f"list of {type_of(spec, schema.get('items', {}))}" if one == "array" else one
        for one in kinds
    ]
    form = schema.get("format")
    return " or ".join(words) + (f" ({form})" if form else "")
