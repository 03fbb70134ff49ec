"""Every endpoint is guarded: all endpoints by all roles, and no form without its token.

A path's parameters are filled with ids that belong to nobody, so whoever may use an endpoint gets
2xx, 3xx, or a refusal about the thing itself (404, 409, 422 …); who may not gets 401 or 403, or is
led to the sign-in page. A new endpoint is covered as soon as it is registered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import Actor
from marketplace.identity import queries
from marketplace.identity.rules import GRANTS, ROLES_IN, OrganisationKind, Permission, Role
from marketplace.ids import new_id
from marketplace.web.errors import API_PREFIX
from marketplace.web.guards import Access, Guard, guarded_endpoints
from marketplace.web.routes import SIGNED_BODIES, found
from marketplace.web.visitors import COOKIE
from tests.make import identity as make

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# What a path's parameters may be; one of another kind gets a word.
PARAMETER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>")
SAMPLES: dict[str, Callable[[], str]] = {"uuid": lambda: str(new_id()), "int": lambda: "999999"}
FILES = {"/static/<path:filename>"}
BEFORE_A_LIMIT = 5  # Fewer than the strictest limit lets through.


class Endpoint(NamedTuple):
    """One method of one rule, and the guard that stands before it."""

    method: str
    rule: str
    path: str
    guard: Guard


def endpoints(app: Flask) -> Iterator[Endpoint]:
    """All that the application answers, with sample ids in the paths."""
    for _, rule, method, guard in guarded_endpoints(app):
        assert guard is not None
        # The way out changes who asks; its own tests cover it.
        if rule not in FILES and rule != "/sign-out":
            yield Endpoint(method, rule, sample_path(rule), guard)


def sample_path(rule: str) -> str:
    """The rule with its parameters filled."""
    return PARAMETER.sub(lambda found: SAMPLES.get(found[1] or "", lambda: "nothing")(), rule)


def who(session: Session, role: Role) -> Actor:
    """Someone who has exactly this role."""
    if role is Role.SPECIALIST:
        return make.specialist(session)
    if role in ROLES_IN[OrganisationKind.PLATFORM]:
        return make.staff(session, role)
    owner = make.lab_owner(session)
    return owner if role is Role.OWNER else make.member(session, owner, role)


def may(guard: Guard, role: Role) -> bool:
    """What the table of who may do what says."""
    return guard.lets(GRANTS[role])


class Caller:
    """Someone who calls endpoints: by token in the API, by cookie and form token on pages."""

    def __init__(self, app: Flask, session: Session, actor: Actor | None) -> None:
        self.client = app.test_client()
        self.bearer: dict[str, str] = {}
        page = self.client.get("/reset-password").text
        self.form = {"X-CSRFToken": page.split('name="csrf_token" value="')[1].split('"')[0]}
        if actor is not None:
            self.bearer = {"Authorization": f"Bearer {make.token(session, actor)}"}
            self.client.set_cookie(COOKIE, make.cookie(session, actor))

    def ask(self, one: Endpoint) -> TestResponse:
        """Call the endpoint with an empty body."""
        headers = self.bearer if one.rule.startswith(API_PREFIX) else self.form
        answer = self.client.open(one.path, method=one.method, headers=headers)
        answer.close()
        return answer


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_through_exactly_where_the_table_says(
    app: Flask, session: Session, redis: Redis, role: Role
) -> None:
    caller = Caller(app, session, who(session, role))
    wrong = []
    for number, one in enumerate(endpoints(app)):
        if number % BEFORE_A_LIMIT == 0:
            redis.flushdb()  # No limit is reached by asking everything.
        with session.begin_nested() as point:
            status = caller.ask(one).status_code
            point.rollback()
        refused = status in {401, 403}
        if status >= 500 or refused is may(one.guard, role):
            wrong.append(f"{one.method} {one.rule}: {status} for {role.value}")

    assert [] == wrong


def test_nobody_gets_anywhere_without_signing_in(
    app: Flask, session: Session, redis: Redis
) -> None:
    caller = Caller(app, session, None)
    wrong = []
    for one in endpoints(app):
        redis.flushdb()
        answer = caller.ask(one)
        led = (answer.location or "").startswith("/sign-in")
        inside = one.guard.access is not Access.PUBLIC
        out = answer.status_code == 401 or (answer.status_code == 303 and led)
        # The second factor's page leads back when there is no half sign-in.
        if answer.status_code >= 500 or (inside and not out):
            wrong.append(f"{one.method} {one.rule}: {answer.status_code}")

    assert [] == wrong


def test_unverified_people_reach_the_notice_only(
    app: Flask, session: Session, redis: Redis
) -> None:
    actor = make.lab_owner(session)
    cookie = make.cookie(session, actor)
    queries.person_of(session, actor).email_verified_at = None
    session.flush()
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    wrong = []
    for one in endpoints(app):
        inside = one.guard.access in {Access.SIGNED_IN, Access.PERMITTED}
        if one.method == "GET" and inside and not one.rule.startswith(API_PREFIX):
            answer = client.get(one.path)
            if answer.location != "/sign-up/unverified":
                wrong.append(f"{one.rule}: {answer.status_code}")

    assert [] == wrong


def test_every_write_of_a_page_needs_its_form_token(
    app: Flask, session: Session, redis: Redis
) -> None:
    actor = make.lab_owner(session)
    signed = {found(name).name for name in SIGNED_BODIES}
    client = app.test_client()
    client.set_cookie(COOKIE, make.cookie(session, actor))
    wrong = []
    for endpoint, rule, method, guard in guarded_endpoints(app):
        if method not in WRITES or rule.startswith(API_PREFIX):
            continue
        if endpoint.partition(".")[0] in signed:
            continue
        assert guard is not None
        status = client.open(sample_path(rule), method=method).status_code
        allowed = guard.lets(actor.permissions)
        if status != (400 if allowed else 403):
            wrong.append(f"{method} {rule}: {status}")

    assert [] == wrong


def test_every_write_of_the_api_needs_a_token_and_no_cookie_will_do(
    app: Flask, session: Session
) -> None:
    cookie = make.cookie(session, make.lab_owner(session))
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    wrong = []
    for one in endpoints(app):
        writes = one.rule.startswith(API_PREFIX) and one.method in WRITES
        if writes and client.open(one.path, method=one.method).status_code != 401:
            wrong.append(f"{one.method} {one.rule}")

    assert [] == wrong


def test_every_write_of_the_api_is_guarded_by_more_than_nothing(app: Flask) -> None:
    assert [] == [
        one.rule
        for one in endpoints(app)
        if one.rule.startswith(API_PREFIX)
        and one.method in WRITES
        and one.guard.access is not Access.PERMITTED
    ]


def test_every_permission_that_guards_is_in_the_table(app: Flask) -> None:
    used = {each for one in endpoints(app) for each in one.guard.permissions}

    assert used <= set(Permission)
