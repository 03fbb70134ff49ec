"""Finance's people with their browsers, specialists to pay, and a served Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyotp
import pytest
import stripe as sdk
from sqlalchemy.orm import Session

from marketplace import clock, stripe_client
from marketplace.embedded import Stack
from marketplace.identity import service as identity
from marketplace.identity.rules import Role
from marketplace.settings import Settings
from tests.make import identity as make
from tests.make.billing import Stripe, stripe_sandbox
from tests.make.payouts import Officer
from tests.web.conftest import Browser


@dataclass
class Desk(Officer):
    """Somebody in finance, at a browser."""

    browser: Browser


Hire = Callable[..., Desk]


@pytest.fixture
def hire(browse: Callable[[], Browser], session: Session) -> Hire:
    """Makes people of finance, signed in; with a second factor unless said otherwise."""

    def hired(*roles: Role, name: str = "Somebody", factor: bool = True) -> Desk:
        actor = make.staff(session, *roles, name=name)
        browser = browse().sign_in(session, actor)
        secret = ""
        if factor:
            # After the sign-in, which would otherwise ask for a code.
            secret, _ = identity.start_totp(session, actor)
            identity.confirm_totp(session, actor, pyotp.TOTP(secret).at(clock.now()))
            session.flush()  # Other transactions of the test must see it.
        return Desk(actor, secret, browser)

    return hired


@pytest.fixture(scope="package")
def served_stripe(stack: Stack) -> Iterator[Stripe]:
    """A sandbox of our own."""
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def stripe(
    served_stripe: Stripe, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """An empty sandbox that the product talks to."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    served_stripe.empty()
    yield served_stripe
    served_stripe.controls.clear_faults()
    stripe_client.use(settings)


@pytest.fixture
def preparer(hire: Hire) -> Desk:
    """Prepares."""
    return hire(Role.PREPARER, name="Pia Preparer")


@pytest.fixture
def approver(hire: Hire) -> Desk:
    """Approves, with a second factor."""
    return hire(Role.APPROVER, name="Abe Approver")


@pytest.fixture
def auditor(hire: Hire) -> Desk:
    """Sees all, changes nothing."""
    return hire(Role.AUDITOR, name="Ann Auditor", factor=False)
