"""Faults on request: each leaves exactly what a real network or Stripe would leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from marketplace import stripe_client
from marketplace.sandbox.control_client import ControlClient
from marketplace.stripe_client import (
    StripeFault,
    StripeKeyReused,
    StripeRateLimited,
    StripeRefused,
    StripeUnreachable,
    translated,
)
from tests.sandbox.conftest import KEY, ClientSettings

Send = Callable[[str], str]


@pytest.fixture
def send(sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]) -> Send:
    """Send ten dollars under a key; the transfer's id, or the product's own exception."""
    fund(10_000)
    account = payee()

    def transfer(key: str) -> str:
        with translated():
            return sdk.v1.transfers.create(
                {"amount": 1_000, "currency": "usd", "destination": account},
                {"idempotency_key": key},
            ).id

    return transfer


def count(sdk: stripe.StripeClient) -> int:
    return len(sdk.v1.transfers.list().data)


@pytest.mark.parametrize("kind", ["timeout", "drop"])
def test_silence_after_execution_is_unknown_and_the_key_finds_the_transfer(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send, kind: str
) -> None:
    controls.fault(kind, path="/v1/transfers", seconds=0.2)

    with pytest.raises(StripeUnreachable):
        send("lost")
    found = send("lost")

    assert [found] == [transfer.id for transfer in sdk.v1.transfers.list().data]


def test_a_connection_that_ends_before_execution_leaves_nothing(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send
) -> None:
    controls.fault("drop_before", method="POST", path="/v1/transfers")

    with pytest.raises(StripeUnreachable):
        send("early")

    assert count(sdk) == 0
    assert send("early").startswith("tr_")


def test_a_500_stays_with_its_key_and_another_key_is_free(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send
) -> None:
    controls.fault("error_500", path="/v1/transfers")

    for _ in range(2):
        with pytest.raises(StripeUnreachable) as fault:
            send("cursed")
        assert fault.value.status == 500
    assert count(sdk) == 0
    send("fresh")

    assert count(sdk) == 1


def test_a_500_may_hide_a_transfer_that_happened(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send
) -> None:
    controls.fault("error_500_after", path="/v1/transfers")

    with pytest.raises(StripeUnreachable):
        send("hidden")
    with pytest.raises(StripeUnreachable):
        send("hidden")

    assert count(sdk) == 1


@pytest.mark.parametrize("kind", ["rate_limit", "lock_timeout"])
def test_a_429_comes_before_the_key_is_looked_at(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send, kind: str
) -> None:
    controls.fault(kind, path="/v1/transfers", count=2)

    for _ in range(2):
        with pytest.raises(StripeRateLimited) as fault:
            send("patient")
        assert (kind, 429) == (fault.value.code, fault.value.status)
    send("patient")

    assert count(sdk) == 1


def test_the_sdk_retries_a_lost_answer_under_one_key(
    sandbox: str,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    fund: Callable[..., Any],
    payee: Callable[[], str],
) -> None:
    fund(10_000)
    account = payee()
    controls.fault("drop", path="/v1/transfers")
    retrying = stripe_client.client(ClientSettings(KEY, sandbox), network_retries=1)

    retrying.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account})

    assert count(sdk) == 1


def test_a_fault_may_wait_for_a_later_call(
    sdk: stripe.StripeClient, controls: ControlClient, send: Send
) -> None:
    controls.fault("error_500", path="/v1/transfers", method="POST", skip=1)

    send("first")
    with pytest.raises(StripeUnreachable):
        send("second")
    send("third")

    assert count(sdk) == 2


def test_refusals_and_reused_keys_are_told_apart(sdk: stripe.StripeClient, send: Send) -> None:
    send("once")

    with pytest.raises(StripeKeyReused), translated():
        sdk.v1.accounts.create({}, {"idempotency_key": "once"})
    with pytest.raises(StripeRefused) as missing, translated():
        sdk.v1.transfers.retrieve("tr_none")

    assert ("resource_missing", "id", 404) == (
        missing.value.code,
        missing.value.param,
        missing.value.status,
    )
    assert missing.value.message == "No such transfer: 'tr_none'"
    assert str(missing.value.request_id).startswith("req_")


def test_nobody_listening_is_unreachable() -> None:
    client = stripe_client.client(
        ClientSettings(KEY, "http://127.0.0.1:9"), connect_seconds=1, network_retries=0
    )

    with pytest.raises(StripeFault) as fault, translated():
        client.v1.balance.retrieve()

    assert isinstance(fault.value, StripeUnreachable)


def test_the_controls_ask_for_the_key(sandbox: str) -> None:
    answer = httpx.post(f"{sandbox}/sandbox/control/advance", json={"seconds": 1})

    assert answer.status_code == 401


def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: str,
) -> None:
    for body in ({"kind": "earthquake"}, {"kind": "slow", "seconds": -1}, {"target": "moon"}):
        answer = httpx.post(
            f"{sandbox}/sandbox/control/faults",
            json=body,
            headers={"Authorization": f"Bearer {KEY}"},
        )
        assert answer.status_code == 400
