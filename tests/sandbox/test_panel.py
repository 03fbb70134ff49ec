"""The control panel: what a person may do to money with buttons, from this page only."""

from __future__ import annotations

from collections.abc import Callable

import html5lib
import httpx
import stripe

from marketplace.sandbox.control_client import ControlClient

DAY = 86_400


def press(sandbox: str, verb: str, origin: str = "", **fields: str) -> httpx.Response:
    return httpx.post(
        f"{sandbox}/sandbox",
        data={"verb": verb, **fields},
        headers={"Origin": origin or sandbox},
        follow_redirects=True,
    )


def test_a_person_plays_stripe_the_cards_and_the_banks(
    *,
    sandbox: str,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    fund: Callable[..., stripe.PaymentIntent],
    payee: Callable[[], str],
) -> None:
    charge = str(fund(100_000).latest_charge)
    account = payee()
    sdk.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account})
    controls.advance(2 * DAY)
    (payout,) = sdk.v1.payouts.list({}, {"stripe_account": account}).data

    pages = [
        press(sandbox, "fail_payout", id=payout.id, account=account),
        press(sandbox, "restrict", id=account),
        press(sandbox, "dispute", id=charge),
        press(sandbox, "arm_webhooks", kind="drop", count="3"),
        press(sandbox, "arm_calls", kind="rate_limit", path="/v1/transfers", count="1"),
        press(sandbox, "wire", amount="1,250.00", currency="USD", account="client_funds"),
        press(sandbox, "charge_fee", amount="2.50", currency="usd"),
        press(sandbox, "advance", step="day"),
    ]
    (dispute,) = sdk.v1.disputes.list().data
    pages.append(press(sandbox, "decide", id=dispute.id, outcome="won"))
    statement = httpx.get(
        f"{sandbox}/sandbox/statement",
        params={"kind": "csv", "account": "client_funds", "currency": "usd"},
    )

    assert [200] * len(pages) == [page.status_code for page in pages]
    for page in pages:
        html5lib.HTMLParser(strict=True).parse(page.text)
    assert "3 left" in pages[3].text
    assert "$1,250.00" in pages[-1].text
    assert sdk.v1.disputes.retrieve(dispute.id).status == "won"
    assert sdk.v1.accounts.retrieve(account).requirements.disabled_reason == "platform_paused"  # type: ignore[union-attr]
    assert "1250.00" in statement.text


def test_a_refusal_is_said_on_the_page_and_other_sites_are_refused(sandbox: str) -> None:
    odd = press(sandbox, "wire", amount="1.001", currency="USD", account="client_funds")
    wrong = press(sandbox, "dispute", id="ch_none")
    elsewhere = press(sandbox, "calm", origin="http://evil.test")

    assert (422, 422, 403) == (odd.status_code, wrong.status_code, elsewhere.status_code)
    assert "USD has 2 decimal places." in odd.text
    assert press(sandbox, "unheard-of").status_code == 400
