"""The application over the test's own session, and browsers that are signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.factory import create_app
from marketplace.settings import Settings
from marketplace.web.visitors import COOKIE
from tests.make import identity

Browser = Callable[[Actor], FlaskClient]


@pytest.fixture(scope="session")
def app(settings: Settings, database: Engine) -> Flask:
    """The application; form tokens are tested by the house."""
    made = create_app(settings)
    made.config["WTF_CSRF_ENABLED"] = False
    return made


@pytest.fixture
def browser(app: Flask, session: Session) -> Browser:
    """A browser in which an actor is signed in."""

    def signed_in(actor: Actor) -> FlaskClient:
        client = app.test_client()
        client.set_cookie(COOKIE, identity.cookie(session, actor))
        return client

    return signed_in


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session, name="Northlight")


@pytest.fixture
def client(browser: Browser, lab: Actor) -> FlaskClient:
    """The browser of the lab's owner."""
    return browser(lab)
