"""Top-ups of the platform's balance from its own bank account."""

from __future__ import annotations

from marketplace.sandbox import balance, bank, events
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/topups"
TIMER = "topup.land"
DAY = 86_400
FAILURES = {
    "insufficient_funds": "The bank account has insufficient funds.",
    "account_closed": "The bank account has been closed.",
}


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/topups; the money leaves the bank at once and lands the next day."""
    if tx.account:
        raise ApiError("Connected accounts cannot be topped up here.", status=403)
    currency = known(params.needed("currency"))
    amount = params.needed_whole("amount")
    facts: Body = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "statement_descriptor": params.text("statement_descriptor", most=15),
        "transfer_group": params.text("transfer_group"),
    }
    params.accept("source", "payment_method", "payment_method_options")
    params.done()
    topup: Body = {
        "id": tx.new_id("tu_"),
        "object": "topup",
        "amount": amount,
        "balance_transaction": None,
        "created": tx.now,
        "currency": currency,
        "expected_availability_date": (tx.now // DAY + 1) * DAY,
        "failure_code": None,
        "failure_message": None,
        "initiated_by": "user",
        "livemode": False,
        "payment_method": None,
        "payment_method_options": None,
        "source": None,
        "status": "pending",
        **facts,
    }
    tx.insert(topup)
    _at_the_bank(tx, topup, -amount)
    events.announce(tx, "topup.created", topup)
    tx.schedule(TIMER, topup["id"], topup["expected_availability_date"])
    return public(topup)


def _at_the_bank(tx: Tx, topup: Body, amount: int) -> None:
    reference = f"STRIPE TOPUP {topup['id'][-12:].upper()}"
    bank.book(
        tx,
        bank.Line(bank.CLIENT_FUNDS, topup["currency"], amount, reference, "STRIPE", "transfer"),
        source=topup["id"],
    )


def land(tx: Tx, topup_id: str) -> None:
    """What the timer does: the money is on the balance."""
    topup = tx.need("topup", topup_id, lock=True)
    if topup["status"] != "pending":
        return
    topup["status"] = "succeeded"
    topup["balance_transaction"] = balance.move(
        tx,
        balance.Movement(
            "topup", topup["amount"], topup["currency"], topup_id, tx.now, topup["description"]
        ),
    )
    tx.save(topup)
    events.announce(tx, "topup.succeeded", topup)


def fail(tx: Tx, topup_id: str, code: str) -> None:
    """A control: the bank refuses a pending top-up, and the money stays there."""
    topup = tx.need("topup", topup_id, lock=True)
    if topup["status"] != "pending":
        raise ApiError(f"This top-up is {topup['status']}; it cannot fail any more.")
    message = FAILURES.get(code, "The bank refused the top-up.")
    topup.update(status="failed", failure_code=code, failure_message=message)
    tx.save(topup)
    _at_the_bank(tx, topup, topup["amount"])
    events.announce(tx, "topup.failed", topup)


def reverse(tx: Tx, topup_id: str) -> None:
    """A control: the bank takes a landed top-up back."""
    topup = tx.need("topup", topup_id, lock=True)
    if topup["status"] != "succeeded":
        raise ApiError(f"This top-up is {topup['status']}; it cannot be reversed.")
    topup["status"] = "reversed"
    balance.move(
        tx,
        balance.Movement("topup_reversal", -topup["amount"], topup["currency"], topup_id, tx.now),
    )
    tx.save(topup)
    _at_the_bank(tx, topup, topup["amount"])
    events.announce(tx, "topup.reversed", topup)


def cancel(tx: Tx, params: Params, topup_id: str) -> Body:
    """POST /v1/topups/{id}/cancel, while it is pending."""
    params.done()
    topup = tx.need("topup", topup_id, lock=True)
    if topup["status"] != "pending":
        raise refused("This top-up can no longer be cancelled.", code="topup_not_cancellable")
    topup["status"] = "canceled"
    tx.save(topup)
    _at_the_bank(tx, topup, topup["amount"])
    events.announce(tx, "topup.canceled", topup)
    return public(topup)


def update(tx: Tx, params: Params, topup_id: str) -> Body:
    """POST /v1/topups/{id}: description and metadata."""
    topup = tx.need("topup", topup_id, lock=True)
    if params.has("description"):
        topup["description"] = params.text("description")
    topup["metadata"] = params.metadata(topup["metadata"])
    params.done()
    return public(tx.save(topup))


def retrieve(tx: Tx, params: Params, topup_id: str) -> Body:
    """GET /v1/topups/{id}"""
    params.done()
    return public(tx.need("topup", topup_id))


def list_topups(tx: Tx, params: Params) -> Body:
    """GET /v1/topups, by status and created."""
    query = of_kind("topup", URL)
    query.body_is("status", params.text("status"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_topups),
    Route("GET", f"{URL}/<topup_id>", retrieve),
    Route("POST", f"{URL}/<topup_id>", update),
    Route("POST", f"{URL}/<topup_id>/cancel", cancel),
)
