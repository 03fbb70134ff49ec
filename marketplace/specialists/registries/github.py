"""GitHub: people allow it to tell us who they are there (OAuth with state and PKCE)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from marketplace import http_client
from marketplace.errors import GatewayError, Refused
from marketplace.http_client import Answer
from marketplace.settings import Settings

PUBLIC = frozenset({"https://github.com", "https://api.github.com"})
JSON = {"Accept": "application/json", "User-Agent": "marketplace"}
# What the account shows to everyone; no scope is asked for, so a token reads nothing else.
QUESTION = """query { viewer {
  databaseId
  pullRequests(states: MERGED) { totalCount }
  repositories(ownerAffiliations: OWNER, isFork: false) { totalCount }
  followers { totalCount }
  contributionsCollection { contributionCalendar { totalContributions } }
} }"""


class GithubSaidNo(Refused):
    """GitHub understood and refused: the code was used before, too old, or not ours."""

    code = "github_said_no"


class GithubAway(GatewayError):
    """GitHub gave no answer that says anything."""


@dataclass(frozen=True, slots=True)
class GithubAccount:
    """The account that a token speaks for. numbers: signals, which anyone can inflate."""

    account_id: int
    login: str
    created_at: datetime
    numbers: Mapping[str, int]


def is_set_up(settings: Settings) -> bool:
    """Whether this installation has an application at GitHub."""
    return bool(settings.github_client_id and settings.github_client_secret)


def authorize_url(settings: Settings, *, state: str, verifier: str, redirect_uri: str) -> str:
    """Where a person allows GitHub to name them. verifier: the secret behind the PKCE challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "client_id": settings.github_client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": "",
        "allow_signup": "false",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{settings.github_oauth_base}/login/oauth/authorize?{urlencode(asked)}"


def account_behind(
    settings: Settings, *, code: str, verifier: str, redirect_uri: str
) -> GithubAccount:
    """The account of whoever got this code; the token is used for two questions and forgotten.

    Raises GithubSaidNo for a code that does not count, GithubAway without an answer.
    """
    token = _token(settings, code, verifier, redirect_uri)
    headers = {**JSON, "Authorization": f"Bearer {token}"}
    base = settings.github_api_base
    person = _read(http_client.get(f"{base}/user", headers, allow_private=_private(base)))
    question = json.dumps({"query": QUESTION}).encode()
    sent = {**headers, "Content-Type": "application/json"}
    said = _read(http_client.post(f"{base}/graphql", question, sent, allow_private=_private(base)))
    try:
        viewer = said["data"]["viewer"]
        if viewer["databaseId"] != person["id"]:
            raise GithubAway("GitHub's two answers are about two accounts.")
        return GithubAccount(
            account_id=int(person["id"]),
            login=str(person["login"]),
            created_at=datetime.fromisoformat(person["created_at"]),
            numbers={
                "merged_pull_requests": int(viewer["pullRequests"]["totalCount"]),
                "repositories": int(viewer["repositories"]["totalCount"]),
                "followers": int(viewer["followers"]["totalCount"]),
                "contributions_year": int(
                    viewer["contributionsCollection"]["contributionCalendar"]["totalContributions"]
                ),
            },
        )
    except (KeyError, TypeError, ValueError):
        raise GithubAway("GitHub's answer has another shape than known.") from None


def _token(settings: Settings, code: str, verifier: str, redirect_uri: str) -> str:
    form = {
        "client_id": settings.github_client_id,
        "client_secret": settings.github_client_secret,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    base = settings.github_oauth_base
    headers = {**JSON, "Content-Type": "application/x-www-form-urlencoded"}
    answer = http_client.post(
        f"{base}/login/oauth/access_token",
        urlencode(form).encode(),
        headers,
        allow_private=_private(base),
    )
    said = _read(answer)
    # A refusal comes with status 200.
    if "error" in said:
        raise GithubSaidNo("GitHub did not confirm it. Start again from here.")
    token = said.get("access_token")
    if not isinstance(token, str) or not token:
        raise GithubAway("GitHub's answer has another shape than known.")
    return token


def _private(base: str) -> bool:
    """An address that the operator set may be a sandbox or a server of their own."""
    return base not in PUBLIC


def _read(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise GithubAway(f"GitHub answered {answer.status}.")
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise GithubAway("GitHub's answer is not JSON.") from None
    if not isinstance(body, dict):
        raise GithubAway("GitHub's answer has another shape than known.")
    return body
