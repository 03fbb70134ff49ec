"""Payouts from a balance to a bank account: automatic each day, or made by hand.

A payout is in transit for a day of the clock, then paid; a test control makes it fail, before or
after, as a bank may send money back days later.
"""

from __future__ import annotations

from marketplace.sandbox import balance, events
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/payouts"
PLAN_TIMER = "payout.plan"
ARRIVE_TIMER = "payout.arrive"
DAY = 86_400
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account details on file are probably incorrect.",
    "account_frozen": "The bank account has been frozen.",
    "declined": "The bank has declined this transfer.",
}


def plan(tx: Tx, currency: str, available_on: int) -> None:
    """Have the acting account's money paid out on the next day after it is available."""
    tx.schedule(PLAN_TIMER, currency, (available_on // DAY + 1) * DAY)


def pay_out_available(tx: Tx, currency: str) -> None:
    """What the daily timer does: pay out everything, when the schedule and the account allow."""
    account = tx.acting_for("").find("account", tx.account)
    if account is None or account["settings"]["payouts"]["schedule"]["interval"] == "manual":
        return
    available = balance.lock_available(tx, currency)
    if available > 0 and account["payouts_enabled"]:
        bank = account["external_accounts"]["data"][0]["id"]
        facts: Body = {"description": "STRIPE PAYOUT", "metadata": {}}
        payout = _send(tx, currency, available, bank, facts, automatic=True)
        balance.claim_for_payout(tx, currency, payout["id"])
    if any(row["available"] or row["pending"] for row in balance.amounts(tx)):
        plan(tx, currency, tx.now)


def _send(
    tx: Tx, currency: str, amount: int, bank: str | None, facts: Body, *, automatic: bool
) -> Body:
    payout_id = tx.new_id("po_")
    leaving = balance.Movement("payout", -amount, currency, payout_id, tx.now, facts["description"])
    payout: Body = {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": (tx.now // DAY + 1) * DAY,
        "automatic": automatic,
        "balance_transaction": balance.move(tx, leaving),
        "created": tx.now,
        "currency": currency,
        "destination": bank,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        **facts,
    }
    tx.insert(payout)
    events.announce(tx, "payout.created", payout)
    tx.schedule(ARRIVE_TIMER, payout_id, payout["arrival_date"])
    return payout


def arrive(tx: Tx, payout_id: str) -> None:
    """What the arrival timer does: the payout is paid, and reconciled when it was automatic."""
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] != "in_transit":
        return
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": f"SBX{payout_id[-12:].upper()}"}
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
    tx.save(payout)
    events.announce(tx, "payout.paid", payout)
    if payout["automatic"]:
        events.announce(tx, "payout.reconciliation_completed", payout)


def fail(tx: Tx, payout_id: str, code: str) -> None:
    """A test control: the bank sends the money back, also after the payout was paid."""
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] not in {"in_transit", "paid"}:
        raise ApiError(f"This payout is {payout['status']}; it cannot fail any more.")
    returned = balance.Movement(
        "payout_failure", payout["amount"], payout["currency"], payout_id, tx.now
    )
    payout.update(
        status="failed",
        failure_code=code,
        failure_message=FAILURES.get(code, "The bank returned the payout."),
        failure_balance_transaction=balance.move(tx, returned),
    )
    tx.save(payout)
    events.announce(tx, "payout.failed", payout)


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/payouts, from the acting account's available balance."""
    currency = known(params.needed("currency"))
    amount = params.needed_whole("amount")
    params.text("method", choices=("standard",))
    facts: Body = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "statement_descriptor": params.text("statement_descriptor", most=22),
    }
    params.done()
    bank = _bank(tx)
    if amount > balance.lock_available(tx, currency):
        raise refused(
            "You have insufficient funds in your Stripe account for this payout.",
            code="balance_insufficient",
        )
    return public(_send(tx, currency, amount, bank, facts, automatic=False))


def _bank(tx: Tx) -> str | None:
    if not tx.account:
        return None
    account = tx.acting_for("").need("account", tx.account)
    if not account["payouts_enabled"]:
        raise refused("Payouts are not enabled on this account.", code="payouts_not_allowed")
    return str(account["external_accounts"]["data"][0]["id"])


def cancel(tx: Tx, params: Params, payout_id: str) -> Body:
    """POST /v1/payouts/{id}/cancel, while it is in transit and was made by hand."""
    params.done()
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] != "in_transit" or payout["automatic"]:
        raise refused("This payout can no longer be cancelled.", code="payout_not_cancellable")
    back = balance.Movement(
        "payout_cancel", payout["amount"], payout["currency"], payout_id, tx.now
    )
    payout.update(status="canceled", failure_balance_transaction=balance.move(tx, back))
    tx.save(payout)
    events.announce(tx, "payout.canceled", payout)
    return public(payout)


def retrieve(tx: Tx, params: Params, payout_id: str) -> Body:
    """GET /v1/payouts/{id}"""
    params.done()
    return public(tx.need("payout", payout_id))


def list_payouts(tx: Tx, params: Params) -> Body:
    """GET /v1/payouts, by status, destination, arrival_date and created."""
    query = of_kind("payout", URL)
    query.body_is("status", params.text("status"))
    query.body_is("destination", params.text("destination"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_payouts),
    Route("GET", f"{URL}/<payout_id>", retrieve),
    Route("POST", f"{URL}/<payout_id>/cancel", cancel),
)
