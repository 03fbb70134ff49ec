"""The API's manners: keys, versions, request ids, expansion, unknown calls, a restart."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest
import stripe

from marketplace import stripe_client
from marketplace.sandbox.control_client import ControlClient
from marketplace.sandbox.params import decode
from marketplace.sandbox.server import running, serve
from marketplace.sandbox.settings import SandboxSettings
from marketplace.sandbox.store import Store
from tests.sandbox.conftest import KEY, ClientSettings

HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("key", ["sk_test_wrong", "", "sk_live_0123456789012345"])
def test_a_wrong_key_is_refused_and_never_repeated_whole(sandbox: str, key: str) -> None:
    answer = httpx.get(
        f"{sandbox}/v1/balance", headers={"Authorization": f"Bearer {key}"} if key else {}
    )

    assert answer.status_code == 401
    assert not key or key not in answer.text


def test_a_key_may_come_as_a_user_name(sandbox: str) -> None:
    assert httpx.get(f"{sandbox}/v1/balance", auth=(KEY, "")).status_code == 200


def test_answers_carry_a_request_id_and_the_version(sandbox: str) -> None:
    answer = httpx.get(
        f"{sandbox}/v1/balance", headers={**HEADERS, "Stripe-Version": "2026-10-28.endive"}
    )
    wrong = httpx.get(f"{sandbox}/v1/balance", headers={**HEADERS, "Stripe-Version": "latest"})

    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert wrong.status_code == 400


def test_a_call_that_is_not_emulated_says_so(sandbox: str) -> None:
    answer = httpx.post(f"{sandbox}/v1/subscriptions", headers=HEADERS)

    assert answer.status_code == 404
    assert "Unrecognized request URL (POST: /v1/subscriptions)" in answer.json()["error"]["message"]


def test_ids_expand_into_objects_through_lists(
    sdk: stripe.StripeClient, fund: Callable[..., Any], payee: Callable[[], str]
) -> None:
    fund(10_000)
    sdk.v1.transfers.create({"amount": 100, "currency": "usd", "destination": payee()})

    moved = sdk.v1.balance_transactions.list({"type": "transfer", "expand": ["data.source"]})
    intents = sdk.v1.payment_intents.list({"expand": ["data.latest_charge.balance_transaction"]})

    assert "transfer" == moved.data[0].to_dict()["source"]["object"]
    charge = intents.data[0].to_dict()["latest_charge"]
    assert charge["balance_transaction"]["net"] == 9_680
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        sdk.v1.transfers.list({"expand": ["data.nothing"]})


def test_lists_are_bounded_and_cursors_must_exist(sdk: stripe.StripeClient) -> None:
    for wrong in ({"limit": 0}, {"limit": 101}, {"starting_after": "tr_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            sdk.v1.transfers.list(wrong)  # type: ignore[arg-type]


def test_lists_filter_by_time(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Callable[..., Any]
) -> None:
    fund(1_000)
    later = controls.advance(1_000)
    fund(2_000)

    new = sdk.v1.balance_transactions.list({"created": {"gte": later}}).data
    old = sdk.v1.balance_transactions.list({"created": {"lt": later}}).data

    assert ([2_000], [1_000]) == ([bt.amount for bt in new], [bt.amount for bt in old])


def test_brackets_decode_into_objects_and_lists() -> None:
    pairs = [
        ("a[b][0][c]", "1"),
        ("a[b][1][c]", "2"),
        ("expand[]", "x"),
        ("expand[]", "y"),
        ("metadata[0]", "zero"),
    ]

    assert {
        "a": {"b": [{"c": "1"}, {"c": "2"}]},
        "expand": ["x", "y"],
        "metadata": {"0": "zero"},
    } == decode(pairs)


@pytest.mark.parametrize(
    "name", ["a[b", "[a]", "a]b[", "a[b][c][d][e][f][g][h][i]", "amount[x]", "nul\0"]
)
def test_a_malformed_name_is_refused(sandbox: str, name: str) -> None:
    answer = httpx.post(
        f"{sandbox}/v1/transfers",
        data={"amount": "1", name: "1"} if name == "amount[x]" else {name: "1"},
        headers=HEADERS,
    )

    assert answer.status_code == 400


def test_everything_survives_a_restart(
    *,
    sandbox: str,
    sandbox_settings: SandboxSettings,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    fund: Callable[..., Any],
    payee: Callable[[], str],
) -> None:
    fund(10_000)
    wanted: Any = {"amount": 1_000, "currency": "usd", "destination": payee()}
    transfer = sdk.v1.transfers.create(wanted, {"idempotency_key": "before"})
    controls.advance(3_600)

    with running(dataclasses.replace(sandbox_settings, mailbox=None)) as address:
        again = stripe_client.client(ClientSettings(KEY, address))
        replayed = again.v1.transfers.create(wanted, {"idempotency_key": "before"})
        with ControlClient(address, KEY) as other:
            assert abs(other.now() - controls.now()) <= 1
        assert transfer.id == replayed.id
        assert again.v1.balance.retrieve().available[0].amount == 8_680


def test_a_lost_connection_to_the_database_is_made_again(
    sandbox: str, sandbox_settings: SandboxSettings, sdk: stripe.StripeClient
) -> None:
    sdk.v1.balance.retrieve()
    with closing(Store(sandbox_settings.database_url)) as store, store.connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid()"
        )

    assert sdk.v1.balance.retrieve().object == "balance"


def test_a_port_in_use_is_one_clear_sentence(sandbox_settings: SandboxSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match="Set SANDBOX_PORT to a free one"):
            serve(dataclasses.replace(sandbox_settings, port=port))


def test_a_seed_makes_ids_repeatable(sandbox: str, sandbox_settings: SandboxSettings) -> None:
    def ids(seed: int | None) -> list[str]:
        store = Store(sandbox_settings.database_url, seed=seed)
        made = [store.new_id("tr_", serial) for serial in (1, 2)]
        store.close()
        return made

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
    assert ids(None) != ids(None)
