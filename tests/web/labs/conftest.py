"""A lab, and browsers that see what the test has built so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import Actor
from tests.make import identity
from tests.web.conftest import Browser


class Watching(Browser):
    """A browser that sends what the test has built to the database before it asks."""

    def __init__(self, client: FlaskClient, session: Session) -> None:
        super().__init__(client)
        self.session = session

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        self.session.flush()
        return super().get(path, **headers)

    def post(self, path: str, fields: Mapping[str, object] | None = None) -> TestResponse:
        """Send a form."""
        self.session.flush()
        return super().post(path, fields)


@pytest.fixture
def browse(app: Flask, session: Session, redis: Redis) -> Callable[[], Browser]:
    """Makes new browsers; rate limits start empty."""
    return lambda: Watching(app.test_client(), session)


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session, name="Northlight")


@pytest.fixture
def owner(browse: Callable[[], Browser], session: Session, lab: Actor) -> Browser:
    """The browser of the lab's owner."""
    return browse().sign_in(session, lab)
