"""Browsers by their names, and forms that are filled again."""

from __future__ import annotations

import pytest
from flask import Flask

from marketplace.web.forms import typed
from marketplace.web.wording import browser_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/1",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0", "Firefox on Android"),
        ("curl/8.5.0", "curl"),
        ("<script>", "Unknown browser"),
        ("", "Unknown browser"),
        (None, "Unknown browser"),
    ],
)
def test_browsers_have_the_names_their_owners_use(sent: str | None, name: str) -> None:
    assert name == browser_name(sent)


def test_what_was_typed_comes_back_without_secrets_and_nul() -> None:
    sent = {"name": "Ada\0 Byron", "tags": ["a\0", "b"], "password": "secret words"}
    with Flask(__name__).test_request_context("/", method="POST", data=sent):
        assert {"name": "Ada Byron", "tags": ["a", "b"]} == typed()
