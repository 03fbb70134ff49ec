"""What a journey needs: an application, programs with tokens, a sandbox, background work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe as sdk
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace import stripe_client
from marketplace.actor import Actor
from marketplace.embedded import Stack
from marketplace.identity import service as identity
from marketplace.settings import Settings
from tests.make.billing import Stripe, stripe_sandbox


@pytest.fixture(scope="package")
def served_stripe(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def stripe(
    served_stripe: Stripe, database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to; the SDK's own retries do not wait."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    served_stripe.empty()
    yield served_stripe
    served_stripe.controls.clear_faults()
    stripe_client.use(settings)


@dataclass
class Program:
    """A program that talks to the API with a token."""

    client: FlaskClient
    token: str

    def send(self, method: str, path: str, expected: int, **more: Any) -> Any:
        """Call, expect a status, and give the JSON of the answer (or its text)."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        answer: TestResponse = self.client.open(
            f"/api/v1{path}", method=method, headers=headers, **more
        )
        assert expected == answer.status_code, answer.get_data(as_text=True)
        return answer.get_json() if answer.is_json else answer.get_data()

    def get(self, path: str, expected: int = 200, **more: Any) -> Any:
        """GET."""
        return self.send("GET", path, expected, **more)

    def post(self, path: str, expected: int = 200, **more: Any) -> Any:
        """POST."""
        return self.send("POST", path, expected, **more)


@pytest.fixture
def program(app: Flask, session: Session, redis: Redis) -> Callable[[Actor], Program]:
    """Makes programs that hold a token of an actor."""

    def make(actor: Actor) -> Program:
        _, plain = identity.create_token(session, actor, name="journey")
        session.flush()
        return Program(app.test_client(), plain)

    return make
