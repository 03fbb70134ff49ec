"""The API's document and a page of our own that shows it, drawn on the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from marketplace.errors import Missing
from marketplace.identity.rules import PERMISSION_LABELS, Permission
from marketplace.web.api.document import METHODS, finished
from marketplace.web.api.examples import resolved
from marketplace.web.errors import API_PREFIX
from marketplace.web.guards import public

docs = Blueprint("docs", __name__)
DOCUMENT = "marketplace_api_document"
DEPTH_MAX = 4
WORDS_MAX = 200


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a body: its path such as `pay.currency`, type in words, need and meaning."""

    path: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations about one thing. name: as its page's address has it; about: what it is."""

    name: str
    about: str
    operations: list[dict[str, Any]]

    @property
    def title(self) -> str:
        """Its name in words."""
        return self.name.replace("-", " ").capitalize()


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
    """The operations by group; `?q=` keeps those that say all of its words."""
    wanted = request.args.get("q", "").strip()[:WORDS_MAX]
    words = wanted.casefold().split()
    shown = [
        (group, [one for one in group.operations if all(word in one["words"] for word in words)])
        for group in groups(document())
    ]
    return render_template(
        "docs/page.html",
        spec=document(),
        wanted=wanted,
        groups=[(group, rows) for group, rows in shown if rows],
        count=sum(len(rows) for _, rows in shown),
    )


@docs.get("/api/docs/<name>")
@public
def group_page(name: str) -> str:
    """The operations of one group with their fields, examples and refusals."""
    everything = groups(document())
    found = next((each for each in everything if each.name == name), None)
    if found is None:
        raise Missing("There is no such part of the API.")
    return render_template("docs/group.html", group=found, groups=everything)


def groups(spec: Mapping[str, Any]) -> list[Group]:
    """All operations by the tag that they carry, in the document's order."""
    found = {
        tag["name"]: Group(
            tag["name"].removeprefix("api_").replace("_", "-"), tag.get("description", ""), []
        )
        for tag in spec.get("tags", [])
    }
    for path, methods in spec.get("paths", {}).items():
        for method in METHODS:
            for tag in methods.get(method, {}).get("tags", []):
                found[tag].operations.append(operation(spec, path, method, methods))
    return [group for group in found.values() if group.operations]


def operation(
    spec: Mapping[str, Any], path: str, method: str, methods: Mapping[str, Any]
) -> dict[str, Any]:
    """One operation, as the pages show it; `words` is what a search looks through."""
    found = methods[method]
    scopes = [scope for one in found.get("security", []) for scope in one.get("bearer", [])]
    about = (path, method, found.get("summary", ""), found.get("description", ""), *scopes)
    return {
        "id": found.get("operationId", f"{method}-{path}").replace(".", "-"),
        "method": method.upper(),
        "path": path,
        "summary": found.get("summary", ""),
        "description": found.get("description", ""),
        "guarded": bool(found.get("security")),
        "scopes": [(scope, PERMISSION_LABELS[Permission(scope)]) for scope in scopes],
        "parameters": list(_parameters(spec, found, methods)),
        "bodies": list(_bodies(spec, found.get("requestBody", {}))),
        "answers": [
            (status, _description(spec, answer), list(_bodies(spec, resolved(spec, answer))))
            for status, answer in found.get("responses", {}).items()
            if status.startswith("2")
        ],
        "refusals": [
            (status, _description(spec, answer))
            for status, answer in found.get("responses", {}).items()
            if not status.startswith("2")
        ],
        "words": " ".join(about).casefold(),
    }


def _description(spec: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    return str(resolved(spec, answer).get("description", ""))


def _parameters(
    spec: Mapping[str, Any], found: Mapping[str, Any], methods: Mapping[str, Any]
) -> Iterator[FieldRow]:
    listed = (*methods.get("parameters", []), *found.get("parameters", []))
    for one in (resolved(spec, each) for each in listed):
        schema = one.get("schema", {})
        yield FieldRow(
            one["name"],
            f"{type_of(spec, schema)}, in {one['in']}",
            bool(one.get("required")),
            one.get("description", "") or schema.get("description", ""),
        )


def _bodies(
    spec: Mapping[str, Any], part: Mapping[str, Any]
) -> Iterator[tuple[str, list[FieldRow], str]]:
    """(content type, fields, example as text) of a body or an answer."""
    for kind, content in part.get("content", {}).items():
        example = content.get("example")
        text = "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
        yield kind, list(rows(spec, content.get("schema", {}))), text


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
