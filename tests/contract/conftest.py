"""The document as schemathesis reads it, over the application of all tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import schemathesis
import stripe as sdk
from flask import Flask
from schemathesis.core.result import Ok
from sqlalchemy.orm import Session

from marketplace import stripe_client
from marketplace.embedded import Stack
from marketplace.settings import Settings
from marketplace.web.errors import API_PREFIX
from tests.contract.caller import Operation
from tests.make.billing import Stripe, stripe_sandbox


@pytest.fixture(scope="session")
def operations(app: Flask) -> Sequence[Operation]:
    """All operations of the document that the application serves."""
    schema = schemathesis.openapi.from_wsgi(f"{API_PREFIX}/openapi.json", app)
    # Values out of our source would change the calls with every line that anybody writes.
    schema.config.analysis.constants.enabled = False
    found = list(schema.get_all_operations())
    assert all(isinstance(each, Ok) for each in found), "The document has a faulty operation."
    return [each.ok() for each in found if isinstance(each, Ok)]


@pytest.fixture
def stripe(
    stack: Stack, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    with stripe_sandbox(stack) as served:
        served.empty()
        yield served
    stripe_client.use(settings)
