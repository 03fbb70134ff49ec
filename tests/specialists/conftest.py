"""The outside services that verifiers ask, served once, and empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe as sdk
from sqlalchemy import Engine

from marketplace.embedded import Stack
from marketplace.settings import Settings
from tests.make import outside
from tests.make.billing import Stripe, stripe_sandbox


@pytest.fixture(scope="package")
def served_outside(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def world(
    served_outside: Stripe,
    database: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stripe]:
    """An empty sandbox that the product asks; the SDK's own retries do not wait."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    with outside.asked(settings, served_outside) as served:
        yield served
