"""Refunds: from the available balance back to the card, and what may still go wrong with them."""

from __future__ import annotations

from marketplace.sandbox import balance, charges, events, rates
from marketplace.sandbox.cards import CARD
from marketplace.sandbox.currencies import words
from marketplace.sandbox.errors import ApiError, no_such, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/refunds"
FAIL_TIMER = "refund.fail"
FINISH_TIMER = "refund.finish"
RETRY_TIMER = "refund.retry"
DAY = 86_400
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILURES = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)
_NOTHING = (
    "balance_transaction customer customer_account description failure_balance_transaction "
    "failure_reason payment_method receipt_number source_transfer_reversal transfer_reversal"
)


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/refunds, of a charge or of an intent's charge, whole or in part."""
    charge = _charge(tx, params)
    asked = params.whole("amount", least=1)
    reason = params.text("reason", choices=REASONS)
    metadata = params.metadata()
    params.accept("refund_application_fee", "reverse_transfer", "instructions_email")
    params.done()
    remaining = charge["amount"] - charge["amount_refunded"]
    amount = remaining if asked is None else asked
    _check(charge, amount, remaining)
    if charge["balance_transaction"] is None:
        # Money goes back only after it came, so the charge settles before its time.
        charges.settle(tx, charge["id"])
        charge = tx.need("charge", charge["id"], lock=True)
    refund = _blank(tx, charge, amount)
    refund.update(reason=reason, metadata=metadata)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    tx.save(charge)
    _try(tx, refund, charge)
    tx.insert(refund)
    events.announce(tx, "refund.created", refund)
    events.announce(tx, "charge.refunded", charge)
    return public(refund)


def _charge(tx: Tx, params: Params) -> Body:
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    if (charge_id is None) == (intent_id is None):
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    if intent_id is not None:
        intent = tx.find("payment_intent", intent_id)
        if intent is None:
            raise no_such("payment_intent", intent_id, param="payment_intent", status=400)
        charge_id = intent["latest_charge"] or ""
    charge = tx.find("charge", str(charge_id), lock=True)
    if charge is None:
        raise no_such("charge", str(charge_id), param="charge", status=400)
    return charge


def _check(charge: Body, amount: int, remaining: int) -> None:
    if charge["status"] != "succeeded":
        raise refused("This charge has not succeeded.", code="charge_not_refundable")
    if remaining == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if charge["disputed"] and charge.get("_charged_back"):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if amount > remaining:
        raise ApiError(
            f"Refund amount ({words(amount, charge['currency'])}) is greater than unrefunded "
            f"amount on charge ({words(remaining, charge['currency'])})",
            param="amount",
            executed=True,
        )


def _blank(tx: Tx, charge: Body, amount: int) -> Body:
    kind = (charge["payment_method_details"] or {"type": CARD})["type"]
    return {
        **dict.fromkeys(_NOTHING.split()),
        "id": tx.new_id("re_" if kind == CARD else "pyr_"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "destination_details": {kind: {"type": "refund"} if kind == CARD else {}, "type": kind},
        "payment_intent": charge["payment_intent"],
        "status": "pending",
        "_ending": charge.get("_refund", "succeeds"),
        "_kind": "refund" if kind == CARD else "payment_refund",
    }


def _try(tx: Tx, refund: Body, charge: Body) -> bool:
    """Take the money from the balance; without enough of it, the refund waits for more: False."""
    landed = rates.landing(tx, refund["amount"], refund["currency"])
    if landed.amount > balance.lock_available(tx, landed.currency):
        refund["pending_reason"] = "insufficient_funds"
        tx.schedule(RETRY_TIMER, refund["id"], (tx.now // DAY + 1) * DAY)
        return False
    refund.pop("pending_reason", None)
    refund["balance_transaction"] = balance.move(
        tx,
        balance.Movement(
            refund["_kind"],
            -landed.amount,
            landed.currency,
            refund["id"],
            tx.now,
            f"REFUND FOR {charge['description'] or 'CHARGE'}",
            rate=landed.rate,
        ),
    )
    if refund["_ending"] == "pending":
        refund["pending_reason"] = "processing"
        tx.schedule(FINISH_TIMER, refund["id"], tx.now + DAY)
        return True
    refund["status"] = "succeeded"
    if refund["_ending"] == "fails":
        tx.schedule(FAIL_TIMER, refund["id"], tx.now + DAY)
    return True


def retry(tx: Tx, refund_id: str) -> None:
    """What the timer does: try a refund again that lacked money."""
    refund = tx.need("refund", refund_id, lock=True)
    if refund["status"] != "pending" or refund["balance_transaction"] is not None:
        return
    if _try(tx, refund, tx.need("charge", refund["charge"])):
        _tell(tx, tx.save(refund))


def finish(tx: Tx, refund_id: str) -> None:
    """What the timer does: the card's bank has taken a pending refund."""
    refund = tx.need("refund", refund_id, lock=True)
    if refund["status"] == "pending" and refund["balance_transaction"] is not None:
        refund.pop("pending_reason", None)
        refund["status"] = "succeeded"
        tx.save(refund)
        _tell(tx, refund)


def fail(tx: Tx, refund_id: str, reason: str = "expired_or_canceled_card") -> None:
    """The card's bank sends a refund back, also days after it succeeded."""
    refund = tx.need("refund", refund_id, lock=True)
    if refund["status"] not in {"pending", "succeeded"}:
        raise ApiError(f"This refund is {refund['status']}; it cannot fail any more.")
    if refund["balance_transaction"] is not None:
        taken = balance.shown_transaction(tx, refund["balance_transaction"])
        refund["failure_balance_transaction"] = balance.move(
            tx,
            balance.Movement(
                "refund_failure", -taken["amount"], taken["currency"], refund_id, tx.now
            ),
        )
    refund.pop("pending_reason", None)
    refund.update(status="failed", failure_reason=reason)
    tx.save(refund)
    charge = tx.need("charge", refund["charge"], lock=True)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    tx.save(charge)
    events.announce(tx, "refund.failed", refund)
    _tell(tx, refund)


def _tell(tx: Tx, refund: Body) -> None:
    events.announce(tx, "refund.updated", refund)
    events.announce(tx, "charge.refund.updated", refund)


def update(tx: Tx, params: Params, refund_id: str) -> Body:
    """POST /v1/refunds/{id}: metadata."""
    refund = tx.need("refund", refund_id, lock=True)
    refund["metadata"] = params.metadata(refund["metadata"])
    params.done()
    tx.save(refund)
    _tell(tx, refund)
    return public(refund)


def cancel(tx: Tx, params: Params, refund_id: str) -> Body:
    """POST /v1/refunds/{id}/cancel, while it waits for money."""
    params.done()
    refund = tx.need("refund", refund_id, lock=True)
    if refund["status"] != "pending" or refund["balance_transaction"] is not None:
        raise refused("This refund can no longer be cancelled.", code="refund_not_cancelable")
    refund.pop("pending_reason", None)
    refund["status"] = "canceled"
    tx.save(refund)
    charge = tx.need("charge", refund["charge"], lock=True)
    charge["amount_refunded"] -= refund["amount"]
    tx.save(charge)
    _tell(tx, refund)
    return public(refund)


def retrieve(tx: Tx, params: Params, refund_id: str) -> Body:
    """GET /v1/refunds/{id}"""
    params.done()
    return public(tx.need("refund", refund_id))


def list_refunds(tx: Tx, params: Params) -> Body:
    """GET /v1/refunds, by charge, payment_intent and created."""
    query = of_kind("refund", URL)
    query.body_is("charge", params.text("charge"))
    query.body_is("payment_intent", params.text("payment_intent"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_refunds),
    Route("GET", f"{URL}/<refund_id>", retrieve),
    Route("POST", f"{URL}/<refund_id>", update),
    Route("POST", f"{URL}/<refund_id>/cancel", cancel),
)
