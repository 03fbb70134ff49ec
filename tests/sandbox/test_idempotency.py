"""Idempotency keys: replayed, refused, in flight, forgotten after a day of virtual time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import KEY

HEADERS = {"Authorization": f"Bearer {KEY}"}


def post(sandbox: str, path: str, key: str, **values: object) -> httpx.Response:
    return httpx.post(
        f"{sandbox}{path}",
        data={name: str(value) for name, value in values.items()},
        headers={**HEADERS, "Idempotency-Key": key},
        timeout=10,
    )


def test_the_same_key_pays_once_and_replays_the_same_bytes(
    sandbox: str, sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    wanted = {"amount": 1_000, "currency": "usd", "destination": payee()}

    first = post(sandbox, "/v1/transfers", "key-1", **wanted)
    second = post(sandbox, "/v1/transfers", "key-1", **wanted)

    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Request-Id"] == second.headers["Original-Request"]
    assert len(sdk.v1.transfers.list().data) == 1


def test_a_refusal_that_was_executed_is_replayed_even_when_it_would_now_succeed(
    sandbox: str, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    wanted = {"amount": 1_000, "currency": "usd", "destination": payee()}
    first = post(sandbox, "/v1/transfers", "key-2", **wanted)
    fund(10_000)

    second = post(sandbox, "/v1/transfers", "key-2", **wanted)
    other = post(sandbox, "/v1/transfers", "key-3", **wanted)

    assert first.json()["error"]["code"] == "balance_insufficient"
    assert (400, first.content) == (second.status_code, second.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 200


def test_a_faulty_parameter_leaves_the_key_free(
    sandbox: str, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()

    wrong = post(
        sandbox, "/v1/transfers", "key-4", amount="ten", currency="usd", destination=account
    )
    right = post(sandbox, "/v1/transfers", "key-4", amount=10, currency="usd", destination=account)

    assert ("parameter_invalid_integer", "amount") == (
        wrong.json()["error"]["code"],
        wrong.json()["error"]["param"],
    )
    assert right.status_code == 200


def test_other_parameters_or_another_endpoint_under_the_same_key_are_an_error(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    account = payee()
    options: Any = {"idempotency_key": "key-5"}
    sdk.v1.transfers.create({"amount": 10, "currency": "usd", "destination": account}, options)

    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        sdk.v1.transfers.create({"amount": 11, "currency": "usd", "destination": account}, options)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        sdk.v1.accounts.create({}, options)

    assert len(sdk.v1.transfers.list().data) == 1


def test_a_key_is_forgotten_after_a_day_of_the_sandboxs_clock(
    sandbox: str,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    fund: Callable[..., Any],
    payee: Callable[[], str],
) -> None:
    fund(10_000)
    wanted = {"amount": 1_000, "currency": "usd", "destination": payee()}
    first = post(sandbox, "/v1/transfers", "key-6", **wanted)

    controls.advance(23 * 3_600)
    within = post(sandbox, "/v1/transfers", "key-6", **wanted)
    controls.advance(3_600)
    beyond = post(sandbox, "/v1/transfers", "key-6", **wanted)

    assert first.json()["id"] == within.json()["id"]
    assert first.json()["id"] != beyond.json()["id"]
    assert len(sdk.v1.transfers.list().data) == 2


def test_a_key_in_flight_is_a_conflict(
    sandbox: str, controls: ControlClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    wanted = {"amount": 1_000, "currency": "usd", "destination": payee()}
    controls.fault("slow", path="/v1/transfers", seconds=0.6)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: post(sandbox, "/v1/transfers", "key-7", **wanted), range(2)))

    assert [200, 409] == sorted(answer.status_code for answer in both)
    conflict = next(answer for answer in both if answer.status_code == 409)
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"


def test_keys_of_two_accounts_do_not_meet(sandbox: str, payee: Callable[[], str]) -> None:
    statuses = [
        httpx.post(
            f"{sandbox}/v1/payouts",
            data={"amount": amount, "currency": "usd"},
            headers={**HEADERS, "Idempotency-Key": "key-8", "Stripe-Account": payee()},
        ).json()["error"]["code"]
        for amount in ("100", "200")
    ]

    assert ["balance_insufficient"] * 2 == statuses
