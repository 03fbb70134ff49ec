"""The Stripe sandbox, served once, and empty for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import stripe as sdk
from sqlalchemy import Engine

from marketplace import settings as settings_module
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


@pytest.fixture
def irish(settings: Settings, database: Engine) -> Iterator[None]:
    """The seller is registered in Ireland and has an account in euros."""
    settings_module.use(
        replace(
            settings,
            seller_name="Expert Judgements Ltd",
            seller_address="1 Quay;Dublin 2",
            seller_country="IE",
            seller_tax_id="IE1234567T",
            bank_accounts=(("USD", (("Account number", "0002"),)), ("EUR", (("IBAN", "IE29"),))),
        )
    )
    yield
    settings_module.use(settings)
