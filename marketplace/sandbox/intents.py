"""Payment intents: what is to be paid, what became of it, and its end without a payment."""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import charges, events
from marketplace.sandbox.cards import BY_TOKEN, Card
from marketplace.sandbox.errors import refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/payment_intents"
TIMER = "payment.confirm"
AUTHENTICATE = charges.Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
# Fields that the API shows and that mean nothing yet.
_NOTHING = (
    "application application_fee_amount automatic_payment_methods canceled_at "
    "cancellation_reason customer description last_payment_error latest_charge next_action "
    "on_behalf_of payment_method payment_method_configuration_details processing "
    "receipt_email review setup_future_usage shipping source statement_descriptor "
    "statement_descriptor_suffix transfer_data transfer_group"
)


def open_intent(
    tx: Tx,
    *,
    amount: int,
    currency: str,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    transfer_group: str | None = None,
    receipt_email: str | None = None,
    customer: str | None = None,
    setup_future_usage: str | None = None,
    methods: list[str] | None = None,
) -> Body:
    """A new intent that waits for a payment method, stored and announced."""
    intent_id = tx.new_id("pi_")
    intent = tx.insert(
        {
            **_blank(tx, intent_id),
            "amount": amount,
            "currency": currency,
            "description": description,
            "metadata": metadata or {},
            "transfer_group": transfer_group,
            "receipt_email": receipt_email,
            "customer": customer,
            "setup_future_usage": setup_future_usage,
            "payment_method_types": methods or ["card"],
        }
    )
    events.announce(tx, "payment_intent.created", intent)
    return intent


def _blank(tx: Tx, intent_id: str) -> Body:
    nothing: dict[str, Any] = dict.fromkeys(_NOTHING.split())
    return {
        **nothing,
        "id": intent_id,
        "object": "payment_intent",
        "amount": 0,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": tx.new_id(f"{intent_id}_secret_"),
        "confirmation_method": "automatic",
        "created": tx.now,
        "currency": "usd",
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def pay(tx: Tx, intent: Body, card: Card, *, email: str | None = None, away: bool = False) -> Body:
    """Charge the card for the intent and announce the outcome; the charge.

    The intent is changed in place and saved: succeeded, processing while a bank thinks, or back
    to requires_payment_method. away: whether the card's holder is, as in an `off_session` call.
    """
    decline = AUTHENTICATE if card.present_only and away else None
    charge = charges.attempt(tx, intent, card, email=email, decline=decline)
    intent.update(latest_charge=charge["id"], _card=card.token, next_action=None)
    if charge["status"] == "pending":
        intent.update(status="processing", payment_method=charge["payment_method"])
        events.announce(tx, "payment_intent.processing", tx.save(intent))
        tx.schedule(TIMER, charge["id"], tx.now + card.confirm_days * charges.DAY)
    else:
        conclude(tx, intent, charge)
    return charge


def conclude(tx: Tx, intent: Body, charge: Body) -> None:
    """Take what became of the charge over to its intent."""
    if charge["status"] == "succeeded":
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            payment_method=charge["payment_method"],
            last_payment_error=None,
        )
        events.announce(tx, "payment_intent.succeeded", tx.save(intent))
    else:
        intent.update(status="requires_payment_method", last_payment_error=decline_of(charge))
        events.announce(tx, "payment_intent.payment_failed", tx.save(intent))


def confirm_delayed(tx: Tx, charge_id: str) -> Body:
    """The bank has made up its mind about a debit; the intent."""
    charge = tx.need("charge", charge_id, lock=True)
    intent = tx.need("payment_intent", charge["payment_intent"], lock=True)
    card = BY_TOKEN[intent["_card"]]
    if card.decline is None:
        charges.succeed(charge)
    else:
        charges.refuse(charge, charges.Decline(card.decline, card.advice))
    tx.save(charge)
    events.announce(tx, f"charge.{charge['status']}", charge)
    conclude(tx, intent, charge)
    if charge["status"] == "succeeded":
        charges.settle_later(tx, charge)
    return intent


def decline_of(charge: Body) -> Body:
    """The error of a declined charge, as it stands in an answer and on the intent."""
    reason = charge["outcome"]["reason"]
    code = reason if reason == AUTHENTICATE.code else charge["failure_code"]
    return {
        "charge": charge["id"],
        "code": code,
        "decline_code": reason,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": charge["failure_message"],
        "type": "card_error",
    }


def cancel(tx: Tx, params: Params, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}/cancel"""
    intent = tx.need("payment_intent", intent_id, lock=True)
    reason = params.text("cancellation_reason", choices=CANCEL_REASONS)
    params.done()
    if intent["status"] not in OPEN:
        raise refused(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    intent.update(status="canceled", canceled_at=tx.now, cancellation_reason=reason)
    events.announce(tx, "payment_intent.canceled", tx.save(intent))
    return public(intent)


def update(tx: Tx, params: Params, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}: description, metadata, transfer_group."""
    intent = tx.need("payment_intent", intent_id, lock=True)
    for name in ("description", "transfer_group"):
        if params.has(name):
            intent[name] = params.text(name)
    intent["metadata"] = params.metadata(intent["metadata"])
    params.done()
    return public(tx.save(intent))


def retrieve(tx: Tx, params: Params, intent_id: str) -> Body:
    """GET /v1/payment_intents/{id}"""
    params.accept("client_secret")
    params.done()
    return public(tx.need("payment_intent", intent_id))


def list_intents(tx: Tx, params: Params) -> Body:
    """GET /v1/payment_intents, by created."""
    query = of_kind("payment_intent", URL)
    query.body_is("customer", params.text("customer"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("GET", URL, list_intents),
    Route("GET", f"{URL}/<intent_id>", retrieve),
    Route("POST", f"{URL}/<intent_id>", update),
    Route("POST", f"{URL}/<intent_id>/cancel", cancel),
)
