"""Payment intents: created, confirmed with a test card, cancelled."""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import charges, events
from marketplace.sandbox.cards import BY_TOKEN, Card
from marketplace.sandbox.currencies import chargeable, known
from marketplace.sandbox.errors import no_such, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Answer, Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/payment_intents"
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


def pay(tx: Tx, intent: Body, card: Card, *, email: str | None = None) -> Body:
    """Charge the card for the intent and announce the outcome; the charge.

    The intent is changed in place and saved: succeeded, or back to requires_payment_method.
    """
    charge = charges.attempt(tx, intent, card, email=email)
    intent["latest_charge"] = charge["id"]
    if charge["status"] == "succeeded":
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            payment_method=charge["payment_method"],
            last_payment_error=None,
        )
        events.announce(tx, "payment_intent.succeeded", tx.save(intent))
    else:
        intent.update(status="requires_payment_method", last_payment_error=decline(charge))
        events.announce(tx, "payment_intent.payment_failed", tx.save(intent))
    return charge


def decline(charge: Body) -> Body:
    """The error of a declined charge, as it stands in an answer and on the intent."""
    return {
        "charge": charge["id"],
        "code": "card_declined",
        "decline_code": charge["outcome"]["reason"],
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": charge["failure_message"],
        "type": "card_error",
    }


def create(tx: Tx, params: Params) -> Body | Answer:
    """POST /v1/payment_intents, with `confirm` for both steps in one."""
    currency = known(params.needed("currency"))
    amount = chargeable(params.needed_whole("amount"), currency)
    card = _card(params)
    params.accept("automatic_payment_methods", "payment_method_types", "return_url", "off_session")
    confirm = params.flag("confirm")
    facts = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "transfer_group": params.text("transfer_group"),
        "receipt_email": params.text("receipt_email"),
    }
    params.done()
    intent = open_intent(tx, amount=amount, currency=currency, **facts)  # type: ignore[arg-type]
    if card is not None:
        intent["_card"] = card.token
        intent["status"] = "requires_confirmation"
        tx.save(intent)
    return _confirmed(tx, intent) if confirm else public(intent)


def _card(params: Params) -> Card | None:
    token = params.text("payment_method")
    if token is None:
        return None
    if token not in BY_TOKEN:
        raise no_such("PaymentMethod", token, param="payment_method", status=400)
    return BY_TOKEN[token]


def _confirmed(tx: Tx, intent: Body) -> Body | Answer:
    card = BY_TOKEN.get(intent.get("_card", ""))
    if card is None or intent["status"] not in OPEN:
        raise refused(
            f"This PaymentIntent cannot be confirmed: its status is {intent['status']}"
            " and it needs a payment method.",
            code="payment_intent_unexpected_state",
        )
    charge = pay(tx, intent, card)
    if charge["status"] != "succeeded":
        return Answer(402, {"error": {**decline(charge), "payment_intent": public(intent)}})
    charges.settle_later(tx, charge)
    return public(intent)


def confirm_intent(tx: Tx, params: Params, intent_id: str) -> Body | Answer:
    """POST /v1/payment_intents/{id}/confirm"""
    intent = tx.need("payment_intent", intent_id, lock=True)
    card = _card(params)
    params.accept("return_url", "off_session")
    params.done()
    if card is not None:
        intent["_card"] = card.token
    return _confirmed(tx, intent)


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
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_intents),
    Route("GET", f"{URL}/<intent_id>", retrieve),
    Route("POST", f"{URL}/<intent_id>", update),
    Route("POST", f"{URL}/<intent_id>/confirm", confirm_intent),
    Route("POST", f"{URL}/<intent_id>/cancel", cancel),
)
