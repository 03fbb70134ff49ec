"""A register of US providers as NPPES answers, of invented people; it misbehaves when asked to.

Misbehaviours, each used up by the calls that it bends: `rate_limit` (429 with Retry-After),
`timeout` (silence, then the connection ends), `drop` (the connection ends), `errors` (200 with an
`Errors` body), `changed_types` (a number is a number and rows are a mapping), `old_types` (numbers
are numbers, as in older answers), `not_json`, `error_503`, `empty` (200 without any result).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request
from psycopg import sql

from marketplace.sandbox.addresses import NPPES
from marketplace.sandbox.connection import drop
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.pages import Page, page
from marketplace.sandbox.registry_people import KNOWN, Person, number_from, row_of
from marketplace.sandbox.store import Body, Store, Tx

PERSON, FAULT = "registry.person", "registry.fault"
_FAULTS = "rate_limit timeout drop errors changed_types old_types not_json error_503 empty"
FAULTS = frozenset(_FAULTS.split())
LIMIT_MAX = 200
CRITERIA = ("number", "first_name", "last_name", "state", "enumeration_type")


def blueprint(store: Store, authenticate: Callable[[Request], None]) -> Blueprint:
    """The register, its page, and its controls, which ask for the secret key as the API does."""
    views = Registry(store, authenticate)
    routes = Blueprint("registry", __name__)
    routes.add_url_rule(NPPES, view_func=views.search)
    routes.add_url_rule("/registry", view_func=views.listed)
    routes.add_url_rule(
        "/sandbox/control/registry/people", view_func=views.add_person, methods=["POST"]
    )
    routes.add_url_rule(
        "/sandbox/control/registry/faults", view_func=views.add_fault, methods=["POST"]
    )
    routes.add_url_rule(
        "/sandbox/control/registry/faults", view_func=views.clear_faults, methods=["DELETE"]
    )
    return routes


def people(tx: Tx) -> list[Person]:
    """Everyone that the register knows; those that a control added come first."""
    rows = tx.rows(
        sql.SQL("SELECT body FROM sandbox_objects WHERE kind = %s ORDER BY serial DESC"), (PERSON,)
    )
    added = [Person(**row["body"]["person"]) for row in rows]
    numbers = {person.number for person in added}
    return [*added, *(person for person in KNOWN if person.number not in numbers)]


class Registry:
    """The views."""

    def __init__(self, store: Store, authenticate: Callable[[Request], None]) -> None:
        self._store = store
        self._authenticate = authenticate

    def listed(self) -> Page:
        """A page for people: who is in the register."""
        with self._store.transaction() as tx:
            return page("registry", people=people(tx), path=NPPES)

    def search(self) -> Response:
        """GET by number, or by names, state and type."""
        with self._store.transaction() as tx:
            fault = _taken(tx)
            found = [person for person in people(tx) if _fits(person)]
        if fault is not None:
            bent = _bent(fault, [row_of(person) for person in found])
            if bent is not None:
                return bent
        if request.args.get("version") != "2.1" or not any(map(request.args.get, CRITERIA)):
            return _errors("No valid search criteria were given.")
        limit = min(request.args.get("limit", 10, type=int), LIMIT_MAX)
        rows = [row_of(person) for person in found[:limit]]
        return jsonify(result_count=len(rows), results=rows)

    def add_person(self) -> Response:
        """POST {first, last, state, licence?, stem or number?, active?, organisation?}."""
        self._authenticate(request)
        asked = request.get_json()
        stem = asked.pop("stem", None)
        asked.setdefault("number", number_from(str(stem)) if stem else None)
        known = {name: asked[name] for name in Person.__dataclass_fields__ if name in asked}
        try:
            person = Person(**{"state": "CA", "licence": "", "first": "", "last": "", **known})
        except TypeError:
            raise ApiError("Give a number or a stem, and names.") from None
        with self._store.transaction() as tx:
            tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE id = %s"), (f"npi_{person.number}",))
            tx.insert(
                {
                    "id": f"npi_{person.number}",
                    "object": PERSON,
                    "created": tx.now,
                    "person": asdict(person),
                }
            )
        return jsonify(number=person.number)

    def add_fault(self) -> Response:
        """POST {kind, count?, seconds?}: bend the next calls."""
        self._authenticate(request)
        asked = request.get_json()
        if asked.get("kind") not in FAULTS:
            raise ApiError(f"kind must be one of {', '.join(sorted(FAULTS))}.", param="kind")
        with self._store.transaction() as tx:
            body: Body = {
                "id": tx.new_id("rflt_"),
                "object": FAULT,
                "created": tx.now,
                "kind": asked["kind"],
                "remaining": int(asked.get("count", 1)),
                "seconds": float(asked.get("seconds", 1.0)),
            }
            tx.insert(body)
        return jsonify(done=True)

    def clear_faults(self) -> Response:
        """DELETE: the register behaves again."""
        self._authenticate(request)
        with self._store.transaction() as tx:
            tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE kind = %s"), (FAULT,))
        return jsonify(done=True)


def _fits(person: Person) -> bool:
    said = {
        "number": person.number,
        "first_name": person.first,
        "last_name": person.last,
        "state": person.state,
        "enumeration_type": "NPI-2" if person.organisation else "NPI-1",
    }
    asked = {name: request.args.get(name, "") for name in said}
    return all(not asked[name] or asked[name].lower() == said[name].lower() for name in said)


def _taken(tx: Tx) -> Body | None:
    """The misbehaviour for this call, used up by one; None when the register behaves."""
    rows = tx.rows(
        sql.SQL(
            "SELECT body FROM sandbox_objects WHERE kind = %s AND (body->>'remaining')::int > 0"
            " ORDER BY serial LIMIT 1 FOR UPDATE"
        ),
        (FAULT,),
    )
    if not rows:
        return None
    body: Body = rows[0]["body"]
    body["remaining"] -= 1
    return tx.save(body)


def _errors(sentence: str) -> Response:
    return jsonify(Errors=[{"description": sentence, "field": "number", "number": "04"}])


def _bent(fault: Body, rows: list[dict[str, Any]]) -> Response | None:
    """The answer that the misbehaviour makes; the connection may end here."""
    seconds = float(fault["seconds"])
    match fault["kind"]:
        case "timeout":
            drop(seconds=seconds)
        case "drop":
            drop(seconds=0.0)
        case "rate_limit":
            wait = {"Retry-After": str(int(seconds))}
            return Response("Too many requests", status=429, headers=wait)
        case "errors":
            return _errors("The service is being maintained.")
        case "not_json":
            return Response("<html><title>Maintenance</title></html>", content_type="text/html")
        case "error_503":
            return Response("Service unavailable", status=503)
        case "empty":
            return jsonify(result_count=0, results=[])
        case "changed_types":
            return jsonify(
                result_count=len(rows), results={str(n): row for n, row in enumerate(rows)}
            )
        case "old_types":
            older = [
                {**row, "number": int(row["number"]), "created_epoch": int(row["created_epoch"])}
                for row in rows
            ]
            text = json.dumps({"result_count": str(len(rows)), "results": older})
            return Response(text, content_type="application/json")
    return None
