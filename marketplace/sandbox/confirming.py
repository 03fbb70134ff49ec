"""Payment intents as the API makes them pay: by a test card, a saved one, or a cash balance."""

from __future__ import annotations

from typing import Any

from marketplace.sandbox import cash_balances, charges, customers, intents, payment_methods
from marketplace.sandbox.cards import BY_TOKEN, CASH
from marketplace.sandbox.currencies import chargeable, known
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Answer, Route
from marketplace.sandbox.store import Body, Tx, public

URL = intents.URL
_IGNORED = ("automatic_payment_methods", "return_url", "mandate_data", "error_on_requires_action")


def create(tx: Tx, params: Params) -> Body | Answer:
    """POST /v1/payment_intents, with `confirm` for both steps in one."""
    currency = known(params.needed("currency"))
    amount = chargeable(params.needed_whole("amount"), currency)
    customer = params.text("customer")
    if customer is not None:
        customers.existing(tx, customer)
    method = params.text("payment_method")
    card = payment_methods.chosen(tx, method, customer) if method else None
    with_cash = _wants_cash(params, customer)
    confirm, away = params.flag("confirm"), _is_away(params)
    if away and not confirm:
        raise ApiError("off_session needs confirm=true.", param="off_session")
    facts: dict[str, Any] = {
        "description": params.text("description"),
        "metadata": params.metadata(),
        "transfer_group": params.text("transfer_group"),
        "receipt_email": params.text("receipt_email"),
        "customer": customer,
        "setup_future_usage": params.text(
            "setup_future_usage", choices=("off_session", "on_session")
        ),
    }
    types = params.texts("payment_method_types")
    params.accept(*_IGNORED, "statement_descriptor", "statement_descriptor_suffix")
    params.done()
    intent = intents.open_intent(
        tx, amount=amount, currency=currency, methods=[CASH] if with_cash else types, **facts
    )
    intent["_cash"] = with_cash
    if card is not None:
        _choose(intent, *card)
    tx.save(intent)
    return _confirmed(tx, intent, away=away) if confirm else public(intent)


def _is_away(params: Params) -> bool:
    """Whether the payer is; Stripe also takes the words one_off and recurring."""
    value = params.text("off_session", choices=("true", "false", "one_off", "recurring"))
    return value not in {None, "false"}


def _wants_cash(params: Params, customer: str | None) -> bool:
    kind = params.nested("payment_method_data").text("type", choices=(CASH, "card"))
    options = params.nested("payment_method_options")
    cash = options.nested(CASH)
    cash.text("funding_type", choices=("bank_transfer",))
    cash.nested("bank_transfer").accept("type", "eu_bank_transfer", "requested_address_types")
    options.accept("card", "us_bank_account")
    if kind != CASH:
        return False
    if customer is None:
        raise ApiError(
            "A payment from a cash balance needs a customer.",
            code="parameter_missing",
            param="customer",
        )
    return True


def _choose(intent: Body, card: Any, saved: str | None) -> None:
    intent.update(_card=card.token, _saved=saved, status="requires_confirmation")
    intent["payment_method"] = saved


def _confirmed(tx: Tx, intent: Body, *, away: bool) -> Body | Answer:
    if intent.get("_cash") and intent["status"] in intents.OPEN:
        cash_balances.ask(tx, intent)
        return public(intent)
    card = BY_TOKEN.get(intent.get("_card", ""))
    if card is None or intent["status"] not in intents.OPEN:
        raise refused(
            f"This PaymentIntent cannot be confirmed: its status is {intent['status']}"
            " and it needs a payment method.",
            code="payment_intent_unexpected_state",
        )
    if intent["setup_future_usage"] and intent["customer"] and not intent.get("_saved"):
        intent["_saved"] = payment_methods.keep(tx, card, intent["customer"])["id"]
    charge = intents.pay(tx, intent, card, away=away)
    if charge["status"] == "failed":
        fault = {**intents.decline_of(charge), "payment_intent": public(intent)}
        return Answer(402, {"error": fault})
    if charge["status"] == "succeeded":
        charges.settle_later(tx, charge)
    return public(intent)


def confirm_intent(tx: Tx, params: Params, intent_id: str) -> Body | Answer:
    """POST /v1/payment_intents/{id}/confirm"""
    intent = tx.need("payment_intent", intent_id, lock=True)
    method = params.text("payment_method")
    away = _is_away(params)
    params.accept("return_url", "mandate_data")
    params.done()
    if method is not None and intent["status"] in intents.OPEN:
        _choose(intent, *payment_methods.chosen(tx, method, intent["customer"]))
    return _confirmed(tx, intent, away=away)


def apply_cash(tx: Tx, params: Params, intent_id: str) -> Body:
    """POST /v1/payment_intents/{id}/apply_customer_balance"""
    intent = tx.need("payment_intent", intent_id, lock=True)
    amount = params.whole("amount", least=1)
    currency = params.text("currency")
    params.done()
    if not intent.get("_cash") or intent["status"] != "requires_action":
        raise refused(
            f"This PaymentIntent does not wait for a bank transfer: it is {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if currency is not None and currency != intent["currency"]:
        raise ApiError("The currency is another than the PaymentIntent's.", param="currency")
    cash_balances.apply(tx, intent, amount)
    return public(intent)


ROUTES = (
    Route("POST", URL, create),
    Route("POST", f"{URL}/<intent_id>/confirm", confirm_intent),
    Route("POST", f"{URL}/<intent_id>/apply_customer_balance", apply_cash),
)
