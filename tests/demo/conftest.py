"""A sandbox that the demonstration pays with, and the product over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis
from sqlalchemy import Engine

from marketplace import settings as settings_here
from marketplace import stripe_client
from marketplace.embedded import Stack
from marketplace.sandbox import addresses
from marketplace.settings import Settings
from tests.make.billing import Stripe, stripe_sandbox


@pytest.fixture(scope="package")
def served_stripe(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def paid_world(
    committed: Engine, redis: Redis, served_stripe: Stripe, settings: Settings
) -> Iterator[Stripe]:
    """An empty database and an empty sandbox, which all of the product talks to."""
    served_stripe.empty()
    here = served_stripe.address
    settings_here.use(
        replace(
            settings,
            stripe_api_base=here,
            model_sandbox_base=f"{here}{addresses.MODEL}",
            webhook_sandbox_base=f"{here}{addresses.HOOKS}",
            nppes_api_base=f"{here}{addresses.NPPES}",
            github_client_id=addresses.GITHUB_CLIENT_ID,
            github_client_secret=addresses.GITHUB_CLIENT_SECRET,
            github_oauth_base=f"{here}{addresses.GITHUB}",
            github_api_base=f"{here}{addresses.GITHUB_API}",
        )
    )
    yield served_stripe
    settings_here.use(settings)
    stripe_client.use(settings)
