"""GitHub's OAuth: a code counts once, for who has the secret behind the challenge."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from marketplace.sandbox.addresses import GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET

BACK = "http://localhost:8000/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
ASKED = {
    "client_id": GITHUB_CLIENT_ID,
    "redirect_uri": BACK,
    "state": "the-state",
    "code_challenge": CHALLENGE.decode(),
    "code_challenge_method": "S256",
}


def allow(sandbox: str, **form: str) -> dict[str, list[str]]:
    address = f"{sandbox}/github/login/oauth/authorize"
    answer = httpx.post(address, params=ASKED, data=form)
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def token(sandbox: str, code: str, **changed: str) -> dict[str, Any]:
    form = {
        "client_id": GITHUB_CLIENT_ID,
        "client_secret": GITHUB_CLIENT_SECRET,
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    address = f"{sandbox}/github/login/oauth/access_token"
    return dict(httpx.post(address, data={**form, **changed}).json())


def test_a_token_tells_who_allowed_it(sandbox: str) -> None:
    said = allow(sandbox, login="Isolde-Q", action="allow")
    bearer = {"Authorization": f"Bearer {token(sandbox, said['code'][0])['access_token']}"}

    person = httpx.get(f"{sandbox}/github/api/user", headers=bearer).json()
    asked = {"query": "query { viewer { databaseId } }"}
    viewer = httpx.post(f"{sandbox}/github/api/graphql", headers=bearer, json=asked).json()

    assert (["the-state"], "Isolde-Q") == (said["state"], person["login"])
    assert person["id"] == viewer["data"]["viewer"]["databaseId"]
    assert 401 == httpx.get(f"{sandbox}/github/api/user").status_code


def test_a_code_counts_once(sandbox: str) -> None:
    code = allow(sandbox, login="isolde", action="allow")["code"][0]

    assert "access_token" in token(sandbox, code)
    assert "bad_verification_code" == token(sandbox, code)["error"]


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("client_secret", "incorrect_client_credentials"),
        ("code_verifier", "bad_verification_code"),
        ("redirect_uri", "redirect_uri_mismatch"),
    ],
)
def test_a_code_in_other_hands_is_worth_nothing(sandbox: str, field: str, error: str) -> None:
    code = allow(sandbox, login="isolde", action="allow")["code"][0]

    assert error == token(sandbox, code, **{field: "other"})["error"]


def test_one_may_refuse_and_must_be_asked_well(sandbox: str) -> None:
    address = f"{sandbox}/github/login/oauth/authorize"

    assert ["access_denied"] == allow(sandbox, action="cancel")["error"]
    assert 200 == httpx.get(address, params=ASKED).status_code
    assert 400 == httpx.get(address, params={**ASKED, "code_challenge": ""}).status_code
    assert 422 == httpx.post(address, params=ASKED, data={"action": "allow"}).status_code
