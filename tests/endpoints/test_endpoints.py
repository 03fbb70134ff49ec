"""Model endpoints: what may be written, where a call may go, and that a key never comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import settings as settings_here
from marketplace.actor import Actor
from marketplace.db import TransactionOpen, transaction
from marketplace.endpoints import gateway, queries, rules, service
from marketplace.endpoints.gateway import Call, Reply
from marketplace.endpoints.rules import NameTaken, Outcome
from marketplace.errors import Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from tests.make import endpoints, identity
from tests.make.endpoints import KEY

Manner: TypeAlias = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def lab(session: Session) -> Actor:
    return identity.lab_owner(session)


@pytest.fixture
def odd(session: Session) -> Iterator[Callable[[Manner], str]]:
    """Starts servers with manners of their own, each the one address that may be private."""
    started: list[ThreadingHTTPServer] = []
    before = settings_here.current()

    def start(behave: Manner) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                behave(self)

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        started.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/v1"
        settings_here.use(replace(before, model_sandbox_base=address))
        return address

    yield start
    settings_here.use(before)
    for server in started:
        server.shutdown()
        server.server_close()


def asked(base_url: str, *, seconds: int = 2) -> Reply:
    """One call to an address."""
    call = Call(
        slot="a",
        endpoint_id=new_id(),
        version=1,
        model="m",
        base_url=base_url,
        api_key=KEY,
        timeout_seconds=seconds,
        body=b"{}",
    )
    (reply,) = gateway.ask([call])
    return reply


def answering(status: int, body: bytes, **headers: str) -> Manner:
    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return behave


def test_a_key_is_encrypted_in_the_database_and_in_no_audit_line(
    session: Session, lab: Actor
) -> None:
    made = endpoints.endpoint(session, lab, base_url="https://api.example/v1")
    service.change_endpoint(session, lab, made.id, {"api_key": "another-secret-key"})
    session.flush()

    held = session.execute(text("SELECT api_key FROM model_endpoint")).scalar_one()
    audited = session.execute(text("SELECT string_agg(verb || facts::text, ' ') FROM audit"))

    assert b"secret" not in bytes(held)
    assert "secret" not in audited.scalar_one()
    assert "secret" not in repr(service.call_of(made, "a", []))
    assert "another-secret-key" == made.api_key


@pytest.mark.parametrize(
    "base_url",
    [
        "http://api.example/v1",
        "ftp://api.example",
        "https://user:pass@api.example/v1",
        "https://api.example/v1?key=1",
        "https://api.example/v1#x",
        "https:///v1",
        "https://api.example:99999/v1",
        "https://api.example/a b",
        "http://127.0.0.1:9/v1/../other",
        "//api.example",
        "",
    ],
)
def test_only_plain_https_addresses_are_taken(session: Session, lab: Actor, base_url: str) -> None:
    with pytest.raises(Faulty) as faulty:
        endpoints.endpoint(session, lab, base_url=base_url)

    assert ["/base_url"] == [fault.pointer for fault in faulty.value.faults]


@pytest.mark.parametrize(
    "base_url",
    [
        "https://127.0.0.1:8443/v1",
        "https://localhost/v1",
        "https://10.1.2.3/v1",
        "https://169.254.169.254/latest",
        "https://[::1]/v1",
        "https://[::ffff:127.0.0.1]/v1",
        "https://2130706433/v1",
        "https://0x7f.1/v1",
        "https://0.0.0.0/v1",
        "http://127.0.0.1:1/v1",
    ],
)
def test_no_call_goes_into_a_private_network(session: Session, base_url: str) -> None:
    assert Outcome.ADDRESS_REFUSED is asked(base_url).outcome


def test_the_sandbox_is_one_address_and_no_other(odd: Callable[[Manner], str]) -> None:
    good = b'{"choices": [{"message": {"content": "Hello"}}]}'
    first = odd(answering(200, good))
    second = odd(answering(200, good))  # Now this one is the sandbox.

    assert (Outcome.ANSWERED, "Hello") == (asked(second).outcome, asked(second).text)
    assert Outcome.ADDRESS_REFUSED is asked(first).outcome
    assert Outcome.ADDRESS_REFUSED is asked(second.replace("/v1", "/v1/admin")).outcome


def test_a_redirect_is_not_followed(odd: Callable[[Manner], str]) -> None:
    hits: list[str] = []

    def behave(request: BaseHTTPRequestHandler) -> None:
        hits.append(request.path)
        answering(307, b"", Location=f"{request.path}/elsewhere")(request)

    reply = asked(odd(behave))

    assert Outcome.REDIRECTED is reply.outcome
    assert ["/v1/chat/completions"] == hits


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (401, b'{"error": "Incorrect key sandbox-model-of-the-tests"}', Outcome.KEY_REFUSED),
        (404, b"", Outcome.NOT_FOUND),
        (422, b"{}", Outcome.REFUSED),
        (429, b"{}", Outcome.TOO_OFTEN),
        (500, b"oops", Outcome.BROKEN),
        (200, b"<!doctype html>", Outcome.MALFORMED),
        (200, b"\xff\xfe", Outcome.MALFORMED),
        (200, b"[" * 100_000, Outcome.MALFORMED),
        (200, b'{"choices": []}', Outcome.MALFORMED),
        (200, b'{"choices": [{"message": {"content": 7}}]}', Outcome.MALFORMED),
        (200, b'{"choices": [{"message": {"content": null}}]}', Outcome.EMPTY),
        (200, b'{"choices": [{"message": {"content": " "}}]}', Outcome.EMPTY),
        (200, b" " * (1 << 20), Outcome.TOO_LONG),
    ],
)
def test_failures_are_told_by_kind_and_never_by_what_the_server_wrote(
    odd: Callable[[Manner], str],
    capsys: pytest.CaptureFixture[str],
    status: int,
    body: bytes,
    outcome: Outcome,
) -> None:
    reply = asked(odd(answering(status, body)))

    assert (outcome, "") == (reply.outcome, reply.text)
    logged = capsys.readouterr()
    assert KEY not in logged.out + logged.err + repr(reply)


def test_what_postgres_cannot_keep_is_replaced(odd: Callable[[Manner], str]) -> None:
    body = b'{"choices": [{"message": {"content": "a\\u0000b"}, "finish_reason": "length"}]}'

    reply = asked(odd(answering(200, body)))

    assert ("a\ufffdb", True) == (reply.text, reply.cut)


def test_a_slow_or_trickling_server_is_left_in_time(odd: Callable[[Manner], str]) -> None:
    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(40):
            try:
                request.wfile.write(b"a")
            except OSError:
                return
            time.sleep(0.2)

    began = time.monotonic()

    assert Outcome.NO_ANSWER is asked(odd(trickle), seconds=1).outcome
    assert time.monotonic() - began < 4


def test_no_transaction_waits_for_a_model(session: Session) -> None:
    with transaction(), pytest.raises(TransactionOpen):
        asked("https://api.example/v1")


def test_a_new_address_drops_the_old_key(session: Session, lab: Actor) -> None:
    made = endpoints.endpoint(session, lab, base_url="https://api.example/v1")

    service.change_endpoint(session, lab, made.id, {"model": "other"})
    kept = made.api_key
    service.change_endpoint(session, lab, made.id, {"base_url": "https://evil.example/v1"})

    assert (KEY, None) == (kept, made.api_key)
    assert 3 == made.version


def test_endpoints_are_their_organisations_own(session: Session, lab: Actor) -> None:
    made = endpoints.endpoint(session, lab, base_url="https://api.example/v1")
    stranger = identity.lab_owner(session)
    viewer = identity.member(session, lab, Role.VIEWER)

    assert [] == list(queries.endpoints_of(session, stranger))
    assert {} == queries.named(session, stranger.organisation(), ["echo"])
    for deed in (service.begin_test, service.retire_endpoint, queries.endpoint_of):
        with pytest.raises(Missing):
            deed(session, stranger, made.id)
    with pytest.raises(Denied):
        service.change_endpoint(session, viewer, made.id, {"model": "x"})
    with pytest.raises(NameTaken):
        endpoints.endpoint(session, lab, base_url="https://api.example/v1")


def test_a_retired_endpoint_has_no_key_and_is_asked_nothing(session: Session, lab: Actor) -> None:
    made = endpoints.endpoint(session, lab, base_url="https://api.example/v1")
    service.retire_endpoint(session, lab, made.id)

    assert made.api_key is None
    assert {} == queries.named(session, lab.organisation(), ["echo"])
    template = {"candidates": [{"endpoint": "echo"}, "nonsense", {"endpoint": 3}]}
    faults = queries.endpoint_faults(session, lab.organisation(), template)
    assert ["/template/candidates/0/endpoint"] == [fault.pointer for fault in faults]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "a b"),
        ("model", ""),
        ("api_key", "a\r\nX-Header: b"),
        ("api_key", "clé"),
        ("temperature", "3"),
        ("temperature", "NaN"),
        ("top_p", "0"),
        ("tokens_a_turn_max", 0),
        ("timeout_seconds", 121),
        ("limit_field", "tokens"),
        ("system_prompt", "\0"),
    ],
)
def test_every_field_says_what_is_wrong_with_it(field: str, value: object) -> None:
    whole = {"base_url": "https://api.example/v1", field: value}

    with pytest.raises(Faulty) as faulty:
        rules.cleaned(whole)

    assert [f"/{field}"] == [fault.pointer for fault in faulty.value.faults]
