"""Customers' cash balances: bank transfers that wait, and what they are applied to.

Money that arrives is on the balance at once, as `payment_unreconciled`; when it is applied to a
payment, the same type takes it off and the payment's own balance transaction puts it back.
"""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import balance, charges, customers, events, intents
from marketplace.sandbox.cards import CASH, Card
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = customers.URL
HELPER_URL = "/v1/test_helpers/customers/<customer_id>/fund_cash_balance"
KINDS = {"eur": "eu_bank_transfer", "gbp": "gb_bank_transfer", "jpy": "jp_bank_transfer"}
MODES = ("automatic", "manual", "merchant_default")
TRANSFER = Card("", CASH, "A bank transfer", settle_days=0, kind=CASH)
_PARTS = (
    "adjusted_for_overdraft applied_to_payment customer_account funded refunded_from_payment "
    "transferred_to_balance unapplied_from_payment"
)


def kind_of(currency: str) -> str:
    """The kind of bank transfer by which a currency comes."""
    return KINDS.get(currency, "us_bank_transfer")


def fund(tx: Tx, customer_id: str, amount: int, currency: str, reference: str) -> Body:
    """A bank transfer arrives for a customer; its cash balance transaction."""
    customer = tx.need("customer", customer_id, lock=True)
    kind = kind_of(currency)
    sender: Body = {"account_number_last4": "6789", "sender_name": customer["name"] or "A PAYER"}
    if kind == "eu_bank_transfer":
        sender = {"bic": "BANKDEAAXXX", "iban_last4": "7089", "sender_name": sender["sender_name"]}
    made = _record(
        tx,
        customer,
        "funded",
        amount,
        currency,
        funded={"bank_transfer": {kind: sender, "reference": reference or None, "type": kind}},
    )
    _unreconciled(tx, made, amount)
    events.announce(tx, "cash_balance.funds_available", _shown(customer))
    if customer["_reconciliation"] == "automatic":
        _apply_to_oldest(tx, customer_id, currency)
    return made


def _record(tx: Tx, customer: Body, kind: str, amount: int, currency: str, **parts: Body) -> Body:
    cash = customer.setdefault("_cash", {})
    cash[currency] = cash.get(currency, 0) + amount
    tx.save(customer)
    made = tx.insert(
        {
            **dict.fromkeys(_PARTS.split()),
            "id": tx.new_id("ccsbtxn_"),
            "object": "customer_cash_balance_transaction",
            "created": tx.now,
            "currency": currency,
            "customer": customer["id"],
            "ending_balance": cash[currency],
            "livemode": False,
            "net_amount": amount,
            "type": kind,
            **parts,
        }
    )
    events.announce(tx, "customer_cash_balance_transaction.created", made)
    return made


def _unreconciled(tx: Tx, made: Body, amount: int) -> None:
    balance.move(
        tx,
        balance.Movement("payment_unreconciled", amount, made["currency"], made["id"], tx.now),
    )


def _apply_to_oldest(tx: Tx, customer_id: str, currency: str) -> None:
    query = of_kind("payment_intent", intents.URL)
    query.body_is("customer", customer_id)
    query.body_is("currency", currency)
    query.body_is("status", "requires_action")
    waiting: list[Body] = page(tx, query, Params({"limit": "100"}))["data"]
    for shown in reversed(waiting):
        intent = tx.need("payment_intent", shown["id"], lock=True)
        customer = tx.need("customer", customer_id, lock=True)
        if intent.get("_cash") and customer.get("_cash", {}).get(currency, 0) > 0:
            apply(tx, intent, None)


def ask(tx: Tx, intent: Body) -> None:
    """Pay an intent from what is there, or tell the payer where to send the money."""
    customer = tx.need("customer", intent["customer"], lock=True)
    intent.update(status="requires_action", _funded=0)
    intent["next_action"] = {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": intent["amount"],
            "currency": intent["currency"],
            "financial_addresses": [_address(customer, intent["currency"])],
            "hosted_instructions_url": None,
            "reference": customer["invoice_prefix"],
            "type": kind_of(intent["currency"]),
        },
    }
    tx.save(intent)
    held = customer.get("_cash", {}).get(intent["currency"], 0)
    if held >= intent["amount"] and customer["_reconciliation"] == "automatic":
        apply(tx, intent, None)
    else:
        events.announce(tx, "payment_intent.requires_action", intent)


def apply(tx: Tx, intent: Body, amount: int | None) -> None:
    """Apply cash to an intent, all that fits or just so much; it succeeds once it has all."""
    customer = tx.need("customer", intent["customer"], lock=True)
    currency = intent["currency"]
    held = customer.get("_cash", {}).get(currency, 0)
    remaining = intent["amount"] - intent["_funded"]
    part = min(held, remaining) if amount is None else amount
    if part <= 0 or part > held or part > remaining:
        raise refused(
            "The customer's cash balance does not hold that much, or less is left to pay.",
            code="customer_cash_balance_insufficient",
            param="amount",
        )
    made = _record(
        tx,
        customer,
        "applied_to_payment",
        -part,
        currency,
        applied_to_payment={"payment_intent": intent["id"]},
    )
    _unreconciled(tx, made, -part)
    intent["_funded"] += part
    if intent["_funded"] < intent["amount"]:
        told = intent["next_action"]["display_bank_transfer_instructions"]
        told["amount_remaining"] = intent["amount"] - intent["_funded"]
        events.announce(tx, "payment_intent.partially_funded", tx.save(intent))
        return
    charge = intents.pay(tx, intent, TRANSFER)
    charges.settle(tx, charge["id"])


def _address(customer: Body, currency: str) -> Body:
    digits = str(int.from_bytes(customer["id"].encode()[-6:], "big") % 10**10).zfill(10)
    name = customer["name"] or "The platform"
    if currency == "eur":
        iban = {"account_holder_name": name, "bic": "SANDDEFFXXX", "country": "DE"}
        return {
            "iban": {**iban, "iban": f"DE00500105{digits}00"},
            "supported_networks": ["sepa"],
            "type": "iban",
        }
    aba = {"account_number": digits, "bank_name": "SANDBOX BANK", "routing_number": "110000000"}
    return {"aba": aba, "supported_networks": ["ach", "domestic_wire_us"], "type": "aba"}


def _shown(customer: Body) -> Body:
    return {
        "object": "cash_balance",
        "available": customer.get("_cash") or None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {
            "reconciliation_mode": customer["_reconciliation"],
            "using_merchant_default": customer["_reconciliation"] == "automatic",
        },
    }


def retrieve(tx: Tx, params: Params, customer_id: str) -> Body:
    """GET /v1/customers/{id}/cash_balance"""
    params.done()
    return _shown(tx.need("customer", customer_id))


def update(tx: Tx, params: Params, customer_id: str) -> Body:
    """POST /v1/customers/{id}/cash_balance: how money is reconciled."""
    customer = tx.need("customer", customer_id, lock=True)
    mode = params.nested("settings").text("reconciliation_mode", choices=MODES)
    params.done()
    if mode is not None:
        customer["_reconciliation"] = "automatic" if mode == "merchant_default" else mode
        tx.save(customer)
    return _shown(customer)


def list_transactions(tx: Tx, params: Params, customer_id: str) -> Body:
    """GET /v1/customers/{id}/cash_balance_transactions"""
    tx.need("customer", customer_id)
    query = of_kind(
        "customer_cash_balance_transaction", f"{URL}/{customer_id}/cash_balance_transactions"
    )
    query.body_is("customer", customer_id)
    return page(tx, query, params)


def find_transaction(tx: Tx, params: Params, customer_id: str, transaction_id: str) -> Body:
    """GET /v1/customers/{id}/cash_balance_transactions/{id}"""
    params.done()
    tx.need("customer", customer_id)
    return public(tx.need("customer_cash_balance_transaction", transaction_id))


def instructions(tx: Tx, params: Params, customer_id: str) -> Body:
    """POST /v1/customers/{id}/funding_instructions: where this customer sends money."""
    customer = tx.need("customer", customer_id)
    currency = known(params.needed("currency"))
    params.needed("funding_type", choices=("bank_transfer",))
    transfer = params.nested("bank_transfer")
    transfer.needed("type")
    transfer.accept("eu_bank_transfer", "requested_address_types")
    params.done()
    return {
        "object": "funding_instructions",
        "bank_transfer": {
            "country": "DE" if currency == "eur" else "US",
            "financial_addresses": [_address(customer, currency)],
            "type": kind_of(currency),
        },
        "currency": currency,
        "funding_type": "bank_transfer",
        "livemode": False,
    }


def fund_by_helper(tx: Tx, params: Params, customer_id: str) -> Body:
    """POST /v1/test_helpers/customers/{id}/fund_cash_balance, which Stripe has, too."""
    amount = params.needed_whole("amount")
    currency = known(params.needed("currency"))
    reference: Any = params.text("reference") or ""
    params.done()
    return fund(tx, customer_id, amount, currency, reference)


ROUTES = (
    Route("GET", f"{URL}/<customer_id>/cash_balance", retrieve),
    Route("POST", f"{URL}/<customer_id>/cash_balance", update),
    Route("GET", f"{URL}/<customer_id>/cash_balance_transactions", list_transactions),
    Route(
        "GET",
        f"{URL}/<customer_id>/cash_balance_transactions/<transaction_id>",
        find_transaction,
    ),
    Route("POST", f"{URL}/<customer_id>/funding_instructions", instructions),
    Route("POST", HELPER_URL, fund_by_helper),
)
