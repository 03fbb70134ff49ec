"""Connected accounts: created, onboarded on a page, separated from each other, paid out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener

FILLED = {
    "first_name": "Ada",
    "last_name": "Rowe",
    "routing_number": "110000000",
    "account_number": "000123456789",
    "terms": "yes",
}


def start(sdk: stripe.StripeClient) -> tuple[str, str]:
    account = sdk.v1.accounts.create(
        {
            "country": "DE",
            "email": "doctor@demo.test",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"person": "P1"},
        }
    )
    link = sdk.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": "http://localhost:8000/again",
            "return_url": "http://localhost:8000/back",
        }
    )
    return account.id, link.url


def test_onboarding_enables_pay(sdk: stripe.StripeClient, listening: Listener) -> None:
    account_id, url = start(sdk)
    before = sdk.v1.accounts.retrieve(account_id)

    shown = httpx.get(url)
    answer = httpx.post(url, data={**FILLED, "outcome": "verified"})

    after = sdk.v1.accounts.retrieve(account_id)
    assert ("inactive", False, "eur") == (
        before.to_dict()["capabilities"]["transfers"],
        before.details_submitted,
        before.default_currency,
    )
    assert "requirements.past_due" == before.to_dict()["requirements"]["disabled_reason"]
    assert (200, 303, "http://localhost:8000/back") == (
        shown.status_code,
        answer.status_code,
        answer.headers["Location"],
    )
    assert ("active", True, True) == (
        after.to_dict()["capabilities"]["transfers"],
        after.details_submitted,
        after.payouts_enabled,
    )
    assert after.external_accounts is not None
    assert ["6789"] == [bank.last4 for bank in after.external_accounts.data]
    assert listening.wait_for("account.updated")["account"] == account_id


def test_leaving_the_page_is_not_being_onboarded(sdk: stripe.StripeClient) -> None:
    account_id, url = start(sdk)
    httpx.get(url)

    answer = httpx.post(url, data={"action": "later"})

    assert answer.headers["Location"] == "http://localhost:8000/back"
    assert sdk.v1.accounts.retrieve(account_id).details_submitted is False


def test_a_link_works_once_and_not_for_long(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    _, used = start(sdk)
    httpx.post(used, data={**FILLED, "outcome": "verified"})
    _, old = start(sdk)
    controls.advance(301)

    for url in (used, old):
        assert httpx.get(url).headers["Location"] == "http://localhost:8000/again"
        assert httpx.post(url, data=FILLED).headers["Location"] == "http://localhost:8000/again"


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("first_name", "first and a last name"), ("terms", "Accept the terms")],
)
def test_a_form_with_a_gap_says_what_to_do_and_keeps_the_rest(
    sdk: stripe.StripeClient, missing: str, sentence: str
) -> None:
    _, url = start(sdk)

    answer = httpx.post(url, data={**FILLED, missing: ""})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Rowe"' in answer.text


def test_a_pending_verification_passes_after_an_hour(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    account_id, url = start(sdk)
    httpx.post(url, data={**FILLED, "outcome": "pending"})
    waiting = sdk.v1.accounts.retrieve(account_id).to_dict()

    controls.advance(3_600)

    assert ("pending", "requirements.pending_verification") == (
        waiting["capabilities"]["transfers"],
        waiting["requirements"]["disabled_reason"],
    )
    after = sdk.v1.accounts.retrieve(account_id).to_dict()
    assert after["capabilities"]["transfers"] == "active"


def test_a_rejected_account_stays_inactive(sdk: stripe.StripeClient) -> None:
    account_id, url = start(sdk)

    httpx.post(url, data={**FILLED, "outcome": "restricted"})

    account = sdk.v1.accounts.retrieve(account_id).to_dict()
    assert ("inactive", "rejected.other", False) == (
        account["capabilities"]["transfers"],
        account["requirements"]["disabled_reason"],
        account["payouts_enabled"],
    )


def test_money_on_an_account_is_paid_out_next_day_and_may_come_back(
    sdk: stripe.StripeClient,
    controls: ControlClient,
    listening: Listener,
    fund: Callable[..., Any],
    payee: Callable[[], str],
) -> None:
    fund(10_000)
    account = payee()
    there: Any = {"stripe_account": account}
    sdk.v1.transfers.create({"amount": 4_000, "currency": "usd", "destination": account})

    controls.advance(86_400)
    sent = sdk.v1.payouts.list({}, there).data[0]
    controls.advance(86_400)
    paid = sdk.v1.payouts.retrieve(sent.id, {}, there)
    inside = sdk.v1.balance_transactions.list({"payout": sent.id}, there).data
    controls.fail_payout(sent.id, account=account)

    failed = sdk.v1.payouts.retrieve(sent.id, {}, there)
    assert ("in_transit", 4_000, True) == (sent.status, sent.amount, sent.automatic)
    assert ("paid", "completed") == (paid.status, paid.reconciliation_status)
    assert {("payment", 4_000), ("payout", -4_000)} == {(bt.type, bt.amount) for bt in inside}
    assert ("failed", "account_closed") == (failed.status, failed.failure_code)
    back = sdk.v1.balance_transactions.retrieve(str(failed.failure_balance_transaction), {}, there)
    assert ("payout_failure", 4_000) == (back.type, back.amount)
    assert listening.wait_for("payout.failed")["account"] == account


def test_accounts_do_not_see_each_other_or_the_platform(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    first, second = payee(), payee()
    transfer = sdk.v1.transfers.create({"amount": 100, "currency": "usd", "destination": first})

    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.transfers.retrieve(transfer.id, {}, {"stripe_account": second})
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.accounts.retrieve(first, {}, {"stripe_account": second})
    with pytest.raises(stripe.PermissionError) as stranger:
        sdk.v1.balance.retrieve({}, {"stripe_account": "acct_none"})

    assert stranger.value.error is not None
    assert stranger.value.error.code == "account_invalid"
    assert sdk.v1.charges.list({}, {"stripe_account": second}).data == []


def test_an_account_with_money_is_not_deleted(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    rich, poor = payee(), payee()
    sdk.v1.transfers.create({"amount": 100, "currency": "usd", "destination": rich})

    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.accounts.delete(rich)

    assert sdk.v1.accounts.delete(poor).deleted
    assert [rich] == [account.id for account in sdk.v1.accounts.list().data]


def test_type_and_controller_exclude_each_other(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.accounts.create(
            {"type": "express", "controller": {"losses": {"payments": "application"}}}
        )

    assert refused.value.param == "controller"


def test_a_login_link_leads_to_the_accounts_own_page(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()
    sdk.v1.transfers.create({"amount": 1_234, "currency": "usd", "destination": account})

    link = sdk.v1.accounts.login_links.create(account)

    assert "$12.34" in httpx.get(link.url).text
