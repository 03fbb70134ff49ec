"""Checkout and settlement at Stripe, in our own words."""

from __future__ import annotations

from datetime import UTC, datetime

from stripe import StripeClient
from stripe import checkout as stripe_checkout

from marketplace.billing.rules import Checkout, CheckoutWish, Settlement
from marketplace.db import outside_transaction
from marketplace.stripe_client import iso, moving_money, stripe_minor, translated

# Debits: the payer's bank may take the money back for days after Stripe has it.
DELAYED = frozenset({"acss_debit", "au_becs_debit", "bacs_debit", "sepa_debit", "us_bank_account"})


@outside_transaction
def open_checkout(client: StripeClient, wish: CheckoutWish) -> Checkout:
    """Create the checkout, or replay the answer to the same wish.

    Raises StripeRefused (Stripe says no), StripeUnreachable or StripeRateLimited (ask again).
    """
    metadata = {"top_up_id": str(wish.top_up_id), "organisation_id": str(wish.organisation_id)}
    with moving_money():
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": wish.amount.currency.lower(),
                            "unit_amount": stripe_minor(wish.amount),
                            "product_data": {"name": "Balance for expert judgements"},
                        },
                    }
                ],
                "success_url": wish.success_url,
                "cancel_url": wish.cancel_url,
                "client_reference_id": str(wish.top_up_id),
                "metadata": metadata,
                "payment_intent_data": {"metadata": metadata},
            },
            {"idempotency_key": f"top-up:{wish.top_up_id}"},
        )
    return _checkout(session)


@outside_transaction
def checkout_now(client: StripeClient, session_id: str) -> Checkout:
    """The checkout as it is now, with its settlement once Stripe has named it."""
    with translated():
        session = client.v1.checkout.sessions.retrieve(session_id)
    checkout = _checkout(session)
    if checkout.payment_intent_id is None:
        return checkout
    return _with_payment(client, checkout)


@outside_transaction
def session_of_payment(client: StripeClient, payment_intent_id: str) -> str | None:
    """The checkout session that a payment belongs to, or None when it belongs to none."""
    with translated():
        found = client.v1.checkout.sessions.list({"payment_intent": payment_intent_id, "limit": 1})
    return found.data[0].id if found.data else None


def _checkout(session: stripe_checkout.Session) -> Checkout:
    return Checkout(
        session_id=session.id,
        url=session.url,
        expired=session.status == "expired",
        completed=session.status == "complete",
        paid=session.payment_status == "paid",
        payment_intent_id=id_of(session.payment_intent),
        metadata=session.metadata.to_dict() if session.metadata else {},
    )


def _with_payment(client: StripeClient, checkout: Checkout) -> Checkout:
    assert checkout.payment_intent_id is not None  # noqa: S101 - the caller has looked.
    with translated():
        intent = client.v1.payment_intents.retrieve(checkout.payment_intent_id)
        charge_id = id_of(intent.latest_charge)
    ended_unpaid = intent.status in {"requires_payment_method", "canceled"}
    return Checkout(
        session_id=checkout.session_id,
        url=checkout.url,
        expired=checkout.expired,
        completed=checkout.completed,
        paid=intent.status == "succeeded",
        # While the session is open, the payer may try another card.
        declined=ended_unpaid and checkout.completed,
        payment_intent_id=checkout.payment_intent_id,
        settlement=settlement_of(client, charge_id) if intent.status == "succeeded" else None,
        metadata=checkout.metadata,
    )


def settlement_of(client: StripeClient, charge_id: str | None) -> Settlement | None:
    """A charge's line in our balance; None until Stripe has made it."""
    if charge_id is None:
        return None
    with translated():
        charge = client.v1.charges.retrieve(charge_id)
        line_id = id_of(charge.balance_transaction)
        if line_id is None:
            # Stripe makes the balance transaction a little after the charge.
            return None
        line = client.v1.balance_transactions.retrieve(line_id)
    method = charge.payment_method_details.type if charge.payment_method_details else "card"
    converted = charge.currency != line.currency
    return Settlement(
        balance_transaction_id=line.id,
        gross=iso(line.amount, line.currency),
        fee=iso(line.fee, line.currency),
        presented=iso(charge.amount, charge.currency) if converted else None,
        created_at=datetime.fromtimestamp(line.created, UTC),
        delayed=method in DELAYED,
    )


def id_of(linked: object) -> str | None:
    """The id of a field that Stripe fills with an id, an expanded object, or nothing."""
    if linked is None or isinstance(linked, str):
        return linked
    return str(getattr(linked, "id"))  # noqa: B009 - the SDK's type for it is a union of classes.
