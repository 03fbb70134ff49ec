"""Every kind of answer against what Stripe publishes about its own objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener

Contract = dict[str, Any]
PLAIN = {"str": str, "int": int, "bool": bool, "float": float}


@pytest.fixture(scope="session")
def contract(sample_data: Path) -> Contract:
    """The SDK's types of each resource: its field names with their annotations."""
    return dict(json.loads((sample_data / "stripe" / "sdk16_contract.json").read_text()))


@pytest.fixture(scope="session")
def examples(sample_data: Path) -> dict[str, Any]:
    """Stripe's own example of each resource."""
    return dict(json.loads((sample_data / "stripe" / "fixtures3.json").read_text())["resources"])


def paid_page(sdk: stripe.StripeClient) -> Any:
    """A checkout session that somebody paid."""
    price = {"currency": "usd", "unit_amount": 5_000, "product_data": {"name": "Balance"}}
    asked: Any = {
        "mode": "payment",
        "line_items": [{"price_data": price}],
        "success_url": "http://localhost:8000/back",
    }
    session = sdk.v1.checkout.sessions.create(asked)
    httpx.post(session.url or "", data={"card": "4000000000000077"})
    return session


@pytest.fixture
def world(
    *,
    sdk: stripe.StripeClient,
    controls: ControlClient,
    listening: Listener,
    fund: Callable[..., Any],
    payee: Callable[[], str],
) -> dict[str, dict[str, Any]]:
    """One object of each kind, as the API answers it."""
    intent = fund(10_000)
    account = payee()
    there: Any = {"stripe_account": account}
    transfer = sdk.v1.transfers.create({"amount": 5_000, "currency": "usd", "destination": account})
    reversal = sdk.v1.transfers.reversals.create(transfer.id, {"amount": 10})
    controls.advance(86_400)
    session = paid_page(sdk)
    found: list[Any] = [
        sdk.v1.payment_intents.retrieve(intent.id),
        sdk.v1.charges.retrieve(str(intent.latest_charge)),
        sdk.v1.accounts.retrieve(account),
        sdk.v1.accounts.capabilities.retrieve(account, "transfers"),
        sdk.v1.transfers.retrieve(transfer.id),
        reversal,
        sdk.v1.payouts.list({}, there).data[0],
        sdk.v1.balance.retrieve(),
        sdk.v1.balance_transactions.list().data[0],
        sdk.v1.checkout.sessions.retrieve(session.id),
        sdk.v1.events.list({"limit": 1}).data[0],
        sdk.v1.account_links.create(
            {
                "account": account,
                "type": "account_onboarding",
                "refresh_url": "http://localhost:8000/r",
                "return_url": "http://localhost:8000/b",
            }
        ),
        sdk.v1.accounts.login_links.create(account),
        sdk.v1.webhook_endpoints.retrieve("we_configured"),
    ]
    bodies = [one.to_dict() for one in found]
    return {body["object"]: body for body in bodies}


KINDS = {
    "account": "Account",
    "account_link": "AccountLink",
    "capability": "Capability",
    "transfer": "Transfer",
    "transfer_reversal": "TransferReversal",
    "payout": "Payout",
    "balance": "Balance",
    "balance_transaction": "BalanceTransaction",
    "payment_intent": "PaymentIntent",
    "charge": "Charge",
    "event": "Event",
}


def faults(body: dict[str, Any], fields: dict[str, str]) -> list[str]:
    """What an object lacks, has too much of, or has of another type than its annotation."""
    wrong = [f"{name} is unknown" for name in body if name not in fields]
    for name, annotation in fields.items():
        if annotation.startswith(("ClassVar", "Optional[Literal[True]]")):
            continue
        optional = annotation.startswith("Optional[")
        inner = annotation.removeprefix("Optional[").removesuffix("]") if optional else annotation
        value = body.get(name)
        if value is None:
            if not optional:
                wrong.append(f"{name} is missing")
            continue
        if inner in PLAIN and type(value) is not PLAIN[inner]:
            wrong.append(f"{name} is {value!r}, not {inner}")
        if inner.startswith(("Literal[", "Union[Literal[")) and value not in literals(inner):
            wrong.append(f"{name} is {value!r}, which Stripe does not name")
    return wrong


def literals(annotation: str) -> list[str]:
    return re.findall(r"'([^']+)'", annotation)


def test_each_object_has_the_fields_of_the_sdk_with_their_types(
    world: dict[str, dict[str, Any]], contract: Contract
) -> None:
    wrong = {
        kind: found
        for kind, name in KINDS.items()
        if (found := faults(world[kind], contract["resources"][name]))
    }

    assert wrong == {}


def test_each_object_has_the_fields_of_stripes_example(
    world: dict[str, dict[str, Any]], examples: dict[str, Any]
) -> None:
    # These appear at Stripe only where a feature is in use that the sandbox does not emulate.
    unused = {
        "payment_intent": {
            "customer_account",
            "excluded_payment_method_types",
            "managed_payments",
        },
        "charge": {"refunds"},
        "checkout.session": {
            "currency_conversion",
            "customer_account",
            "discounts",
            "integration_identifier",
            "managed_payments",
        },
        "balance": {"connect_reserved"},
    }
    lacking = {
        kind: missing
        for kind, body in world.items()
        if (missing := set(examples[kind]) - set(body) - unused.get(kind, set()))
    }

    assert lacking == {}


def test_events_and_balance_transactions_have_types_that_stripe_knows(
    world: dict[str, dict[str, Any]],
    sdk: stripe.StripeClient,
    contract: Contract,
) -> None:
    events = sdk.v1.events.list({"limit": 100}).auto_paging_iter()
    moved = sdk.v1.balance_transactions.list({"limit": 100}).auto_paging_iter()

    assert {event.type for event in events} <= set(contract["event_types"])
    assert {one.type for one in moved} <= set(contract["balance_transaction_types"])


def test_every_parameter_of_a_transfer_is_known_by_name(
    sdk: stripe.StripeClient, contract: Contract
) -> None:
    """A known parameter is never refused as unknown, whatever else is wrong with it."""
    names = contract["params"]["transfer_create"]["TransferCreateParams"]
    samples = {"amount": 1, "currency": "usd", "destination": "acct_none", "expand": []}
    wanted: Any = {name: samples.get(name, "card") for name in names if name != "metadata"}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.transfers.create(wanted)

    assert refused.value.code == "resource_missing"
