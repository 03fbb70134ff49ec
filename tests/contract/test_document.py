"""The OpenAPI document: valid, complete, and with an example for whatever is JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from marketplace import clock
from marketplace.delivery.rules.kinds import KINDS, TEST, Reader
from marketplace.delivery.rules.parcels import body_of
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.outbox import Event
from marketplace.web.api.document import METHODS
from marketplace.web.errors import API_PREFIX, TITLES
from marketplace.web.guards import guarded_endpoints

Document = dict[str, Any]
DOCUMENT = f"{API_PREFIX}/openapi.json"


@pytest.fixture(scope="module")
def document(app: Flask) -> Document:
    """The document that the application serves."""
    found: Document = app.test_client().get(DOCUMENT).json or {}
    return found


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """(method and path, operation) of all."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield f"{method.upper()} {path}", methods[method]


def contents(document: Document) -> Iterator[tuple[str, Document]]:
    """(where, content) of all bodies and good answers in JSON."""
    for name, operation in operations(document):
        parts = {"body": operation.get("requestBody", {})}
        parts |= {status: each for status, each in operation["responses"].items() if status < "3"}
        for where, part in parts.items():
            if "application/json" in part.get("content", {}):
                yield f"{name} {where}", part["content"]["application/json"]


def test_it_is_valid_openapi(document: Document) -> None:
    assert "3.1.0" == document["openapi"]
    OpenAPIV31SpecValidator(document).validate()


def test_it_says_what_webhooks_are_sent(document: Document) -> None:
    hooks = {kind: each["post"] for kind, each in document["webhooks"].items()}
    for_labs = {each.kind for each in KINDS.values() if each.reader is not Reader.SPECIALIST}
    made = Event(
        id=new_id(),
        kind="task.accepted",
        subject_id=new_id(),
        job_id=new_id(),
        facts={"task_id": str(new_id()), "round": 1, "was": "submitted"},
        announced_at=clock.now(),
        organisation_number=7,
    )
    bodies = {
        "task.accepted": json.loads(body_of(new_id(), clock.now(), made)),
        TEST: json.loads(body_of(new_id(), clock.now(), None)),
    }

    assert for_labs | {TEST} == set(hooks)
    assert {tag["name"] for tag in document["tags"]} >= {hooks[TEST]["tags"][0]}
    for kind, hook in hooks.items():
        content = hook["requestBody"]["content"]["application/json"]
        told = jsonschema_rs.Draft202012Validator(content["schema"], validate_formats=True)
        told.validate(bodies.get(kind, content["example"]))
        told.validate(content["example"])
        assert kind == content["example"]["type"]


def test_it_names_all_that_the_api_answers(app: Flask, document: Document) -> None:
    rules = {
        f"{method} {rule}"
        for _, rule, method, _ in guarded_endpoints(app)
        if rule.startswith(f"{API_PREFIX}/") and rule != DOCUMENT
    }
    listed = {name.replace("{", "<").replace("}", ">") for name, _ in operations(document)}

    assert len(rules) == len(listed)
    assert listed == {"/".join(_plain(part) for part in rule.split("/")) for rule in rules}


def _plain(part: str) -> str:
    """A part of a rule without the kind of its parameter."""
    return "<" + part.partition("<")[2].rpartition(":")[2] if part.startswith("<") else part


def test_every_operation_says_what_it_is(document: Document) -> None:
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    scopes = set(Permission)
    poor = [
        name
        for name, operation in operations(document)
        if not operation.get("summary", "").strip().endswith((".", "?"))
        or not set(operation["tags"]) <= tags
        or not all(set(one["bearer"]) <= scopes for one in operation["security"])
    ]

    assert [] == poor


def test_refusals_are_shared_and_no_fault_of_ours_is_promised(document: Document) -> None:
    wrong = []
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            code = int(status)
            shared = f"#/components/responses/{HTTPStatus(code).name}"
            if code >= 400 and (answer != {"$ref": shared} or code == 500 or code not in TITLES):
                wrong.append(f"{name} {status}")
        if not any(status.startswith("2") for status in operation["responses"]):
            wrong.append(name)

    assert [] == wrong


def test_every_answer_says_what_it_holds(document: Document) -> None:
    silent = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        if status.startswith("2") and bool(answer.get("content")) is (status == "204")
    ]

    assert [] == silent


def test_guarded_operations_name_what_becomes_of_a_bad_token(document: Document) -> None:
    named = {"401", "403", "429", "503"}
    wrong = [
        name
        for name, operation in operations(document)
        if bool(operation["security"]) is not (named <= operation["responses"].keys())
    ]

    assert [] == wrong


def test_every_field_has_a_type(document: Document) -> None:
    """A field without one would let anything pass; those that may hold anything say so."""
    kinds = {"type", "$ref", "enum", "anyOf", "allOf", "oneOf", "description"}
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, inner in schema.get("properties", {}).items()
        if not inner.keys() & kinds
    ]

    assert [] == bare


def test_every_example_fits_its_schema(document: Document) -> None:
    wrong = []
    for name, content in contents(document):
        schema = {**content["schema"], "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        wrong += [f"{name}: {fault.message}" for fault in validator.iter_errors(content["example"])]

    assert [] == wrong
