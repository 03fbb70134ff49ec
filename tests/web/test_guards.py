"""Guards: marks, and what happens without one."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.views import MethodView
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Denied, SignInNeeded
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.web.guards import (
    Access,
    EmailUnverified,
    Guard,
    UnguardedEndpoint,
    allow,
    guard_of,
    needs,
    public,
    refuse_unguarded,
)
from tests.make import identity as make
from tests.web.conftest import Browser

JOBS = Guard(Access.PERMITTED, (Permission.JOBS_VIEW,))


def visitor(*permissions: str, verified: bool = True) -> Visitor:
    """Someone with these permissions."""
    person_id = PersonId(new_id())
    return Visitor(
        actor=Actor(person_id=person_id, permissions=frozenset(permissions)),
        person_id=person_id,
        name="Ada",
        email="ada@example.org",
        timezone="UTC",
        verified=verified,
        is_specialist=False,
        has_totp=False,
        organisations=(),
    )


def test_everyone_may_use_what_is_public() -> None:
    allow(Guard(Access.PUBLIC), None)


def test_nobody_without_signing_in() -> None:
    with pytest.raises(SignInNeeded):
        allow(JOBS, None)


def test_the_permission_decides() -> None:
    allow(JOBS, visitor("jobs.view"))
    with pytest.raises(Denied):
        allow(JOBS, visitor("jobs.edit"))


def test_one_of_several_permissions_is_enough() -> None:
    either = Guard(Access.PERMITTED, (Permission.JOBS_VIEW, Permission.WORK_DO))
    allow(either, visitor("work.do"))
    with pytest.raises(Denied):
        allow(either, visitor("jobs.edit"))


def test_unverified_people_wait_even_with_the_permission() -> None:
    with pytest.raises(EmailUnverified):
        allow(JOBS, visitor("jobs.view", verified=False))
    allow(Guard(Access.UNVERIFIED), visitor(verified=False))


def test_an_application_with_an_unmarked_endpoint_is_refused() -> None:
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/open", "open", public(lambda: "open"))
    refuse_unguarded(app)
    app.add_url_rule("/bare", "bare", lambda: "bare")

    with pytest.raises(UnguardedEndpoint, match="bare"):
        refuse_unguarded(app)


def test_methods_of_a_class_are_guarded_one_by_one() -> None:
    class Jobs(MethodView):
        @needs(Permission.JOBS_VIEW)
        def get(self) -> str:
            return "jobs"

        def post(self) -> str:
            return "made"

    app = Flask("classes", static_folder=None)
    app.add_url_rule("/jobs", view_func=Jobs.as_view("jobs"))
    view = app.view_functions["jobs"]

    assert (JOBS, None) == (guard_of(view, "GET"), guard_of(view, "POST"))
    with pytest.raises(UnguardedEndpoint):
        refuse_unguarded(app)


def test_the_guard_comes_before_the_form_token(browser: Browser) -> None:
    answer = browser.client.post("/account/tokens")

    assert (303, "/sign-in") == (answer.status_code, answer.location)


def test_a_form_without_its_token_does_nothing(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    browser.sign_in(session, owner)

    answer = browser.client.post("/account", data={"name": "Mallory", "timezone": "UTC"})

    assert 400 == answer.status_code
    assert "Mallory" not in browser.get("/account").text


def test_the_form_token_may_come_as_a_header(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.lab_owner(session))
    page = browser.get("/account").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    answer = browser.client.post(
        "/account",
        data={"name": "Grace", "timezone": "UTC"},
        headers={"X-CSRFToken": token},
    )

    assert 303 == answer.status_code
