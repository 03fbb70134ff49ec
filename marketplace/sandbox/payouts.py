"""Payouts from a balance to a bank account: automatic on a schedule, or made by hand.

A payout made by hand is pending for an hour, in transit until the next day of the clock, then
paid; an automatic one begins in transit. A bank may send money back, also days after it was paid:
the account behind it then counts as errored until its owner mends it.
"""

from __future__ import annotations

import copy

from psycopg import sql

from marketplace.sandbox import accounts, balance, bank, events
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.schedules import is_due, settings_of
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/payouts"
PLAN_TIMER = "payout.plan"
LEAVE_TIMER = "payout.leave"
ARRIVE_TIMER = "payout.arrive"
DAY = 86_400
PENDING_SECONDS = 3_600
REVERSIBLE_SECONDS = 90 * DAY
REVERSIBLE_IN = frozenset({"US", "CA"})
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account details on file are probably incorrect.",
    "account_frozen": "The bank account has been frozen.",
    "declined": "The bank has declined this transfer.",
}
_HARMLESS = frozenset({"declined", "could_not_process", "insufficient_funds"})


def plan(tx: Tx, currency: str, available_on: int) -> None:
    """Have the acting account's money paid out on the next day after it is available."""
    tx.schedule(PLAN_TIMER, currency, (available_on // DAY + 1) * DAY)


def pay_out_available(tx: Tx, currency: str) -> None:
    """What the daily timer does: pay out what may leave, when schedule and account allow."""
    account = tx.acting_for("").find("account", tx.account) if tx.account else None
    if tx.account and account is None:
        return
    settings = settings_of(tx)
    if settings["schedule"]["interval"] == "manual":
        return
    amount = balance.lock_available(tx, currency) - settings["minimum"].get(currency, 0)
    open_ = account is None or account["payouts_enabled"]
    if amount > 0 and open_ and is_due(settings["schedule"], tx.now):
        behind = None if account is None else account["external_accounts"]["data"][0]["id"]
        facts: Body = {"description": "STRIPE PAYOUT", "metadata": {}}
        payout = _send(tx, currency, amount, behind, facts, automatic=True)
        balance.claim_for_payout(tx, currency, payout["id"])
    if not tx.account or any(row["available"] or row["pending"] for row in balance.amounts(tx)):
        plan(tx, currency, tx.now)


def _send(
    tx: Tx, currency: str, amount: int, behind: str | None, facts: Body, *, automatic: bool
) -> Body:
    """A payout on its way. amount: negative for one that takes money back from a bank."""
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
        "destination": behind,
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
        "status": "in_transit" if automatic else "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
        **facts,
    }
    tx.insert(payout)
    events.announce(tx, "payout.created", payout)
    if not automatic:
        tx.schedule(LEAVE_TIMER, payout_id, min(tx.now + PENDING_SECONDS, payout["arrival_date"]))
    tx.schedule(ARRIVE_TIMER, payout_id, payout["arrival_date"])
    return payout


def leave(tx: Tx, payout_id: str) -> None:
    """What the first timer does: a payout made by hand is handed to the bank."""
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] == "pending":
        before = dict(payout)
        payout["status"] = "in_transit"
        tx.save(payout)
        events.announce(tx, "payout.updated", payout, before=before)


def arrive(tx: Tx, payout_id: str) -> None:
    """What the arrival timer does: the payout is paid, and reconciled when it was automatic."""
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] not in {"pending", "in_transit"}:
        return
    trace = f"SBX{payout_id[-12:].upper()}"
    payout.update(status="paid", trace_id={"status": "supported", "value": trace})
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
    tx.save(payout)
    _at_the_bank(tx, payout, payout["amount"], "payout")
    events.announce(tx, "payout.paid", payout)
    if payout["automatic"]:
        events.announce(tx, "payout.reconciliation_completed", payout)


def _at_the_bank(tx: Tx, payout: Body, amount: int, kind: str) -> None:
    """The platform's own payouts are seen at its bank; specialists' banks are not emulated."""
    if tx.account == "":
        said = f"STRIPE PAYOUT {payout['trace_id']['value']}"
        line = bank.Line(bank.CLIENT_FUNDS, payout["currency"], amount, said, "STRIPE", kind)
        bank.book(tx, line, source=payout["id"])


def fail(tx: Tx, payout_id: str, code: str) -> None:
    """A test control: the bank sends the money back, also after the payout was paid."""
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] not in {"pending", "in_transit", "paid"}:
        raise ApiError(f"This payout is {payout['status']}; it cannot fail any more.")
    if payout["status"] == "paid":
        _at_the_bank(tx, payout, -payout["amount"], "return")
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
    if tx.account:
        plan(tx, payout["currency"], tx.now)
    if tx.account and code not in _HARMLESS:
        _disable_bank(tx.acting_for(""), tx.account)
    events.announce(tx, "payout.failed", payout)


def _disable_bank(platform: Tx, account_id: str) -> None:
    account = platform.need("account", account_id, lock=True)
    before = copy.deepcopy(account)
    behind = account["external_accounts"]["data"]
    if behind:
        behind[0]["status"] = "errored"
        there = platform.acting_for(account_id)
        events.announce(there, "account.external_account.updated", behind[0])
        accounts.changed(platform, before, account)


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/payouts, from the acting account's available balance."""
    currency = known(params.needed("currency"))
    amount = params.needed_whole("amount")
    params.text("method", choices=("standard",))
    params.text("source_type", choices=("bank_account", "card", "fpx"))
    facts: Body = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "statement_descriptor": params.text("statement_descriptor", most=22),
    }
    params.accept("destination", "payout_method")
    params.done()
    behind = _bank(tx)
    if amount > balance.lock_available(tx, currency):
        raise refused(
            "You have insufficient funds in your Stripe account for this payout.",
            code="balance_insufficient",
        )
    return public(_send(tx, currency, amount, behind, facts, automatic=False))


def _bank(tx: Tx) -> str | None:
    if not tx.account:
        return None
    account = tx.acting_for("").need("account", tx.account)
    if not account["payouts_enabled"]:
        raise refused("Payouts are not enabled on this account.", code="payouts_not_allowed")
    return str(account["external_accounts"]["data"][0]["id"])


def cancel(tx: Tx, params: Params, payout_id: str) -> Body:
    """POST /v1/payouts/{id}/cancel, while it is pending and was made by hand."""
    params.done()
    payout = tx.need("payout", payout_id, lock=True)
    if payout["status"] != "pending" or payout["automatic"]:
        raise refused("This payout can no longer be cancelled.", code="payout_not_cancellable")
    back = balance.Movement(
        "payout_cancel", payout["amount"], payout["currency"], payout_id, tx.now
    )
    payout.update(status="canceled", failure_balance_transaction=balance.move(tx, back))
    tx.save(payout)
    events.announce(tx, "payout.canceled", payout)
    return public(payout)


def reverse(tx: Tx, params: Params, payout_id: str) -> Body:
    """POST /v1/payouts/{id}/reverse: a payout of a negative amount, back from an account's bank."""
    metadata = params.metadata()
    params.done()
    payout = tx.need("payout", payout_id, lock=True)
    account = tx.acting_for("").find("account", tx.account)
    if account is None or account["country"] not in REVERSIBLE_IN:
        raise refused(
            "Only payouts of connected accounts to banks in the US and Canada can be reversed.",
            code="payout_reversal_not_allowed",
        )
    late = tx.now - payout["arrival_date"] > REVERSIBLE_SECONDS
    if payout["status"] not in {"in_transit", "paid"} or payout["original_payout"] or late:
        raise refused("This payout cannot be reversed.", code="payout_reversal_not_allowed")
    if payout["reversed_by"] is not None:
        raise refused("This payout has been reversed already.", code="payout_already_reversed")
    facts: Body = {"description": None, "metadata": metadata, "original_payout": payout_id}
    back = _send(
        tx, payout["currency"], -payout["amount"], payout["destination"], facts, automatic=False
    )
    before = dict(payout)
    payout["reversed_by"] = back["id"]
    tx.save(payout)
    events.announce(tx, "payout.updated", payout, before=before)
    return public(back)


def update(tx: Tx, params: Params, payout_id: str) -> Body:
    """POST /v1/payouts/{id}: metadata."""
    payout = tx.need("payout", payout_id, lock=True)
    before = dict(payout)
    payout["metadata"] = params.metadata(payout["metadata"])
    params.done()
    tx.save(payout)
    events.announce(tx, "payout.updated", payout, before=before)
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
    query.within(params, "arrival_date", sql.SQL("(body->>'arrival_date')::bigint"))
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_payouts),
    Route("GET", f"{URL}/<payout_id>", retrieve),
    Route("POST", f"{URL}/<payout_id>", update),
    Route("POST", f"{URL}/<payout_id>/cancel", cancel),
    Route("POST", f"{URL}/<payout_id>/reverse", reverse),
)
