"""The Stripe sandbox, served once, and empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe as sdk
from sqlalchemy import Engine

from marketplace import stripe_client
from marketplace.embedded import Stack
from marketplace.settings import Settings
from tests.make.billing import Stripe, stripe_sandbox


@pytest.fixture(scope="package")
def served_stripe(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def stripe(
    served_stripe: Stripe,
    database: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to; the SDK's own retries do not wait."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    served_stripe.empty()
    yield served_stripe
    served_stripe.controls.clear_faults()
    stripe_client.use(settings)
