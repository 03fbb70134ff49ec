"""Checkout sessions: a page to pay on, hosted here, that sends the payer back when done.

In `setup` mode the page saves a card and charges nothing.
"""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import charges, customers, events, intents, payment_methods
from marketplace.sandbox.cards import CARD, Card
from marketplace.sandbox.currencies import chargeable, known
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/checkout/sessions"
PAGE = "/checkout/pay"
TIMER = "checkout.expire"
OPEN_SECONDS = 24 * 3_600
OPEN_SECONDS_MIN = 30 * 60
# Fields that the API shows and that mean nothing yet.
_NOTHING = (
    "after_expiration allow_promotion_codes billing_address_collection client_secret "
    "collected_information consent consent_collection currency_conversion customer "
    "customer_details customer_email invoice invoice_creation locale origin_context "
    "payment_intent payment_link payment_method_configuration_details recovered_from "
    "saved_payment_method_options setup_intent shipping_address_collection shipping_cost "
    "subscription wallet_options"
)


def create(tx: Tx, params: Params, public_url: str) -> Body:
    """POST /v1/checkout/sessions in payment mode, with prices as `price_data`, or in setup mode."""
    mode = params.needed("mode", choices=("payment", "setup"))
    params.text("ui_mode", choices=("hosted_page", "hosted"))
    customer = params.text("customer")
    if customer is not None:
        customers.existing(tx, customer)
    session_id = tx.new_id("cs_test_")
    session: Body = {
        **_blank(tx, session_id),
        **_urls(params),
        **(_priced(params) if mode == "payment" else _saving(params, customer)),
        "client_reference_id": params.text("client_reference_id", most=200),
        "customer": customer,
        "customer_email": params.text("customer_email", most=800),
        "expires_at": _expiry(tx, params),
        "metadata": params.metadata(),
        "mode": mode,
        "submit_type": params.text("submit_type", choices=("auto", "book", "donate", "pay")),
        "url": f"{public_url}{PAGE}/{session_id}",
        "_intent": _intent_facts(params.nested("payment_intent_data")),
        "_setup": params.nested("setup_intent_data").metadata(),
    }
    params.accept("payment_method_types", "locale", "billing_address_collection", "automatic_tax")
    params.accept("customer_creation", "saved_payment_method_options", "payment_method_options")
    params.done()
    tx.insert(session)
    tx.schedule(TIMER, session_id, session["expires_at"])
    return public(session)


def _priced(params: Params) -> Body:
    items = [_line(line) for line in params.each("line_items")]
    if not items:
        raise ApiError(
            "Missing required param: line_items.", code="parameter_missing", param="line_items"
        )
    currency = items[0]["currency"]
    if any(item["currency"] != currency for item in items):
        raise ApiError("All line items must have the same currency.", param="line_items")
    amount = chargeable(sum(item["amount"] for item in items), currency, param="line_items")
    return {
        "amount_subtotal": amount,
        "amount_total": amount,
        "currency": currency,
        "_lines": items,
    }


def _saving(params: Params, customer: str | None) -> Body:
    currency = params.text("currency")
    if customer is None:
        raise ApiError("A page that saves a card needs a customer.", param="customer")
    return {
        "amount_subtotal": None,
        "amount_total": None,
        "currency": known(currency) if currency else None,
        "payment_status": "no_payment_required",
        "_lines": [],
    }


def _line(line: Params) -> Body:
    price = line.nested("price_data")
    product = price.nested("product_data")
    quantity = line.whole("quantity", least=1) or 1
    unit = price.needed_whole("unit_amount", least=0)
    name = product.needed("name")
    product.accept("description", "images", "metadata", "tax_code")
    price.accept("tax_behavior")
    return {
        "name": name,
        "currency": known(price.needed("currency"), param="line_items[0][price_data][currency]"),
        "amount": unit * quantity,
        "quantity": quantity,
    }


def _urls(params: Params) -> Body:
    urls: Body = {
        "success_url": params.needed("success_url"),
        "cancel_url": params.text("cancel_url"),
    }
    for name, url in urls.items():
        if url is not None and not url.startswith(("http://", "https://")):
            message = "Not a valid URL: it must start with http:// or https://"
            raise ApiError(message, code="url_invalid", param=name)
    return urls


def _expiry(tx: Tx, params: Params) -> int:
    asked = params.whole("expires_at")
    if asked is None:
        return tx.now + OPEN_SECONDS
    if not tx.now + OPEN_SECONDS_MIN <= asked <= tx.now + OPEN_SECONDS:
        message = "The `expires_at` must be from 30 minutes to 24 hours after creation."
        raise ApiError(message, param="expires_at")
    return asked


def _intent_facts(params: Params) -> dict[str, Any]:
    return {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "transfer_group": params.text("transfer_group"),
        "receipt_email": params.text("receipt_email"),
        "setup_future_usage": params.text(
            "setup_future_usage", choices=("off_session", "on_session")
        ),
    }


def _blank(tx: Tx, session_id: str) -> Body:
    nothing = dict.fromkeys(_NOTHING.split())
    return {
        **nothing,
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": tx.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer_creation": "if_required",
        "livemode": False,
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
    }


def pay(tx: Tx, session: Body, card: Card, *, email: str | None) -> str | None:
    """Pay an open session with a card; None when done, else the sentence to show the payer.

    The intent exists from the first attempt on; a declined card leaves the session open. A bank
    debit completes the session before the bank has said yes.
    """
    if session["mode"] == "setup":
        return _save_card(tx, session, card)
    intent = tx.find("payment_intent", session["payment_intent"] or "", lock=True)
    if intent is None:
        facts = {"customer": session["customer"], **session["_intent"]}
        intent = intents.open_intent(
            tx, amount=session["amount_total"], currency=session["currency"], **facts
        )
        session["payment_intent"] = intent["id"]
    if intent["setup_future_usage"] and session["customer"] and card.decline is None:
        saved = payment_methods.keep(tx, card, session["customer"])
        intent["_saved"] = saved["id"]
    charge = intents.pay(tx, intent, card, email=email)
    if charge["status"] == "failed":
        tx.save(session)
        return str(charge["failure_message"])
    paid = charge["status"] == "succeeded"
    session.update(status="complete", payment_status="paid" if paid else "unpaid", url=None)
    session["customer_details"] = _payer(email)
    tx.save(session)
    events.announce(tx, "checkout.session.completed", session)
    if paid:
        charges.settle_later(tx, charge)
    return None


def _save_card(tx: Tx, session: Body, card: Card) -> str | None:
    if card.kind == CARD and card.decline in {"generic_decline", "insufficient_funds"}:
        return card.advice
    intent = payment_methods.set_up(tx, session["customer"], card, session["_setup"])
    session.update(status="complete", setup_intent=intent["id"], url=None)
    tx.save(session)
    events.announce(tx, "checkout.session.completed", session)
    return None


def _payer(email: str | None) -> Body:
    nothing = ("address", "business_name", "individual_name", "name", "phone")
    return {**dict.fromkeys(nothing), "email": email, "tax_exempt": "none", "tax_ids": []}


def confirm_delayed(tx: Tx, charge_id: str) -> None:
    """What the timer does: a bank has said yes or no to a debit, and the session hears of it."""
    intent = intents.confirm_delayed(tx, charge_id)
    query = of_kind("checkout.session", URL)
    query.body_is("payment_intent", intent["id"])
    for shown in page(tx, query, Params({}))["data"]:
        session = tx.need("checkout.session", shown["id"], lock=True)
        went = "succeeded" if intent["status"] == "succeeded" else "failed"
        if went == "succeeded":
            session["payment_status"] = "paid"
            tx.save(session)
        events.announce(tx, f"checkout.session.async_payment_{went}", session)


def expire(tx: Tx, params: Params, session_id: str) -> Body:
    """POST /v1/checkout/sessions/{id}/expire"""
    params.done()
    session = tx.need("checkout.session", session_id, lock=True)
    if session["status"] != "open":
        raise refused(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}.",
            code="checkout_session_not_open",
        )
    return public(_end(tx, session))


def time_out(tx: Tx, session_id: str) -> None:
    """What the timer does: expire the session unless it was paid."""
    session = tx.need("checkout.session", session_id, lock=True)
    if session["status"] == "open":
        _end(tx, session)


def _end(tx: Tx, session: Body) -> Body:
    session.update(status="expired", url=None)
    tx.save(session)
    events.announce(tx, "checkout.session.expired", session)
    return session


def retrieve(tx: Tx, params: Params, session_id: str) -> Body:
    """GET /v1/checkout/sessions/{id}"""
    params.done()
    return public(tx.need("checkout.session", session_id))


def list_sessions(tx: Tx, params: Params) -> Body:
    """GET /v1/checkout/sessions, by payment_intent, status and created."""
    query = of_kind("checkout.session", URL)
    query.body_is("payment_intent", params.text("payment_intent"))
    query.body_is("customer", params.text("customer"))
    query.body_is("status", params.text("status", choices=("complete", "expired", "open")))
    query.within(params)
    return page(tx, query, params)


def routes(public_url: str) -> tuple[Route, ...]:
    """The calls; sessions carry the address of their page, so it must be known."""

    def create_here(tx: Tx, params: Params) -> Body:
        return create(tx, params, public_url)

    return (
        Route("POST", URL, create_here),
        Route("GET", URL, list_sessions),
        Route("GET", f"{URL}/<session_id>", retrieve),
        Route("POST", f"{URL}/<session_id>/expire", expire),
    )
