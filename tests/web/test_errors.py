"""Errors as pages, fragments and problems; headers, health, and proxies."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote

import brotli  # type: ignore[import-untyped]
import pytest
from flask import Flask
from marshmallow import Schema, ValidationError, fields
from redis import Redis
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import Client

from marketplace.errors import (
    Conflict,
    Denied,
    Fault,
    Faulty,
    GatewayError,
    Missing,
    Refused,
    SignInNeeded,
    TooLarge,
    TooOften,
)
from marketplace.factory import create_app
from marketplace.identity.rules import Role
from marketplace.settings import Settings
from marketplace.web.errors import faults_of, status_of
from marketplace.web.guards import public
from marketplace.web.proxies import TrustedProxies
from tests.make import identity as make
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SignInNeeded("x"), 401),
        (Denied("x"), 403),
        (Missing("x"), 404),
        (Conflict("x"), 409),
        (Refused("x"), 409),
        (TooLarge("x"), 413),
        (Faulty("x"), 422),
        (TooOften("x", retry_after_seconds=3), 429),
        (GatewayError("x"), 503),
        (RuntimeError("x"), 500),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int) -> None:
    assert status == status_of(error)


def test_messages_become_pointers() -> None:
    messages = {"pay": {"currency": ["Choose one."]}, "items": {0: {"a/b": ["Needed."]}}}

    assert (
        Fault("/pay/currency", "Choose one."),
        Fault("/items/0/a~1b", "Needed."),
    ) == faults_of(messages)


def test_words_of_libraries_become_ours() -> None:
    class Order(Schema):
        pay = fields.Integer(required=True)
        count = fields.Integer()

    with pytest.raises(ValidationError) as raised:
        Order().load({"count": "x", "more": 1})

    said = {fault.pointer: fault.message for fault in faults_of(raised.value.messages)}
    assert "Fill this in." == said["/pay"]
    assert "Write a whole number." == said["/count"]
    assert said["/more"].startswith("This is no field here.")


@pytest.fixture
def failing(app: Flask, settings: Settings) -> Client:
    """A client of an application with an endpoint that fails in the way that is asked for."""
    made = create_app(settings)
    errors: dict[str, Exception] = {
        "fault": RuntimeError("secret detail of ada@example.org"),
        "database": OperationalError("SELECT 1", None, Exception("host=10.1.2.3")),
        "gateway": GatewayError("the key sk_live_1 was refused"),
        "faulty": Faulty("Mend this.", [Fault("/name", "Write a name.")]),
    }

    @public
    def fail(kind: str) -> str:
        raise errors[kind]

    made.add_url_rule("/fail/<kind>", "fail", fail)
    made.add_url_rule("/api/v1/fail/<kind>", "api_fail", fail)
    return made.test_client()


def test_what_is_unexpected_tells_a_reference_and_nothing_else(
    failing: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in ("/fail/fault", "/api/v1/fail/fault"):
        answer = failing.get(path)
        text = answer.get_data(as_text=True)
        assert 500 == answer.status_code
        assert "secret detail" not in text
        assert answer.headers["X-Request-Id"] in text

    logged = capfd.readouterr().err
    assert "test_errors.py" in logged
    assert "ada@example.org" not in logged


@pytest.mark.parametrize(("kind", "secret"), [("gateway", "sk_live"), ("database", "10.1.2.3")])
def test_what_is_away_is_not_shown_in_detail(failing: Client, kind: str, secret: str) -> None:
    answer = failing.get(f"/fail/{kind}")

    assert (503, "30") == (answer.status_code, answer.headers["Retry-After"])
    assert secret not in answer.get_data(as_text=True)


def test_the_api_answers_with_problems(failing: Client) -> None:
    answer = failing.get("/api/v1/fail/faulty")

    assert "application/problem+json" == answer.content_type
    assert {
        "type": "about:blank",
        "status": 422,
        "code": "faulty_input",
        "title": "Something in the input needs mending",
        "detail": "Mend this.",
        "errors": [{"pointer": "/name", "message": "Write a name."}],
    } == answer.json


def test_htmx_gets_a_fragment(failing: Client) -> None:
    answer = failing.get("/fail/faulty", headers={"HX-Request": "true"})

    text = answer.get_data(as_text=True)
    assert 422 == answer.status_code
    assert "Mend this." in text
    assert "<html" not in text


@pytest.mark.parametrize(
    ("came_from", "landing"),
    [
        ("http://localhost/account/password?tab=1", "/account/password?tab=1"),
        ("http://evil.example/account/password", ""),
        ("", ""),
    ],
)
def test_a_form_whose_sign_in_ended_leads_back_to_its_page(
    browser: Browser, came_from: str, landing: str
) -> None:
    answer = browser.client.post("/account/password", headers={"Referer": came_from})

    expected = f"/sign-in?next={landing}" if landing else "/sign-in"
    assert (303, expected) == (answer.status_code, unquote(answer.location or ""))


def test_htmx_is_led_to_the_sign_in_page(browser: Browser) -> None:
    answer = browser.get("/account", **{"HX-Request": "true"})

    assert (401, "/sign-in?next=/account") == (answer.status_code, answer.headers["HX-Redirect"])


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/sign-out", 405)])
def test_pages_that_are_not_there_belong_to_the_house(
    browser: Browser, path: str, status: int
) -> None:
    answer = browser.get(path)

    assert status == answer.status_code
    assert "<h1>" in answer.text


def test_a_wrong_role_is_told_so(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.specialist(session))

    answer = browser.get("/organisation/members")

    assert 403 == answer.status_code
    assert "members.manage" in answer.text


def test_every_answer_carries_the_headers(browser: Browser) -> None:
    answer = browser.get("/sign-in")
    policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "no-store" == answer.headers["Cache-Control"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f'nonce="{nonce[1]}"' in answer.text
    assert nonce[1] not in browser.get("/sign-in").text


def test_an_answer_to_a_program_opens_nothing_and_keeps_no_cookie(browser: Browser) -> None:
    answer = browser.get("/api/v1/me")

    assert "default-src 'none'; frame-ancestors 'none'" == answer.headers["Content-Security-Policy"]
    assert "no-store" == answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers["Vary"]


def test_files_with_a_hash_in_their_address_are_kept_for_ever(browser: Browser) -> None:
    sheet = re.search(r'href="(/static/css/pages.css\?v=[0-9a-f]+)"', browser.get("/sign-in").text)
    assert sheet is not None

    kept = browser.get(sheet[1])
    checked = browser.get("/static/css/tokens.css")
    for answer in (kept, checked):
        answer.close()

    assert "max-age=31536000" in kept.headers["Cache-Control"]
    assert "immutable" in kept.headers["Cache-Control"]
    assert "max-age=86400" in checked.headers["Cache-Control"]


def test_pages_travel_compressed(browser: Browser) -> None:
    answer = browser.get("/", **{"Accept-Encoding": "gzip"})

    assert "gzip" == answer.headers["Content-Encoding"]


def test_files_travel_as_small_as_they_can_be_and_are_checked_by_their_tag(
    browser: Browser,
) -> None:
    asked = {"Accept-Encoding": "gzip, br, zstd"}
    plain = browser.get("/static/app.js")
    small = browser.get("/static/app.js", **asked)
    again = browser.get("/static/app.js", **asked, **{"If-None-Match": small.headers["ETag"]})
    nowhere = browser.get("/static/../factory.py", **asked)
    whole = plain.data
    plain.close()

    assert "br" == small.headers["Content-Encoding"]
    assert "Accept-Encoding" in small.headers["Vary"]
    assert whole == brotli.decompress(small.data)
    assert (304, b"") == (again.status_code, again.data)
    assert 404 == nowhere.status_code


def test_forms_over_the_limit_are_refused_in_words(browser: Browser) -> None:
    answer = browser.client.post("/sign-in", data={"email": "x" * 3_000_000})

    assert 413 == answer.status_code
    assert "too large" in answer.text


def test_readiness_lists_the_parts(browser: Browser, redis: Redis) -> None:
    some, every = browser.get("/readyz"), browser.get("/readyz?all=1")
    assert (200, 503) == (some.status_code, every.status_code)
    assert {"status": "ok", "database": "ok", "redis": "ok", "worker": "down", "relay": "down"} == (
        some.json
    )

    for part in ("worker", "relay"):
        redis.set(f"heartbeat:{part}", "1", ex=15)

    assert 200 == browser.get("/readyz?all=1").status_code


def test_metrics_are_for_this_machine_and_who_may_see_the_system(
    browser: Browser, session: Session
) -> None:
    auditor = make.staff(session, Role.AUDITOR)
    viewing = make.token(session, auditor, scopes=["system.view"])
    other = make.token(session, make.lab_owner(session))
    away = {"X-Forwarded-For": "203.0.113.7"}

    statuses = [
        browser.get("/metrics").status_code,
        browser.get("/metrics", **away).status_code,
        browser.get("/metrics", Authorization=f"Bearer {other}", **away).status_code,
        browser.get("/metrics", Authorization=f"Bearer {viewing}", **away).status_code,
    ]

    assert [200, 404, 404, 200] == statuses
    assert "marketplace_requests_total" in browser.get("/metrics").text


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("198.51.100.2", "203.0.113.7", "198.51.100.2"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str, client: str) -> None:
    seen: dict[str, str] = {}

    def application(environ: dict[str, str], _start: object) -> list[bytes]:
        seen.update(environ)
        return []

    proxies = TrustedProxies(application, ("10.0.0.0/8",))
    proxies(
        {
            "REMOTE_ADDR": peer,
            "HTTP_X_FORWARDED_FOR": forwarded,
            "HTTP_X_FORWARDED_PROTO": "https",
            "wsgi.url_scheme": "http",
        },
        lambda *_: lambda _: None,
    )

    assert client == seen["REMOTE_ADDR"]
    assert ("https" if peer.startswith("10.") else "http") == seen["wsgi.url_scheme"]


def test_the_log_has_no_paths_and_no_people(
    browser: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel("INFO")
    try:
        browser.get("/verify-email?token=mkl_secret")
    finally:
        root.setLevel(before)

    logged = capfd.readouterr().err
    assert '"endpoint": "sign_in.verify_form"' in logged
    assert "mkl_secret" not in logged
