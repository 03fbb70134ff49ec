"""The client and the API's document: neither has what the other lacks."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.client import AsyncClient, resources
from marketplace.client.client import Resources
from marketplace.client.operations import Operation, Pages
from marketplace.factory import create_app
from marketplace.settings import Settings
from marketplace.web.docs import document
from tests.client.shapes import FOLDER, METHODS, Node, Shapes

# Calls whose methods take several steps; `@steps` and `@stream` name their paths in the text.
IN_STEPS = re.compile(r'"(GET|POST)", f?"(/[^"]*)"')
HOLE = re.compile(r"\{[^}]*\}")
PREFIX = "/api/v1"


@pytest.fixture(scope="module")
def spec(settings: Settings, database: object) -> Node:
    app: Flask = create_app(settings)
    with app.app_context():
        return document()


def described() -> Iterator[tuple[str, str]]:
    """Method and path, without names in it, of every call that the client makes."""
    modules = [
        importlib.import_module(f"{resources.__name__}.{found.name}")
        for found in pkgutil.iter_modules(resources.__path__)
    ]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    for kind in (*kinds, Resources):
        for member in vars(kind).values():
            if isinstance(member, Operation | Pages):
                yield member.method, HOLE.sub("{}", member.path)
    for folder in (FOLDER.parent, FOLDER.parent / "resources"):
        for file in folder.glob("*.py"):
            for method, path in IN_STEPS.findall(file.read_text(encoding="utf-8")):
                yield method, HOLE.sub("{}", path)


def documented(spec: Node) -> Iterator[tuple[str, str]]:
    for path, methods in spec["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), HOLE.sub("{}", path.removeprefix(PREFIX))


def test_every_path_has_a_method_and_every_method_a_path(spec: Node) -> None:
    ours, theirs = set(described()), set(documented(spec))

    assert (set(), set()) == (theirs - ours, ours - theirs)


# Sent again without a key, these change nothing a second time, or are told to be sent once.
WITHOUT_KEY = {
    "/claims/{}/conversation/ask",
    "/claims/{}/conversation/choice",
    "/claims/{}/conversation/turns",
    "/claims/{}/heartbeat",
    "/credentials/{}/evidence",
    "/jobs/{}/images",
    "/jobs/{}/quote",
    "/jobs/{}/versions/quote",
    "/model-endpoints/{}/test",
}


def test_a_call_that_acts_takes_the_clients_key(spec: Node) -> None:
    keyless = {
        HOLE.sub("{}", path.removeprefix(PREFIX))
        for path, methods in spec["paths"].items()
        if "post" in methods
        and "IdempotencyKey" not in json.dumps(methods["post"].get("parameters", []))
    }

    assert WITHOUT_KEY == keyless


def test_shapes_are_those_of_the_document(spec: Node) -> None:
    drifted = [
        name
        for name, text in Shapes(spec).modules().items()
        if not (FOLDER / name).is_file() or _told(text) != _told((FOLDER / name).read_text())
    ]

    assert [] == drifted, "Run `python -m tests.client.shapes`."


def _told(text: str) -> list[str]:
    """What a module declares; imports aside, whose order a formatter may change."""
    body = ast.parse(text).body
    return [ast.dump(each) for each in body if not isinstance(each, ast.ImportFrom)]


def test_both_clients_have_the_same_resources() -> None:
    waiting = AsyncClient("http://127.0.0.1:9", "")

    assert {"jobs", "items", "exports", "events", "webhooks", "claims", "finance"} <= set(
        vars(waiting)
    )
