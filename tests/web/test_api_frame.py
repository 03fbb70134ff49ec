"""The API's frame: tokens, problems, idempotency keys, pages of lists, the document."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.errors import Refused
from marketplace.factory import create_app
from marketplace.identity import queries, service
from marketplace.identity.rules import Permission, Role
from marketplace.money import Money
from marketplace.settings import Settings
from marketplace.web import api
from marketplace.web.guards import me, needs, public
from tests.make import identity as make
from tests.web.conftest import Browser


class Asked(Schema):
    """A thing to make."""

    name = fields.String(required=True)
    pay = fields.Nested(api.MoneySchema)


class Made(Schema):
    """A thing that was made; the secret is shown once."""

    number = fields.Integer()
    name = fields.String()
    secret = fields.String(allow_none=True)
    pay = fields.Nested(api.MoneySchema)


def things(counter: Iterator[int]) -> Any:
    """A blueprint with an effect: renaming the caller's organisation, and counting."""
    blueprint = api.blueprint("things", "Things to try the frame with.")

    @blueprint.post("/things")
    @needs(Permission.MEMBERS_MANAGE)
    @api.once(secrets=["secret"])
    @blueprint.arguments(Asked)
    @blueprint.response(201, Made)
    def post_thing(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
        """Make a thing.

        It counts.
        """
        service.rename_organisation(session, me(), asked["name"])
        if asked["name"] == "Refuse":
            raise Refused("Not now.")
        return {"number": next(counter), "secret": "shown once", **asked}

    @blueprint.post("/streams")
    @needs(Permission.MEMBERS_MANAGE)
    @api.once(streamed=True)
    @blueprint.response(200, Made)
    def post_stream(session: Session) -> dict[str, Any]:
        """Counts a stream's lines."""
        read = request.stream.read(4)
        service.rename_organisation(session, me(), f"Lab {len(read)}")
        return {"number": next(counter), "name": read.decode()}

    @blueprint.get("/things")
    @public
    @blueprint.arguments(api.PageQuery, location="query")
    @blueprint.response(200, api.listing(Made))
    def list_things(asked: dict[str, Any]) -> dict[str, Any]:
        """Things."""
        rows = [{"number": number} for number in range(asked["limit"] + 1)]
        return api.page(rows, limit=asked["limit"], key=lambda row: row["number"])

    return blueprint


@pytest.fixture
def things_app(app: Flask, settings: Settings) -> Flask:
    """An application with those endpoints."""
    made = create_app(settings)
    blueprint = things(itertools.count(1))
    made.extensions["csrf"].exempt(blueprint)
    made.extensions["marketplace_api"].register_blueprint(blueprint)
    return made


Call = Callable[..., Any]


@pytest.fixture
def call(things_app: Flask, browser: Browser, session: Session) -> Call:
    """Calls POST with a token and perhaps a key; the token's owner is `call.owner`."""
    client: FlaskClient = things_app.test_client()
    owner = make.lab_owner(session)
    token = make.token(session, owner)

    def post(path: str, *, key: str | None = None, bearer: str = token, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {bearer}"}
        headers |= {"Idempotency-Key": key} if key is not None else {}
        return client.post(path, headers=headers, **options)

    post.owner = owner  # type: ignore[attr-defined]
    return post


def test_me_tells_who_the_token_is(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session, name="Engine Lab")
    token = make.token(session, owner, scopes=["jobs.view", "balance.view"])

    answer = browser.get("/api/v1/me", Authorization=f"Bearer {token}").json or {}

    assert (str(owner.person_id), ["balance.view", "jobs.view"], ["owner"]) == (
        answer["id"],
        answer["scopes"],
        answer["roles"],
    )
    assert ("Engine Lab", "lab") == (answer["organisation"]["name"], answer["organisation"]["kind"])


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nothing", "Basic eDp5", "bearer mkt_x"])
def test_without_a_good_token_the_api_says_401(browser: Browser, header: str) -> None:
    answer = browser.get("/api/v1/me", Authorization=header)

    assert (401, "sign_in_needed") == (answer.status_code, (answer.json or {})["code"])
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_cookie_opens_nothing_in_the_api(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.lab_owner(session))

    assert 401 == browser.get("/api/v1/me").status_code


def test_a_bearer_token_opens_no_pages(browser: Browser, session: Session) -> None:
    token = make.token(session, make.lab_owner(session))

    assert 303 == browser.get("/account", Authorization=f"Bearer {token}").status_code


def test_a_scope_that_is_missing_is_named(call: Call, session: Session) -> None:
    narrow = make.token(session, call.owner, scopes=["jobs.view"])  # type: ignore[attr-defined]

    answer = call("/api/v1/things", bearer=narrow, json={"name": "One"})

    assert (403, "denied") == (answer.status_code, answer.json["code"])
    assert "members.manage" in answer.json["detail"]


def test_faults_of_a_body_have_pointers(call: Call) -> None:
    answer = call("/api/v1/things", json={"pay": {"amount_minor": 1.5, "currency": "XXX"}})

    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert 422 == answer.status_code
    assert {"/name", "/pay/amount_minor", "/pay/currency"} == pointers


def test_a_body_that_is_no_json_is_a_400(call: Call) -> None:
    answer = call("/api/v1/things", data=b"{", content_type="application/json")

    assert (400, "malformed") == (answer.status_code, answer.json["code"])


def test_the_same_key_acts_once_and_replays_without_the_secret(call: Call) -> None:
    first = call("/api/v1/things", key="k", json={"name": "One"})
    again = call("/api/v1/things", key="k", json={"name": "One"})

    assert (201, 201) == (first.status_code, again.status_code)
    assert (first.json["number"], "One", None) == (
        again.json["number"],
        again.json["name"],
        again.json["secret"],
    )
    assert "shown once" == first.json["secret"]
    assert "true" == again.headers["Idempotency-Replayed"]


def test_the_same_key_with_another_body_is_a_conflict(call: Call) -> None:
    call("/api/v1/things", key="k", json={"name": "One"})

    answer = call("/api/v1/things", key="k", json={"name": "Two"})

    assert (409, "idempotency_key_reused") == (answer.status_code, answer.json["code"])


def test_without_a_key_each_call_acts(call: Call) -> None:
    numbers = [call("/api/v1/things", json={"name": "One"}).json["number"] for _ in range(2)]

    assert 2 == len(set(numbers))


def test_keys_of_two_tokens_do_not_meet(call: Call, session: Session) -> None:
    other = make.token(session, make.lab_owner(session))

    first = call("/api/v1/things", key="k", json={"name": "One"})
    second = call("/api/v1/things", key="k", bearer=other, json={"name": "One"})

    assert first.json["number"] != second.json["number"]


def test_a_refused_call_undoes_all_and_may_be_sent_again(call: Call, session: Session) -> None:
    refused = call("/api/v1/things", key="k", json={"name": "Refuse"})
    name = queries.organisation_of(session, call.owner).name  # type: ignore[attr-defined]
    again = call("/api/v1/things", key="k", json={"name": "Refuse"})

    assert ("Lab", 409, 409) == (name, refused.status_code, again.status_code)
    assert "refused" == again.json["code"]


def test_streamed_bodies_are_compared_by_what_was_sent(call: Call) -> None:
    first = call("/api/v1/streams", key="k", data=b"body that is longer")
    same = call("/api/v1/streams", key="k", data=b"body that is longer")
    other = call("/api/v1/streams", key="k", data=b"body that differs")

    assert (200, 200, 409) == (first.status_code, same.status_code, other.status_code)
    assert first.json == same.json


def test_a_page_says_where_the_next_begins(things_app: Flask, browser: Browser) -> None:
    client = things_app.test_client()

    answer = client.get("/api/v1/things?limit=2")

    assert {"items": [{"number": 0}, {"number": 1}], "next": 1} == answer.json
    assert 422 == client.get("/api/v1/things?limit=1000").status_code


def test_money_crosses_the_edge_exactly() -> None:
    schema = api.MoneySchema()

    assert Money(4500, "USD") == schema.load({"amount_minor": 4500, "currency": "USD"})
    assert {"amount_minor": -5, "currency": "JPY"} == schema.dump(Money(-5, "JPY"))


def test_the_document_names_scopes_and_refusals(things_app: Flask, browser: Browser) -> None:
    document = things_app.test_client().get("/api/v1/openapi.json").json or {}

    made = document["paths"]["/api/v1/things"]["post"]
    assert [{"bearer": ["members.manage"]}] == made["security"]
    assert {"422": {"$ref": "#/components/responses/UNPROCESSABLE_ENTITY"}}.items() <= made[
        "responses"
    ].items()
    problem = document["components"]["responses"]["UNPROCESSABLE_ENTITY"]["content"]
    assert ["application/problem+json"] == list(problem)


def test_the_documentation_shows_each_call_without_script(
    things_app: Flask, browser: Browser
) -> None:
    client = things_app.test_client()
    index = client.get("/api/docs").text.replace("<wbr>", "")
    page = client.get("/api/docs/things").text.replace("<wbr>", "")

    assert 'href="/api/docs/things#api_things-post_thing"' in index
    for shown in ("/api/v1/things", "pay.amount_minor", "members.manage", "Idempotency-Key", "422"):
        assert shown in page
    assert "<script>" not in index + page
    assert "style=" not in index + page
    assert 404 == client.get("/api/docs/nothing").status_code


def test_calls_are_found_by_their_words_and_permissions(
    things_app: Flask, browser: Browser
) -> None:
    client = things_app.test_client()

    assert "1 call for" in client.get("/api/docs?q=THINGS+counts").text
    assert "2 calls for" in client.get("/api/docs?q=members.manage+counts").text
    assert "No call says all" in client.get("/api/docs?q=zebra").text


def test_losing_a_role_narrows_what_a_token_may_do(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    member = make.member(session, owner, Role.MANAGER)
    token = make.token(session, member)
    service.change_roles(session, owner, member.person(), ["viewer"])
    session.flush()

    answer = browser.get("/api/v1/me", Authorization=f"Bearer {token}").json or {}

    assert ["jobs.view", "tokens.manage"] == answer["scopes"]
