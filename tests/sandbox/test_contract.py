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
from tests.sandbox.conftest import Listener, until

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


def money_objects(
    sdk: stripe.StripeClient, controls: ControlClient, intent: str, charge: str
) -> list[Any]:
    """One object of each kind that money makes beside payments and transfers."""
    customer = sdk.v1.customers.create({"name": "A lab", "email": "lab@example.com"})
    refund = sdk.v1.refunds.create({"payment_intent": intent, "amount": 100})
    dispute = controls.open_dispute(charge, 1_000)
    controls.fund_customer(customer.id, 5_000, "eur", "LAB-7")
    sdk.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    topup = sdk.v1.topups.create({"amount": 9_000, "currency": "usd"})
    hold = controls.hold_reserve(10, "usd")
    controls.release_reserve(hold)
    now = controls.now()
    run = sdk.v1.reporting.report_runs.create(
        {
            "report_type": "balance_change_from_activity.itemized.3",
            "parameters": {"interval_start": now - 86_400, "interval_end": now},
        }
    )
    until(lambda: sdk.v1.reporting.report_runs.retrieve(run.id).status == "succeeded")
    done = sdk.v1.reporting.report_runs.retrieve(run.id)
    of_customer = sdk.v1.customers
    transfer_to: Any = {"type": "us_bank_transfer"}
    wanted: Any = {"bank_transfer": transfer_to, "currency": "usd", "funding_type": "bank_transfer"}
    return [
        refund,
        sdk.v1.disputes.retrieve(dispute),
        topup,
        customer,
        of_customer.cash_balance.retrieve(customer.id),
        of_customer.cash_balance_transactions.list(customer.id).data[0],
        of_customer.funding_instructions.create(customer.id, wanted),
        sdk.v1.payment_methods.list({"customer": customer.id}).data[0],
        sdk.v1.balance_settings.retrieve(),
        done,
        sdk.v1.files.retrieve(str(done.result.id if done.result else "")),
        sdk.v1.reporting.report_types.retrieve("balance.summary.1"),
    ]


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
    charge = str(intent.latest_charge)
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
    found.extend(money_objects(sdk, controls, intent.id, charge))
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
    "refund": "Refund",
    "dispute": "Dispute",
    "topup": "Topup",
    "customer_cash_balance_transaction": "CustomerCashBalanceTransaction",
    "balance_settings": "BalanceSettings",
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
        "customer": {"shipping"},
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


@pytest.mark.parametrize(
    ("name", "operation", "url", "samples"),
    [
        ("refund_create", "RefundCreateParams", "/v1/refunds", {"charge": "ch_none", "amount": 1}),
        (
            "topup_create",
            "TopupCreateParams",
            "/v1/topups",
            {"amount": 1, "currency": "usd", "payment_method_options": {"us_bank_account": {}}},
        ),
        (
            "payout_create",
            "PayoutCreateParams",
            "/v1/payouts",
            {"amount": 10**9, "currency": "usd", "method": "standard", "source_type": "card"},
        ),
    ],
)
def test_every_parameter_of_a_call_is_known_by_name(
    *,
    sdk: stripe.StripeClient,
    contract: Contract,
    name: str,
    operation: str,
    url: str,
    samples: dict[str, Any],
) -> None:
    skipped = {"metadata", "expand", "payment_intent", "origin", "customer", "currency"}
    names = set(contract["params"][name][operation]) - (skipped - set(samples))
    flags = {"refund_application_fee": True, "reverse_transfer": True, "reason": "duplicate"}
    wanted = {one: samples.get(one, flags.get(one, "card")) for one in names}

    try:
        sdk.raw_request("post", url, **wanted)
    except stripe.InvalidRequestError as refused:
        assert refused.code in {"resource_missing", "balance_insufficient"}  # noqa: PT017


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
