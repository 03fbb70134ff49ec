"""A served sandbox, the official SDK in front of it, and an endpoint that hears its webhooks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stripe
from flask import Flask, Response, request
from werkzeug.serving import make_server

from marketplace import stripe_client
from marketplace.embedded import Stack
from marketplace.sandbox.control_client import ControlClient
from marketplace.sandbox.server import QuietHandler, running
from marketplace.sandbox.settings import SandboxSettings
from marketplace.sandbox.store import Store
from marketplace.sandbox.webhooks import configure

KEY = "sk_test_sandbox_tests_0123456789"
SECRET = "whsec_sandbox_tests"
EMPTY = """
TRUNCATE sandbox_objects, sandbox_balances, sandbox_balance_transactions, sandbox_idempotency,
    sandbox_events, sandbox_deliveries, sandbox_timers, sandbox_faults,
    sandbox_options, sandbox_rates, sandbox_reserved, sandbox_files, sandbox_bank_lines;
UPDATE sandbox_state SET clock_offset_seconds = 0, settle_seconds = 0;
"""


@dataclass
class Listener:
    """An endpoint for webhooks: what arrived, and the statuses that it is to answer next."""

    address: str = ""
    turn: int = 0
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("listener")

        @app.post("/<int:turn>")
        def hear(turn: int) -> Response:
            if turn != self.turn:
                # A straggler of the test before: it is not this test's business.
                return Response(status=200)
            self.bodies.append(request.get_data())
            self.signatures.append(request.headers["Stripe-Signature"])
            return Response(status=self.answers.pop(0) if self.answers else 200)

        return app

    @property
    def url(self) -> str:
        """Where this test's deliveries go."""
        return f"{self.address}/{self.turn}"

    def next_test(self) -> None:
        """Forget everything, and listen at another path."""
        self.turn += 1
        self.bodies.clear()
        self.signatures.clear()
        self.answers.clear()

    def types(self) -> list[str]:
        """The types of the events that arrived, in order of arrival."""
        return [read_event(body)["type"] for body in self.bodies]

    def wait_for(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The last event of a type, once `count` of it have arrived."""
        until(lambda: self.types().count(kind) >= count)
        found = [event for body in self.bodies if (event := read_event(body))["type"] == kind]
        return found[-1]


def read_event(body: bytes) -> dict[str, Any]:
    """An event's body without looking at its signature."""
    return dict(json.loads(body))


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)


@pytest.fixture(scope="session")
def listening() -> Iterator[Listener]:
    listener = Listener()
    server = make_server(
        "127.0.0.1", 0, listener.app(), threaded=True, request_handler=QuietHandler
    )
    listener.address = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield listener
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def sandbox_settings(
    stack: Stack, listening: Listener, tmp_path_factory: pytest.TempPathFactory
) -> SandboxSettings:
    return SandboxSettings(
        database_url=stack.environment["SANDBOX_DATABASE_URL"],
        secret_key=KEY,
        webhook_secret=SECRET,
        webhook_url=listening.url,
        port=0,
        mailbox=tmp_path_factory.mktemp("mailbox"),
    )


@pytest.fixture(scope="session")
def served(sandbox_settings: SandboxSettings) -> Iterator[str]:
    with running(sandbox_settings) as address:
        yield address


@pytest.fixture
def sandbox(served: str, sandbox_settings: SandboxSettings, listening: Listener) -> str:
    """The address of an empty sandbox; charges settle at once unless a test says otherwise."""
    listening.next_test()
    with closing(Store(sandbox_settings.database_url)) as store:
        for _ in range(5):
            try:
                with store.transaction() as tx:
                    tx.connection.execute(EMPTY)
                    configure(tx, listening.url, SECRET)
                break
            except psycopg.errors.DeadlockDetected:
                # The worker still delivers what the last test left; it gives way, or we do.
                continue
    return served


@dataclass(frozen=True)
class ClientSettings:
    """What `stripe_client.client` reads."""

    stripe_secret_key: str
    stripe_api_base: str


@pytest.fixture
def sdk(sandbox: str) -> stripe.StripeClient:
    """The product's own construction of the SDK, without retries so that faults are seen."""
    settings = ClientSettings(KEY, sandbox)
    return stripe_client.client(settings, read_seconds=5, network_retries=0)


@pytest.fixture
def controls(sandbox: str) -> Iterator[ControlClient]:
    with ControlClient(sandbox, KEY) as client:
        yield client


@pytest.fixture
def mailbox_folder(sandbox_settings: SandboxSettings) -> Path:
    assert sandbox_settings.mailbox is not None
    return sandbox_settings.mailbox


@pytest.fixture
def fund(sdk: stripe.StripeClient) -> Callable[..., stripe.PaymentIntent]:
    """Put money into the platform's balance; by default it is available at once."""

    def put(
        amount: int, currency: str = "usd", *, method: str = "pm_card_bypassPending"
    ) -> stripe.PaymentIntent:
        return sdk.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": method,
                "confirm": True,
            }
        )

    return put


@pytest.fixture
def payee(sdk: stripe.StripeClient, controls: ControlClient) -> Callable[[], str]:
    """An onboarded account that can be paid; its id."""

    def onboard() -> str:
        account = sdk.v1.accounts.create(
            {
                "country": "US",
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
            }
        )
        controls.enable(account.id)
        return account.id

    return onboard
