"""The application over the test servers, and browsers and programs that talk to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import Actor
from marketplace.web.visitors import COOKIE
from tests.make import identity as make

_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """A browser: keeps cookies, and sends forms with the token that the page carries."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, fields: Mapping[str, object] | None = None) -> TestResponse:
        """Send a form with the token of a page that everyone can open."""
        return self.client.post(path, data={"csrf_token": self.form_token(), **(fields or {})})

    def form_token(self) -> str:
        """The token of this browser's forms."""
        page = self.client.get("/reset-password").get_data(as_text=True)
        found = _FORM_TOKEN.search(page)
        assert found is not None, "The page carries no form token."
        return found[1]

    def sign_in(self, session: Session, actor: Actor) -> Browser:
        """Be signed in as the actor, in the organisation acted for."""
        self.client.set_cookie(COOKIE, make.cookie(session, actor))
        return self


@pytest.fixture
def browse(app: Flask, session: Session, redis: Redis) -> Callable[[], Browser]:
    """Makes new browsers; rate limits start empty."""
    return lambda: Browser(app.test_client())


@pytest.fixture
def browser(browse: Callable[[], Browser]) -> Browser:
    """A new browser."""
    return browse()
