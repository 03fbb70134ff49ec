"""Who is here: a browser by its cookie, a program by its bearer token, never one for the other.

Under /api/v1 only bearer tokens count, so no other site can make a browser act there; everywhere
else only the cookie counts, and forms carry a token. The workbench calls ordinary routes under
/workbench with the header X-CSRFToken.
"""

from __future__ import annotations

from flask import Flask, Request, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.wrappers import Response

from marketplace import limits
from marketplace.db import lookup, transaction
from marketplace.identity import service
from marketplace.identity.queries import Visitor
from marketplace.settings import Settings
from marketplace.web.errors import API_PREFIX

COOKIE = "marketplace_sign_in"
BEARER = "bearer "
METRICS = "health.metrics"


class Signed(UserMixin):  # type: ignore[misc]
    """Flask-Login's view of a visitor."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.id = str(visitor.person_id)


class PageSessions(SecureCookieSessionInterface):
    """What pages keep in a cookie between forms; programs have no part in it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The cookie's content, and nothing that could be written to elsewhere."""
        if request.path.startswith(API_PREFIX + "/"):
            return None
        return super().open_session(app, request)


def register(app: Flask) -> None:
    """Find out who is here before each request."""
    app.session_interface = PageSessions()
    login = LoginManager(app)
    login.session_protection = None
    login.request_loader(_load)

    @app.before_request
    def recognise() -> None:
        if request.endpoint == "static":
            return
        # A program is asked for each call who it is; what browsers need besides is none of its.
        program = request.path.startswith(API_PREFIX + "/")
        signed = _by_token(request) if program else current_user._get_current_object()
        g.visitor = signed.visitor if isinstance(signed, Signed) else None
        if g.visitor is not None:
            g.reader_zone = g.visitor.timezone


def _load(asked: Request) -> Signed | None:
    if asked.endpoint == METRICS:
        return _by_token(asked)
    token = asked.cookies.get(COOKIE)
    if not token:
        return None
    with transaction() as session:
        found = service.visitor_of_sign_in(session, token)
    return Signed(found) if found else None


def _by_token(asked: Request) -> Signed | None:
    header = asked.headers.get("Authorization", "")
    if not header.lower().startswith(BEARER):
        return None
    with lookup() as session:
        found, token_id = service.visitor_of_token(session, header[len(BEARER) :].strip())
    g.token_id = token_id
    limits.current().hit(limits.API, str(token_id))
    return Signed(found)


def set_cookie(answer: Response, settings: Settings, token: str) -> None:
    """Let the browser keep its sign-in; the rows decide how long that is good for."""
    answer.set_cookie(
        COOKIE,
        token,
        max_age=30 * 86_400,
        secure=settings.public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(answer: Response) -> None:
    """Let the browser forget its sign-in."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="Lax")


def cookie_token() -> str:
    """The token in this browser's cookie, or an empty text."""
    return request.cookies.get(COOKIE, "")
