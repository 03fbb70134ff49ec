"""Saved cards and bank accounts, and the intents that save them without a payment."""

from __future__ import annotations

from marketplace.sandbox import customers, events
from marketplace.sandbox.cards import BY_TOKEN, CARD, Card
from marketplace.sandbox.charges import method_details
from marketplace.sandbox.errors import ApiError, no_such, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/payment_methods"
SETUP_URL = "/v1/setup_intents"
_BILLING = ("email", "name", "phone", "tax_id")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def keep(tx: Tx, card: Card, customer_id: str) -> Body:
    """Save a card for a customer; the payment method."""
    method = _stored(tx, card)
    return _attached(tx, method, customer_id)


def _stored(tx: Tx, card: Card) -> Body:
    details = method_details(card)
    if card.kind == CARD:
        kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
        shown = {name: details[CARD][name] for name in (*kept, "last4", "wallet")}
        shown |= {
            "display_brand": "visa",
            "generated_from": None,
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
        }
        details = {**details, CARD: shown}
    return tx.insert(
        {
            "id": tx.new_id("pm_"),
            "object": "payment_method",
            "allow_redisplay": "limited",
            "billing_details": {**dict.fromkeys(_BILLING), "address": dict.fromkeys(_ADDRESS)},
            "created": tx.now,
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": {},
            **details,
            "_card": card.token,
        }
    )


def _attached(tx: Tx, method: Body, customer_id: str) -> Body:
    customers.existing(tx, customer_id)
    if method["customer"] not in {None, customer_id}:
        raise refused(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )
    method["customer"] = customer_id
    tx.save(method)
    events.announce(tx, "payment_method.attached", method)
    return method


def chosen(tx: Tx, name: str, customer_id: str | None) -> tuple[Card, str | None]:
    """The card that a call names, with the id of the saved method that it is, if it is one."""
    if name in BY_TOKEN:
        return BY_TOKEN[name], None
    method = tx.find("payment_method", name)
    if method is None:
        raise no_such("PaymentMethod", name, param="payment_method", status=400)
    if method["customer"] is not None and method["customer"] != customer_id:
        raise ApiError(
            "The provided PaymentMethod belongs to a customer; provide that customer.",
            code="payment_method_customer_mismatch",
            param="payment_method",
        )
    return BY_TOKEN[method["_card"]], str(method["id"])


def attach(tx: Tx, params: Params, method_id: str) -> Body:
    """POST /v1/payment_methods/{id}/attach; a test token becomes a method of its own."""
    customer_id = params.needed("customer")
    params.done()
    if method_id in BY_TOKEN:
        return public(keep(tx, BY_TOKEN[method_id], customer_id))
    method = tx.need("payment_method", method_id, lock=True)
    return public(_attached(tx, method, customer_id))


def detach(tx: Tx, params: Params, method_id: str) -> Body:
    """POST /v1/payment_methods/{id}/detach; it cannot be used again."""
    params.done()
    method = tx.need("payment_method", method_id, lock=True)
    before = dict(method)
    method["customer"] = None
    tx.save(method)
    events.announce(tx, "payment_method.detached", method, before=before)
    return public(method)


def retrieve(tx: Tx, params: Params, method_id: str) -> Body:
    """GET /v1/payment_methods/{id}"""
    params.done()
    return public(tx.need("payment_method", method_id))


def list_methods(tx: Tx, params: Params, customer_id: str | None = None) -> Body:
    """GET /v1/payment_methods or /v1/customers/{id}/payment_methods, by customer and type."""
    url = URL if customer_id is None else f"{customers.URL}/{customer_id}/payment_methods"
    owner = params.needed("customer") if customer_id is None else customer_id
    query = of_kind("payment_method", url)
    query.body_is("customer", owner)
    query.body_is("type", params.text("type"))
    return page(tx, query, params)


def set_up(tx: Tx, customer_id: str, card: Card, metadata: dict[str, str]) -> Body:
    """A setup intent that succeeded, whose payment method is the customer's now."""
    method = keep(tx, card, customer_id)
    intent = _setup(tx, customer_id, metadata)
    intent.update(payment_method=method["id"], status="succeeded")
    tx.insert(intent)
    events.announce(tx, "setup_intent.created", intent)
    events.announce(tx, "setup_intent.succeeded", intent)
    return intent


def _setup(tx: Tx, customer_id: str | None, metadata: dict[str, str]) -> Body:
    intent_id = tx.new_id("seti_")
    nothing = (
        "application automatic_payment_methods cancellation_reason customer_account description "
        "excluded_payment_method_types flow_directions last_setup_error latest_attempt mandate "
        "next_action on_behalf_of payment_method payment_method_configuration_details "
        "single_use_mandate"
    )
    return {
        **dict.fromkeys(nothing.split()),
        "id": intent_id,
        "object": "setup_intent",
        "client_secret": tx.new_id(f"{intent_id}_secret_"),
        "created": tx.now,
        "customer": customer_id,
        "livemode": False,
        "metadata": metadata,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }


def create_setup(tx: Tx, params: Params) -> Body:
    """POST /v1/setup_intents with customer, payment_method and confirm."""
    customer_id = params.needed("customer")
    customers.existing(tx, customer_id)
    name = params.text("payment_method")
    confirm = params.flag("confirm")
    params.accept("usage", "payment_method_types", "automatic_payment_methods", "return_url")
    metadata = params.metadata()
    params.done()
    if name is not None and confirm:
        return public(set_up(tx, customer_id, chosen(tx, name, customer_id)[0], metadata))
    intent = tx.insert(_setup(tx, customer_id, metadata))
    events.announce(tx, "setup_intent.created", intent)
    return public(intent)


def retrieve_setup(tx: Tx, params: Params, intent_id: str) -> Body:
    """GET /v1/setup_intents/{id}"""
    params.accept("client_secret")
    params.done()
    return public(tx.need("setup_intent", intent_id))


ROUTES = (
    Route("GET", URL, list_methods),
    Route("GET", f"{URL}/<method_id>", retrieve),
    Route("POST", f"{URL}/<method_id>/attach", attach),
    Route("POST", f"{URL}/<method_id>/detach", detach),
    Route("GET", f"{customers.URL}/<customer_id>/payment_methods", list_methods),
    Route("POST", SETUP_URL, create_setup),
    Route("GET", f"{SETUP_URL}/<intent_id>", retrieve_setup),
)
