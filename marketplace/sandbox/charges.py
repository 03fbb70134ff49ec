"""Charges: what a confirmed payment leaves, and the moment its money reaches the balance.

A charge succeeds before its balance transaction exists: `charge.succeeded` carries null, and
`charge.updated` brings the balance transaction when the charge settles.
"""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.sandbox import balance, events, rates
from marketplace.sandbox.cards import BANK_DEBIT, CARD, Card, fee
from marketplace.sandbox.currencies import exponent
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.state import settle_seconds
from marketplace.sandbox.store import Body, Tx, public

DAY = 86_400
TIMER = "charge.settle"
DISPUTE_TIMER = "charge.dispute"
URL = "/v1/charges"
# Fields that the API shows and that mean nothing yet.
_NOTHING = (
    "application application_fee application_fee_amount balance_transaction "
    "calculated_statement_descriptor customer description failure_balance_transaction "
    "failure_code failure_message on_behalf_of outcome payment_intent payment_method "
    "payment_method_details receipt_email receipt_number receipt_url review shipping source "
    "source_transfer statement_descriptor statement_descriptor_suffix transfer_data "
    "transfer_group"
)


def attempt(
    tx: Tx, intent: Body, card: Card, *, email: str | None = None, decline: Decline | None = None
) -> Body:
    """Charge a card for an intent; the charge with its event announced.

    It has succeeded or failed, or is pending where a bank takes days to say so. decline: a refusal
    that is not the card's own.
    """
    charge = _blank(tx, intent, card)
    charge["billing_details"]["email"] = email
    charge.update(_settle_days=card.settle_days, _dispute=card.dispute, _refund=card.refund)
    refusal = decline or (Decline(card.decline, card.advice) if card.decline else None)
    if card.confirm_days:
        charge.update(status="pending", paid=False, captured=True)
    elif refusal is None:
        succeed(charge)
    else:
        refuse(charge, refusal)
    tx.insert(charge)
    events.announce(tx, f"charge.{charge['status']}", charge)
    return charge


@dataclass(frozen=True)
class Decline:
    """Why a payment is refused: the bank's code, and a sentence for the payer."""

    code: str
    advice: str


def succeed(charge: Body) -> None:
    """The bank says yes; the caller saves and announces."""
    charge.update(paid=True, captured=True, status="succeeded")
    charge["amount_captured"] = charge["amount"]
    charge["outcome"] = _outcome("approved_by_network", "Payment complete.", "authorized")


def refuse(charge: Body, decline: Decline) -> None:
    """The bank says no; the caller saves and announces."""
    code = "card_declined" if charge["payment_method_details"]["type"] == CARD else decline.code
    charge.update(status="failed", paid=False, failure_code=code, failure_message=decline.advice)
    charge["outcome"] = {
        **_outcome("declined_by_network", decline.advice, "issuer_declined"),
        "reason": decline.code,
    }


def settle_later(tx: Tx, charge: Body) -> None:
    """Have the balance transaction appear after the configured delay, or now when there is none."""
    delay = settle_seconds(tx)
    if delay == 0:
        settle(tx, charge["id"])
    else:
        tx.schedule(TIMER, charge["id"], tx.now + delay)


def settle(tx: Tx, charge_id: str) -> None:
    """Give a succeeded charge its balance transaction, once, and announce `charge.updated`."""
    charge = tx.need("charge", charge_id, lock=True)
    if charge["balance_transaction"] is not None or charge["status"] != "succeeded":
        return
    before = dict(charge)
    landed = rates.landing(tx, charge["amount"], charge["currency"])
    kind = charge["payment_method_details"]["type"]
    cost = fee(landed.amount, exponent(landed.currency), kind)
    charge["balance_transaction"] = balance.move(
        tx,
        balance.Movement(
            kind="charge" if kind == CARD else "payment",
            amount=landed.amount,
            currency=landed.currency,
            source=charge["id"],
            available_on=_available_on(tx.now, charge["_settle_days"]),
            description=charge["description"],
            fee=cost,
            fee_details=[balance.fee_detail(cost, landed.currency)],
            rate=landed.rate,
        ),
    )
    tx.save(charge)
    events.announce(tx, "charge.updated", charge, before=before)
    if charge.get("_dispute"):
        tx.schedule(DISPUTE_TIMER, charge["id"], tx.now)


def come_back(tx: Tx, charge_id: str, decline: Decline) -> Body:
    """A bank takes a debit back after it succeeded; the charge, which has failed after all."""
    charge = tx.need("charge", charge_id, lock=True)
    is_debit = (charge["payment_method_details"] or {}).get("type") == BANK_DEBIT
    if charge["status"] != "succeeded" or charge["balance_transaction"] is None or not is_debit:
        raise ApiError("Only a bank debit that succeeded and settled can come back.")
    settled = balance.shown_transaction(tx, charge["balance_transaction"])
    refuse(charge, decline)
    charge["failure_balance_transaction"] = balance.move(
        tx,
        balance.Movement(
            "payment_failure_refund", -settled["amount"], settled["currency"], charge_id, tx.now
        ),
    )
    tx.save(charge)
    events.announce(tx, "charge.failed", charge)
    return charge


def _available_on(now: int, days: int) -> int:
    # Pending money turns available at midnight UTC, as Stripe's own `available_on` does.
    return now if days == 0 else (now // DAY + days) * DAY


def _outcome(status: str, message: str, kind: str) -> Body:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": status,
        "reason": None,
        "risk_level": "normal",
        "seller_message": message,
        "type": kind,
    }


def _blank(tx: Tx, intent: Body, card: Card) -> Body:
    charge_id = tx.new_id("ch_" if card.kind == CARD else "py_")
    return {
        **blank_charge(tx, charge_id, intent["amount"], intent["currency"]),
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "customer": intent["customer"],
        "payment_method": intent.get("_saved") or tx.new_id("pm_"),
        "payment_method_details": method_details(card),
        "receipt_email": intent["receipt_email"],
        "transfer_group": intent["transfer_group"],
    }


def blank_charge(tx: Tx, charge_id: str, amount: int, currency: str) -> Body:
    """A charge with every field that the API shows, none of them happened yet."""
    nothing = dict.fromkeys(_NOTHING.split())
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        **nothing,
        "id": charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {
            "address": address,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": False,
        "created": tx.now,
        "currency": currency,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": False,
        "refunded": False,
        "status": "pending",
    }


def method_details(card: Card) -> Body:
    """How it was paid, as it stands on a charge."""
    if card.kind == BANK_DEBIT:
        account = {
            "account_holder_type": "company",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "fingerprint": f"sandbox{card.last4}",
            "last4": card.last4,
            "mandate": None,
            "payment_reference": None,
            "routing_number": "110000000",
        }
        return {BANK_DEBIT: account, "type": BANK_DEBIT}
    return {"card": _card_details(card), "type": CARD} if card.kind == CARD else _other(card)


def _other(card: Card) -> Body:
    return {card.kind: {}, "type": card.kind}


def _card_details(card: Card) -> Body:
    return {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"sandbox{card.last4}",
        "funding": "credit",
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": "visa",
        "three_d_secure": None,
        "wallet": None,
    }


def retrieve(tx: Tx, params: Params, charge_id: str) -> Body:
    """GET /v1/charges/{id}"""
    params.done()
    return public(tx.need("charge", charge_id))


def list_charges(tx: Tx, params: Params) -> Body:
    """GET /v1/charges, by payment_intent, transfer_group and created."""
    query = of_kind("charge", URL)
    query.body_is("customer", params.text("customer"))
    query.body_is("payment_intent", params.text("payment_intent"))
    query.body_is("transfer_group", params.text("transfer_group"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("GET", URL, list_charges),
    Route("GET", f"{URL}/<charge_id>", retrieve),
)
