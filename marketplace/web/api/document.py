"""The OpenAPI document as it is given out: answers in order, what they always hold, examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marketplace.web.api.examples import example_of
from marketplace.web.api.hooks import hooks

METHODS = ("get", "post", "put", "patch", "delete")
SCHEMAS = "#/components/schemas/"
JSON = "application/json"
EVENTS_TAG = "api_events"
# Fields that an answer leaves out at times, by schema.
LEFT_OUT: frozenset[tuple[str, str]] = frozenset({("Problem", "errors")})


def finished(spec: dict[str, Any]) -> dict[str, Any]:
    """The document with what follows from it; changes and returns the one given."""
    _require_what_answers_hold(spec)
    for operation in operations_of(spec):
        answers = operation["responses"]
        operation["responses"] = {status: answers[status] for status in sorted(answers)}
        _show(spec, operation.get("requestBody", {}), asked=True)
        for status, answer in answers.items():
            if status.startswith("2"):
                _show(spec, answer, asked=False)
    spec["webhooks"] = hooks(EVENTS_TAG)
    for hook in spec["webhooks"].values():
        _show(spec, hook["post"]["requestBody"], asked=False)
    return spec


def operations_of(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All operations of a document."""
    for methods in spec.get("paths", {}).values():
        yield from (methods[method] for method in METHODS if method in methods)


def _show(spec: dict[str, Any], part: dict[str, Any], *, asked: bool) -> None:
    """Put an example beside each JSON schema of a body or an answer."""
    for kind, content in part.get("content", {}).items():
        if kind == JSON and not content.keys() & {"example", "examples"}:
            content["example"] = example_of(spec, content.get("schema", {}), asked=asked)


def _require_what_answers_hold(spec: dict[str, Any]) -> None:
    """Schemas write all their fields, so clients may count on those that only answers use."""
    schemas = spec.get("components", {}).get("schemas", {})
    asked = _reached(schemas, (one.get("requestBody", {}) for one in operations_of(spec)))
    for name, schema in schemas.items():
        if name not in asked and schema.get("properties"):
            always = [one for one in schema["properties"] if (name, one) not in LEFT_OUT]
            schema["required"] = sorted(always)


def _reached(schemas: dict[str, Any], roots: Iterator[Any]) -> set[str]:
    """Names of the schemas that the roots refer to, directly or through others."""
    found: set[str] = set()
    waiting: list[Any] = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix(SCHEMAS)
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found
