"""The Stripe sandbox, served once, and empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
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
def stripe(served_stripe: Stripe, committed: Engine, settings: Settings) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to, beside a database that really commits."""
    served_stripe.empty()
    yield served_stripe
    served_stripe.controls.clear_faults()
    stripe_client.use(settings)
