"""Charges: what a confirmed payment leaves, and the moment its money reaches the balance.

A charge succeeds before its balance transaction exists: `charge.succeeded` carries null, and
`charge.updated` brings the balance transaction when the charge settles.
"""

from __future__ import annotations

from marketplace.sandbox import balance, events
from marketplace.sandbox.cards import Card, fee
from marketplace.sandbox.currencies import exponent
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.state import settle_seconds
from marketplace.sandbox.store import Body, Tx, public

DAY = 86_400
TIMER = "charge.settle"
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


def attempt(tx: Tx, intent: Body, card: Card, *, email: str | None = None) -> Body:
    """Charge a card for an intent; the charge, succeeded or failed, with its event announced."""
    charge = _blank(tx, intent, card)
    charge["billing_details"]["email"] = email
    if card.decline is None:
        charge.update(paid=True, captured=True, status="succeeded")
        charge["amount_captured"] = charge["amount"]
        charge["outcome"] = _outcome("approved_by_network", "Payment complete.", "authorized")
    else:
        charge.update(status="failed", failure_code="card_declined", failure_message=card.advice)
        charge["outcome"] = {
            **_outcome("declined_by_network", card.advice, "issuer_declined"),
            "reason": card.decline,
        }
    charge["_settle_days"] = card.settle_days
    tx.insert(charge)
    events.announce(tx, f"charge.{charge['status']}", charge)
    return charge


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
    cost = fee(charge["amount"], exponent(charge["currency"]))
    charge["balance_transaction"] = balance.move(
        tx,
        balance.Movement(
            kind="charge",
            amount=charge["amount"],
            currency=charge["currency"],
            source=charge["id"],
            available_on=_available_on(tx.now, charge["_settle_days"]),
            description=charge["description"],
            fee=cost,
            fee_details=[
                {
                    "amount": cost,
                    "application": None,
                    "currency": charge["currency"],
                    "description": "Stripe processing fees",
                    "type": "stripe_fee",
                }
            ],
        ),
    )
    tx.save(charge)
    events.announce(tx, "charge.updated", charge, before=before)


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
    charge_id = tx.new_id("ch_")
    return {
        **blank_charge(tx, charge_id, intent["amount"], intent["currency"]),
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method": tx.new_id("pm_"),
        "payment_method_details": {"card": _card_details(card), "type": "card"},
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
    query.body_is("payment_intent", params.text("payment_intent"))
    query.body_is("transfer_group", params.text("transfer_group"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("GET", URL, list_charges),
    Route("GET", f"{URL}/<charge_id>", retrieve),
)
