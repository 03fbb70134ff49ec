"""GitHub as its OAuth and two of its questions answer: invented accounts, chosen on the page.

The page asks which account allows it; its age and numbers follow from its name, so that the same
name is always the same account. Codes count once, for ten minutes, with PKCE as GitHub checks it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, request
from psycopg import sql

from marketplace.sandbox.addresses import GITHUB, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET
from marketplace.sandbox.pages import Page, fault_page, page
from marketplace.sandbox.store import Body, Store

CODE, TOKEN = "github.code", "github.token"
CODE_SECONDS = 600
TOKEN_SECONDS = 28_800
LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
BORN = datetime(2012, 1, 1, tzinfo=UTC)


def blueprint(store: Store) -> Blueprint:
    """GitHub's pages and API in one sandbox, all below /github."""
    views = Github(store)
    routes = Blueprint("github", __name__, url_prefix=GITHUB)
    authorize = "/login/oauth/authorize"
    routes.add_url_rule(authorize, view_func=views.ask)
    routes.add_url_rule(authorize, view_func=views.allow, methods=["POST"])
    routes.add_url_rule("/login/oauth/access_token", view_func=views.token, methods=["POST"])
    routes.add_url_rule("/api/user", view_func=views.user)
    routes.add_url_rule("/api/graphql", view_func=views.graphql, methods=["POST"])
    return routes


def account(login: str) -> dict[str, Any]:
    """An account by its name: id, age and numbers, always the same ones."""
    digest = hashlib.sha256(login.lower().encode()).digest()
    return {
        "id": int.from_bytes(digest[:4], "big"),
        "login": login,
        "created_at": BORN + timedelta(days=int.from_bytes(digest[4:6], "big") % 4_000),
        "merged": digest[6] * 3,
        "repositories": digest[7] % 60,
        "followers": digest[8] * 2,
        "contributions": digest[9] * 9,
    }


class Github:
    """The views."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self) -> Page:
        """The page that asks who allows it."""
        return _asking() if _asked_well() else fault_page(400)

    def allow(self) -> Page:
        """Lead back with a code, or with the refusal."""
        if not _asked_well():
            return fault_page(400)
        state = request.args.get("state", "")
        if request.form.get("action") != "allow":
            return _back({"error": "access_denied", "state": state})
        login = request.form.get("login", "").strip()
        if not LOGIN.fullmatch(login):
            return _asking(
                fault="Write the name of an account: letters, digits and hyphens.", status=422
            )
        code = secrets.token_urlsafe(15)
        facts = {
            "login": login,
            "redirect_uri": request.args["redirect_uri"],
            "challenge": request.args["code_challenge"],
        }
        self._keep(CODE, code, facts)
        return _back({"code": code, "state": state})

    def token(self) -> Response:
        """A token for a code that counts; a refusal comes with status 200, as at GitHub."""
        form = request.form
        if not _same(form.get("client_id"), GITHUB_CLIENT_ID) or not _same(
            form.get("client_secret"), GITHUB_CLIENT_SECRET
        ):
            return _refusal("incorrect_client_credentials")
        facts = self._take(CODE, form.get("code", ""), CODE_SECONDS, used_up=True)
        if facts is None:
            return _refusal("bad_verification_code")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if facts["redirect_uri"] != form.get("redirect_uri"):
            return _refusal("redirect_uri_mismatch")
        if not hmac.compare_digest(challenge, facts["challenge"]):
            return _refusal("bad_verification_code")
        token = f"gho_{secrets.token_urlsafe(24)}"
        self._keep(TOKEN, token, {"login": facts["login"]})
        return jsonify({"access_token": token, "token_type": "bearer", "scope": ""})

    def user(self) -> tuple[Response, int] | Response:
        """GET /user"""
        found = self._whose()
        if found is None:
            return jsonify(message="Bad credentials"), 401
        created = found["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return jsonify(
            id=found["id"], login=found["login"], type="User", name=None, created_at=created
        )

    def graphql(self) -> tuple[Response, int] | Response:
        """POST /graphql: the viewer's public numbers, and no other question."""
        found = self._whose()
        if found is None:
            return jsonify(message="Bad credentials"), 401
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or "viewer" not in str(body.get("query")):
            return jsonify(errors=[{"message": "This sandbox answers about the viewer only."}])
        viewer = {
            "databaseId": found["id"],
            "pullRequests": {"totalCount": found["merged"]},
            "repositories": {"totalCount": found["repositories"]},
            "followers": {"totalCount": found["followers"]},
            "contributionsCollection": {
                "contributionCalendar": {"totalContributions": found["contributions"]}
            },
        }
        return jsonify(data={"viewer": viewer})

    def _whose(self) -> dict[str, Any] | None:
        given = request.authorization.token if request.authorization else None
        facts = self._take(TOKEN, given or "", TOKEN_SECONDS, used_up=False)
        return account(facts["login"]) if facts else None

    def _keep(self, kind: str, secret: str, facts: dict[str, str]) -> None:
        with self._store.transaction() as tx:
            tx.insert({"id": f"{kind}:{secret}", "object": kind, "created": tx.now, **facts})

    def _take(self, kind: str, secret: str, seconds: int, *, used_up: bool) -> Body | None:
        with self._store.transaction() as tx:
            found = tx.find(kind, f"{kind}:{secret}", lock=True)
            if found is not None and used_up:
                tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE id = %s"), (found["id"],))
            return found if found and found["created"] + seconds >= tx.now else None


def _same(given: str | None, wanted: str) -> bool:
    return hmac.compare_digest((given or "").encode(), wanted.encode())


def _refusal(code: str) -> Response:
    return jsonify(error=code, error_description="The code or the application is not known.")


def _asked_well() -> bool:
    asked = request.args
    return (
        asked.get("client_id") == GITHUB_CLIENT_ID
        and urlsplit(asked.get("redirect_uri", "")).scheme in {"http", "https"}
        and asked.get("code_challenge_method") == "S256"
        and bool(asked.get("code_challenge"))
        and bool(asked.get("state"))
    )


def _asking(*, fault: str | None = None, status: int = 200) -> Page:
    leads_to = request.args["redirect_uri"]
    return page("github", status=status, leads_to=leads_to, fault=fault, filled=request.form)


def _back(facts: dict[str, str]) -> Page:
    return redirect(f"{request.args['redirect_uri']}?{urlencode(facts)}", code=303)
