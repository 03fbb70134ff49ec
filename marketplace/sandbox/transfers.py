"""Transfers to connected accounts, and their reversals."""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import balance, events, payouts, rates
from marketplace.sandbox.charges import blank_charge
from marketplace.sandbox.currencies import in_steps, known, words
from marketplace.sandbox.errors import ApiError, no_such, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/transfers"
REVERSALS_SHOWN = 10


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/transfers: from the platform's available balance to an account's."""
    currency = known(params.needed("currency"))
    amount = in_steps(params.needed_whole("amount"), currency)
    destination = params.needed("destination")
    facts: dict[str, Any] = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "source_transaction": params.text("source_transaction"),
        "source_type": params.text("source_type", choices=("bank_account", "card", "fpx"))
        or "card",
        "transfer_group": params.text("transfer_group"),
    }
    params.done()
    _check_destination(tx, destination)
    available_on = _funded_at(tx, facts, amount, currency)
    transfer_id = tx.new_id("tr_")
    leaving = balance.Movement(
        "transfer", -amount, currency, transfer_id, available_on, facts["description"]
    )
    transfer: Body = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": balance.move(tx, leaving),
        "created": tx.now,
        "currency": currency,
        "destination": destination,
        "livemode": False,
        "reversals": _reversals(transfer_id, []),
        "reversed": False,
        **facts,
    }
    transfer["destination_payment"] = _arrive(tx, transfer, available_on)
    tx.insert(transfer)
    events.announce(tx, "transfer.created", transfer)
    return public(transfer)


def _check_destination(tx: Tx, destination: str) -> None:
    account = tx.find("account", destination)
    if account is None:
        raise no_such("destination", destination, param="destination", status=400)
    if str(account["requirements"]["disabled_reason"] or "").startswith("rejected"):
        raise refused(
            f"The account {destination} has been rejected and cannot receive transfers.",
            code="transfers_not_allowed",
            param="destination",
        )
    if account["capabilities"].get("transfers") != "active":
        raise refused(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
            param="destination",
        )


def _funded_at(tx: Tx, facts: Body, amount: int, currency: str) -> int:
    """When the money moves: now from what is available, or with the charge that pays for it."""
    available = balance.lock_available(tx, currency)
    source = facts["source_transaction"]
    if source is not None:
        return _source_available_on(tx, facts, amount, currency)
    if amount > available:
        raise refused(
            "You have insufficient available funds in your Stripe account: "
            f"{words(available, currency)} of {words(amount, currency)}. Pending funds do not "
            "count until they become available.",
            code="balance_insufficient",
        )
    return tx.now


def _source_available_on(tx: Tx, facts: Body, amount: int, currency: str) -> int:
    charge = tx.find("charge", facts["source_transaction"], lock=True)
    if charge is None:
        raise no_such("charge", facts["source_transaction"], param="source_transaction", status=400)
    used = charge.get("_transferred", 0)
    if charge["currency"] != currency or used + amount > charge["amount"]:
        raise refused(
            "The transfers that use this charge as source_transaction would exceed its amount, "
            "or their currency is another.",
            code="transfer_source_balance_parameters_mismatch",
            param="source_transaction",
        )
    if charge["balance_transaction"] is None:
        raise refused(
            "This charge has no balance transaction yet.",
            code="charge_not_settled",
            param="source_transaction",
        )
    charge["_transferred"] = used + amount
    tx.save(charge)
    facts["transfer_group"] = facts["transfer_group"] or charge["transfer_group"]
    settled = balance.shown_transaction(tx, charge["balance_transaction"])
    return max(tx.now, int(settled["available_on"]))


def _arrive(tx: Tx, transfer: Body, available_on: int) -> str:
    there = tx.acting_for(transfer["destination"])
    payment = blank_charge(there, tx.new_id("py_"), transfer["amount"], transfer["currency"])
    payment.update(
        amount_captured=transfer["amount"],
        captured=True,
        paid=True,
        status="succeeded",
        source_transfer=transfer["id"],
        transfer_group=transfer["transfer_group"],
        description=transfer["description"],
    )
    landed = rates.landing(there, transfer["amount"], transfer["currency"])
    payment["balance_transaction"] = balance.move(
        there,
        balance.Movement(
            "payment",
            landed.amount,
            landed.currency,
            payment["id"],
            available_on,
            rate=landed.rate,
        ),
    )
    transfer["_landed"] = {"amount": landed.amount, "currency": landed.currency, "taken": 0}
    there.insert(payment)
    payouts.plan(there, landed.currency, available_on)
    return str(payment["id"])


def _reversals(transfer_id: str, items: list[Body]) -> Body:
    return {
        "object": "list",
        "data": items[:REVERSALS_SHOWN],
        "has_more": len(items) > REVERSALS_SHOWN,
        "url": f"{URL}/{transfer_id}/reversals",
    }


def reverse(tx: Tx, params: Params, transfer_id: str) -> Body:
    """POST /v1/transfers/{id}/reversals: takes back what the account still has available."""
    transfer = tx.need("transfer", transfer_id, lock=True)
    remaining = transfer["amount"] - transfer["amount_reversed"]
    transfer.setdefault(
        "_landed", {"amount": transfer["amount"], "currency": transfer["currency"], "taken": 0}
    )
    asked = params.whole("amount", least=1)
    facts: Body = {"description": params.text("description"), "metadata": params.metadata()}
    params.accept("refund_application_fee")
    params.done()
    amount = remaining if asked is None else asked
    _check_reversible(tx, transfer, amount, remaining)
    before = dict(transfer)
    reversal = _write_reversal(tx, transfer, amount, facts)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    items = [reversal, *transfer["reversals"]["data"]]
    transfer["reversals"] = _reversals(transfer_id, items)
    tx.save(transfer)
    events.announce(tx, "transfer.reversed", transfer, before=before)
    return reversal


def _check_reversible(tx: Tx, transfer: Body, amount: int, remaining: int) -> None:
    if remaining == 0 or amount > remaining:
        raise ApiError(
            f"Transfer reversal amount ({words(amount, transfer['currency'])}) is greater than "
            f"unreversed amount on transfer ({words(remaining, transfer['currency'])})",
            param="amount",
            executed=True,
        )
    # The platform's balance is locked first, always: two movements never wait for each other.
    balance.lock_available(tx, transfer["currency"])
    there = tx.acting_for(transfer["destination"])
    if _share(transfer, amount) > balance.lock_available(there, transfer["_landed"]["currency"]):
        raise refused(
            "The connected account does not have enough available funds to reverse this transfer.",
            code="balance_insufficient",
            param="amount",
        )


def _share(transfer: Body, amount: int) -> int:
    """What of the money that landed belongs to a part of the transfer; the last takes the rest."""
    landed = transfer["_landed"]
    if transfer["amount_reversed"] + amount == transfer["amount"]:
        return int(landed["amount"] - landed["taken"])
    return int(landed["amount"] * amount // transfer["amount"])


def _write_reversal(tx: Tx, transfer: Body, amount: int, facts: Body) -> Body:
    reversal_id, refund_id = tx.new_id("trr_"), tx.new_id("pyr_")
    currency = transfer["currency"]
    back = balance.Movement(
        "transfer_refund", amount, currency, reversal_id, tx.now, facts["description"]
    )
    part = _share(transfer, amount)
    transfer["_landed"]["taken"] += part
    balance.move(
        tx.acting_for(transfer["destination"]),
        balance.Movement(
            "payment_refund", -part, transfer["_landed"]["currency"], refund_id, tx.now
        ),
    )
    return tx.insert(
        {
            "id": reversal_id,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": balance.move(tx, back),
            "created": tx.now,
            "currency": currency,
            "destination_payment_refund": refund_id,
            "metadata": facts["metadata"],
            "source_refund": None,
            "transfer": transfer["id"],
        }
    )


def update(tx: Tx, params: Params, transfer_id: str) -> Body:
    """POST /v1/transfers/{id}: description and metadata."""
    transfer = tx.need("transfer", transfer_id, lock=True)
    before = dict(transfer)
    if params.has("description"):
        transfer["description"] = params.text("description")
    transfer["metadata"] = params.metadata(transfer["metadata"])
    params.done()
    tx.save(transfer)
    events.announce(tx, "transfer.updated", transfer, before=before)
    return public(transfer)


def retrieve(tx: Tx, params: Params, transfer_id: str) -> Body:
    """GET /v1/transfers/{id}"""
    params.done()
    return public(tx.need("transfer", transfer_id))


def list_transfers(tx: Tx, params: Params) -> Body:
    """GET /v1/transfers, by destination, transfer_group and created."""
    query = of_kind("transfer", URL)
    query.body_is("destination", params.text("destination"))
    query.body_is("transfer_group", params.text("transfer_group"))
    query.within(params)
    return page(tx, query, params)


def retrieve_reversal(tx: Tx, params: Params, transfer_id: str, reversal_id: str) -> Body:
    """GET /v1/transfers/{id}/reversals/{id}"""
    params.done()
    reversal = tx.need("transfer_reversal", reversal_id)
    if reversal["transfer"] != transfer_id:
        raise no_such("transfer_reversal", reversal_id)
    return reversal


def list_reversals(tx: Tx, params: Params, transfer_id: str) -> Body:
    """GET /v1/transfers/{id}/reversals"""
    tx.need("transfer", transfer_id)
    query = of_kind("transfer_reversal", f"{URL}/{transfer_id}/reversals")
    query.body_is("transfer", transfer_id)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_transfers),
    Route("GET", f"{URL}/<transfer_id>", retrieve),
    Route("POST", f"{URL}/<transfer_id>", update),
    Route("POST", f"{URL}/<transfer_id>/reversals", reverse),
    Route("GET", f"{URL}/<transfer_id>/reversals", list_reversals),
    Route("GET", f"{URL}/<transfer_id>/reversals/<reversal_id>", retrieve_reversal),
)
