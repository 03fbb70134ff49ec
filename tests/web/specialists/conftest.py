"""A doctor, and the browser in which they are signed in; a sandbox of Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import stripe as sdk
from sqlalchemy.orm import Session

from marketplace import stripe_client
from marketplace.actor import Actor
from marketplace.embedded import Stack
from marketplace.settings import Settings
from tests.make import identity, specialists
from tests.make.billing import Stripe, stripe_sandbox
from tests.web.conftest import Browser


@pytest.fixture
def doctor(session: Session) -> Actor:
    """A specialist with a profile and a verified licence in cardiology."""
    return specialists.doctor(session)


@pytest.fixture
def desk(browse: Callable[[], Browser], session: Session, doctor: Actor) -> Browser:
    """The doctor's browser."""
    return browse().sign_in(session, doctor)


@pytest.fixture
def newcomer(browse: Callable[[], Browser], session: Session) -> Browser:
    """The browser of a specialist who has done nothing yet."""
    return browse().sign_in(session, identity.specialist(session, name="Dr. New"))


@pytest.fixture(scope="package")
def served_stripe(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def stripe(
    served_stripe: Stripe, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to; the SDK's own retries do not wait."""
    del session  # The product is set up before it is pointed at this sandbox.
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    served_stripe.empty()
    yield served_stripe
    served_stripe.controls.clear_faults()
    stripe_client.use(settings)
