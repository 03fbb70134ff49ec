"""Saved cards at Stripe: saved on a page of Stripe's, charged while nobody is there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stripe import PaymentIntent, StripeClient

from marketplace.billing.rules import Checkout
from marketplace.billing.rules.automatic import ChargeWish, SavedCard
from marketplace.billing.stripe_gateway.checkout import id_of, settlement_of
from marketplace.db import outside_transaction
from marketplace.stripe_client import moving_money, reading_back, stripe_minor, translated

# Nobody is there who could do anything about these.
ENDED = frozenset({"requires_payment_method", "requires_action", "requires_confirmation"})
LIST_PAGE = 100


@dataclass(frozen=True, slots=True)
class SetupWish:
    """What a page that saves a card is opened for; the same wish makes the same request."""

    organisation_id: UUID
    currency: str
    customer_id: str
    back_url: str
    key: str


@outside_transaction
def open_setup(client: StripeClient, wish: SetupWish) -> tuple[str, str]:
    """The id and the address of a page that saves a card and charges nothing."""
    metadata = {"organisation_id": str(wish.organisation_id), "currency": wish.currency}
    with translated():
        session = client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "currency": wish.currency.lower(),
                "customer": wish.customer_id,
                "success_url": wish.back_url,
                "cancel_url": wish.back_url,
                "metadata": metadata,
                "setup_intent_data": {"metadata": metadata},
            },
            {"idempotency_key": wish.key},
        )
    return session.id, session.url or wish.back_url


@outside_transaction
def saved_card(client: StripeClient, session_id: str) -> tuple[SavedCard | None, bool]:
    """The card that a page saved, or None so far; and whether the page can still be used."""
    with translated():
        session = client.v1.checkout.sessions.retrieve(session_id)
        setup_id = id_of(session.setup_intent)
        if session.status != "complete" or setup_id is None:
            return None, session.status == "open"
        setup = client.v1.setup_intents.retrieve(setup_id)
        method_id = id_of(setup.payment_method)
        if setup.status != "succeeded" or method_id is None:
            return None, setup.status == "processing"
        method = client.v1.payment_methods.retrieve(method_id)
    card = getattr(method, "card", None)
    label = f"{card.brand.title()} ending in {card.last4}" if card else method.type
    return SavedCard(method_id, label), False


@outside_transaction
def charge_card(client: StripeClient, wish: ChargeWish) -> Checkout:
    """Charge a saved card, or replay the answer to the same wish.

    Raises StripeRefused with the card's code when it was declined, StripeUnreachable or
    StripeRateLimited (ask again with the same wish).
    """
    metadata = {"top_up_id": str(wish.top_up_id), "organisation_id": str(wish.organisation_id)}
    with moving_money():
        intent = client.v1.payment_intents.create(
            {
                "amount": stripe_minor(wish.amount),
                "currency": wish.amount.currency.lower(),
                "customer": wish.customer_id,
                "payment_method": wish.payment_method_id,
                "off_session": True,
                "confirm": True,
                "description": "Balance for expert judgements",
                "metadata": metadata,
            },
            {"idempotency_key": f"top-up:{wish.top_up_id}"},
        )
    with reading_back():
        return _payment(client, intent)


@outside_transaction
def payment_now(client: StripeClient, payment_intent_id: str) -> Checkout:
    """A payment without a checkout as it is now, with its settlement once Stripe has named it."""
    with translated():
        intent = client.v1.payment_intents.retrieve(payment_intent_id)
    return _payment(client, intent)


@outside_transaction
def payment_named(client: StripeClient, customer_id: str, top_up_id: UUID) -> Checkout | None:
    """A customer's payment whose metadata names a top-up; None after the whole list without it."""
    with translated():
        listed = client.v1.payment_intents.list({"customer": customer_id, "limit": LIST_PAGE})
        found = [
            intent
            for intent in listed.auto_paging_iter()
            if (intent.metadata.to_dict() if intent.metadata else {}).get("top_up_id")
            == str(top_up_id)
        ]
    return _payment(client, found[0]) if found else None


def _payment(client: StripeClient, intent: PaymentIntent) -> Checkout:
    paid = intent.status == "succeeded"
    return Checkout(
        session_id="",
        url=None,
        expired=False,
        completed=True,
        paid=paid,
        declined=intent.status in ENDED or intent.status == "canceled",
        payment_intent_id=intent.id,
        settlement=settlement_of(client, id_of(intent.latest_charge)) if paid else None,
        metadata=intent.metadata.to_dict() if intent.metadata else {},
    )
