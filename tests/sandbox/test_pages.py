"""The sandbox's pages: labelled, closed to other sites, and honest about what is not there."""

from __future__ import annotations

import html5lib
import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient


def test_every_page_says_that_it_is_a_sandbox_and_is_valid_html(
    sandbox: str, sdk: stripe.StripeClient
) -> None:
    for path in ("/", "/mailbox", "/nothing", "/checkout/pay/cs_none", "/onboarding/alink_none"):
        answer = httpx.get(f"{sandbox}{path}")
        html5lib.HTMLParser(strict=True).parse(answer.text)
        policy = answer.headers["Content-Security-Policy"]

        assert "Sandbox: no real money moves here." in answer.text
        assert answer.text.count("<h1>") == 1
        assert "default-src 'none'; style-src 'self'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/checkout/pay/cs_none", "/onboarding/alink_none", "/express/x"])
def test_an_unknown_address_is_a_plain_404(sandbox: str, path: str) -> None:
    assert httpx.get(f"{sandbox}{path}").status_code == 404


def test_the_clock_goes_on_by_a_button_of_this_page_only(
    sandbox: str, controls: ControlClient
) -> None:
    before = controls.now()

    ours = httpx.post(f"{sandbox}/clock", data={"step": "day"}, headers={"Origin": sandbox})
    elsewhere = httpx.post(
        f"{sandbox}/clock", data={"step": "day"}, headers={"Origin": "http://evil.test"}
    )
    unknown = httpx.post(f"{sandbox}/clock", data={"step": "century"})

    assert (303, 403, 400) == (ours.status_code, elsewhere.status_code, unknown.status_code)
    assert 86_400 <= controls.now() - before < 86_410


def test_the_front_page_shows_balance_and_events(sandbox: str, sdk: stripe.StripeClient) -> None:
    sdk.v1.payment_intents.create(
        {
            "amount": 10_000,
            "currency": "usd",
            "payment_method": "pm_card_bypassPending",
            "confirm": True,
        }
    )

    page = httpx.get(sandbox).text

    assert "$96.80" in page
    assert "charge.updated" in page


def test_the_stylesheet_is_served(sandbox: str) -> None:
    answer = httpx.get(f"{sandbox}/sandbox/static/sandbox.css")

    assert (200, "text/css; charset=utf-8") == (
        answer.status_code,
        answer.headers["Content-Type"],
    )
