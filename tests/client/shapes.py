"""The client's shapes, written from the API's own document: `python -m tests.client.shapes`.

`test_shapes` compares what this writes with what is there, so that neither drifts from the other.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from marketplace.embedded import temporary
from marketplace.factory import create_app
from marketplace.settings import Settings
from marketplace.web.docs import document

Node = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[2] / "marketplace" / "client" / "shapes"
LITERALS_MAX = 24
METHODS = ("get", "post", "put", "patch", "delete")
# Schemas stand in the module of the heading that names them first; several headings share one.
MODULES: Mapping[str, str] = {
    "me": "jobs",
    "versions": "jobs",
    "items": "items",
    "imports": "items",
    "images": "items",
    "scans": "items",
    "gold": "quality_control",
    "quality_control": "quality_control",
    "integrity": "quality_control",
    "pipelines": "models",
    "model_endpoints": "models",
    "judges": "models",
    "conversations": "work",
    "work": "work",
    "receipts": "work",
    "statement": "work",
    "disagreements": "quality",
    "review": "review",
    "reviewing": "review",
    "appeals": "review",
    "billing": "billing",
    "spending": "billing",
    "invoices": "billing",
    "finance_invoices": "finance",
    "finance": "finance",
    "statements": "finance",
    "breaks": "closing",
    "closing": "closing",
    "operations": "credentials",
    "credentials": "credentials",
    "delivery": "delivery",
    "events": "delivery",
    "webhooks": "delivery",
    "provenance": "provenance",
    "cards": "cards",
}
MONEY = frozenset({"Money", "SignedMoney"})


class Shapes:
    """What the document says of bodies and answers, as Python. spec: the document."""

    def __init__(self, spec: Node) -> None:
        self.schemas: Node = spec["components"]["schemas"]
        self.homes: dict[str, str] = {}
        self.answers: dict[str, None] = {}
        self.asks: dict[str, None] = {}
        for path in spec["paths"].values():
            for method in METHODS:
                if method in path:
                    self._operation(path[method])

    def _operation(self, found: Node) -> None:
        heading = found["tags"][0].removeprefix("api_")
        home = MODULES.get(heading, heading)
        for content in found.get("requestBody", {}).get("content", {}).values():
            self._reached(content.get("schema", {}), home, self.asks)
        for status, answer in found["responses"].items():
            if str(status).startswith("2"):
                for content in answer.get("content", {}).values():
                    self._reached(content.get("schema", {}), home, self.answers)

    def _reached(self, node: Any, home: str, seen: dict[str, None]) -> None:
        if isinstance(node, list):
            for each in node:
                self._reached(each, home, seen)
        if not isinstance(node, dict):
            return
        name = _name(node)
        if name and name not in seen and name not in MONEY:
            self.homes.setdefault(name, home)
            self._reached(self.schemas[name].get("properties", {}), home, seen)
            seen[name] = None  # After what it is made of.
        for each in node.values():
            self._reached(each, home, seen)

    def modules(self) -> dict[str, str]:
        """File name → its text."""
        homes = dict.fromkeys(self.homes[name] for name in (*self.answers, *self.asks))
        return {f"{home}.py": self._module(home) for home in homes}

    def _module(self, home: str) -> str:
        body: list[str] = []
        for name in self.answers:
            if self.homes[name] == home and not self._is_page(name):
                body += ["", "", *self._record(name)]
        for name in self.asks:
            if self.homes[name] == home:
                body += ["", "", *self._asked(name)]
        return "\n".join([*self._head(home, "\n".join(body)), *body]) + "\n"

    def _head(self, home: str, body: str) -> Iterator[str]:
        topic = home.replace("_", " ")
        yield f'"""Shapes of {topic}; written by `python -m tests.client.shapes`."""'
        yield "\nfrom __future__ import annotations\n"
        for module, names in (
            ("datetime", ("date", "datetime")),
            ("typing", ("Any", "Literal", "Required", "TypedDict")),
            ("marketplace.client.records", ("AnyId", "AnyMoney", "Money", "Record")),
        ):
            used = [name for name in names if _uses(body, name)]
            if used:
                yield f"from {module} import {', '.join(used)}"
        others: dict[str, list[str]] = {}
        for name, where in self.homes.items():
            told = [answered(name)] * (name in self.answers) + [self.asked(name)] * (
                name in self.asks
            )
            for shown in dict.fromkeys(told):
                if where != home and _uses(body, shown):
                    others.setdefault(where, []).append(shown)
        for where, known in sorted(others.items()):
            yield f"from marketplace.client.shapes.{where} import {', '.join(sorted(known))}"

    def _is_page(self, name: str) -> bool:
        return {"items", "next"} == set(self.schemas[name].get("properties", {}))

    def asked(self, name: str) -> str:
        """The name of a body; one that is an answer as well is told apart."""
        if name in self.answers and not name.endswith("Asked"):
            return answered(name) + "Asked"
        return name

    def _record(self, name: str) -> Iterator[str]:
        yield f"class {answered(name)}(Record):"
        yield f'    """What the API calls {name}."""\n'
        for field, node in self.schemas[name].get("properties", {}).items():
            yield f"    {field}: {self._answer_type(node)}"

    def _asked(self, name: str) -> Iterator[str]:
        schema = self.schemas[name]
        required = set(schema.get("required", []))
        yield f"class {self.asked(name)}(TypedDict, total=False):"
        yield f'    """What the API calls {name}."""\n'
        for field, node in schema.get("properties", {}).items():
            if not node.get("readOnly"):
                kind = self._ask_type(node)
                yield f"    {field}: {f'Required[{kind}]' if field in required else kind}"

    def _answer_type(self, node: Node) -> str:
        name = _name(node)
        if name:
            return "Money" if name in MONEY else answered(name)
        return self._type(node, self._answer_type, {"date-time": "datetime", "date": "date"})

    def _ask_type(self, node: Node) -> str:
        name = _name(node)
        if name:
            return "AnyMoney" if name in MONEY else self.asked(name)
        told = [one for one in node.get("enum", []) if isinstance(one, str)]
        if told and len(told) <= LITERALS_MAX:
            none = " | None" if None in node["enum"] or "null" in _kinds(node) else ""
            return f"Literal[{', '.join(repr(str(one)) for one in told)}]{none}"
        formats = {"date-time": "datetime | str", "date": "date | str", "uuid": "AnyId"}
        return self._type(node, self._ask_type, formats)

    def _type(self, node: Node, inner: Any, formats: Mapping[str, str]) -> str:
        for way in ("anyOf", "oneOf"):
            if way in node:
                return " | ".join(dict.fromkeys(inner(each) for each in node[way]))
        simple = {
            "string": formats.get(node.get("format", ""), "str"),
            "integer": "int",
            "number": "float",
            "boolean": "bool",
            "null": "None",
            "array": f"list[{inner(node.get('items', {}))}]" if "array" in _kinds(node) else "",
            "object": f"dict[str, {self._values(node, inner)}]",
        }
        return " | ".join(simple[kind] for kind in _kinds(node)) or "Any"

    def _values(self, node: Node, inner: Any) -> str:
        found = node.get("additionalProperties")
        return str(inner(found)) if isinstance(found, dict) and found else "Any"


def answered(name: str) -> str:
    """The client's name of an answer's schema."""
    return name.removesuffix("Shown")


def _name(node: Node) -> str:
    reference = node.get("$ref", "")
    return str(reference).rpartition("/")[2] if isinstance(reference, str) else ""


def _kinds(node: Node) -> list[str]:
    found = node.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _uses(body: str, name: str) -> bool:
    parts = body.replace("[", " ").replace("]", " ").replace(",", " ").replace("(", " ")
    return name in parts.replace(")", " ").replace(":", " ").split()


def spec(settings: Settings) -> Node:
    """The API's document."""
    with create_app(settings).app_context():
        return document()


def main() -> None:
    """Write all modules anew."""
    with temporary() as stack, TemporaryDirectory() as folder:
        environment = stack.environment | {
            "STORAGE_URL": folder,
            "MAILBOX_DIR": folder,
            "PUBLIC_URL": "http://localhost:8000",
            "PUBLIC_DEVELOPMENT": "1",
            "STRIPE_WEBHOOK_SECRET": "whsec_shapes_only_shapes_only_shapes",
        }
        texts = Shapes(spec(Settings.from_environ(environment))).modules()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for old in FOLDER.glob("*.py"):
        if old.name not in (*texts, "__init__.py"):
            old.unlink()
    names = [str(FOLDER / name) for name in texts]
    for step in (["format"], ["check", "--fix"]):
        subprocess.run([sys.executable, "-m", "ruff", *step, "--quiet", *names], check=True)


if __name__ == "__main__":
    main()
