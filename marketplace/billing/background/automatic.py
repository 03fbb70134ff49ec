"""Automatic top-ups at Stripe: saving a card, charging it once for each of our own rows."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from marketplace import clock, outbox, stripe_client
from marketplace.actor import Actor
from marketplace.billing import rules, stripe_gateway
from marketplace.billing.background.customers import stripe_customer
from marketplace.billing.models import TopUp
from marketplace.billing.rules import TopUpState
from marketplace.billing.rules.automatic import AutomaticState
from marketplace.billing.service import automatic as service
from marketplace.billing.service import found
from marketplace.billing.stripe_gateway import SetupWish
from marketplace.db import transaction
from marketplace.errors import GatewayError
from marketplace.ids import OrganisationId
from marketplace.stripe_client import StripeRefused


def open_setup(actor: Actor, currency: str, *, back_url: str) -> str:
    """The address of a page that saves a card; call it outside a transaction.

    Raises Conflict without a wish, StripeRefused, StripeUnreachable or StripeRateLimited when
    Stripe opened none; starting again opens another page.
    """
    with transaction() as session:
        row = service.begin_setup(session, actor, currency)
        lab, number = row.organisation_id, row.setup_number
    wish = SetupWish(
        organisation_id=lab,
        currency=currency,
        customer_id=stripe_customer(lab),
        back_url=back_url,
        key=f"card:{lab}:{currency}:{number}",
    )
    page = stripe_gateway.open_setup(stripe_client.current(), wish)
    with transaction() as session:
        service.record_setup_page(session, lab, currency, number, page)
    return page[1]


def look_at_setup(setup_session_id: str) -> None:
    """See whether a page has saved its card; call it outside a transaction."""
    with transaction() as session:
        row = service.found_setup(session, setup_session_id)
    if row is None or row.state is not AutomaticState.SETTING_UP:
        return
    card, open_ = stripe_gateway.saved_card(stripe_client.current(), setup_session_id)
    with transaction() as session:
        service.record_card(session, row.organisation_id, row.currency, card, open_=open_)


@outbox.background("billing.refresh_card", time_limit_seconds=120)
def refresh_card(work: outbox.Work, setup_session_id: str) -> None:
    """Stripe told that a card was saved, or a page's time has come to be looked at."""
    look_at_setup(setup_session_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("billing.charge_card", time_limit_seconds=120)
def charge_card(work: outbox.Work, top_up_id: str) -> None:
    """Charge an automatic top-up; safe to repeat, since each has one idempotency key.

    What Stripe does not answer is looked for by the sweep of top-ups.
    """
    # Without an answer it is unknown: the sweep asks again with the same key.
    with suppress(GatewayError):
        charge(UUID(top_up_id))
    with transaction() as session:
        outbox.done(session, work)


def charge(top_up_id: UUID) -> None:
    """Bring an automatic top-up on by one step; call it outside a transaction."""
    with transaction() as session:
        top_up = found(session, top_up_id=top_up_id)
        wish = service.wish_of(session, top_up_id) if top_up else None
    if top_up is None or top_up.state not in rules.WAITING:
        return
    if top_up.payment_intent_id is not None:
        _refresh(top_up)
    elif rules.opening_ended(top_up.asked_at, clock.now()):
        _look_for(top_up)
    elif wish is not None:
        try:
            seen = stripe_gateway.charge_card(stripe_client.current(), wish)
        except StripeRefused as refused:
            with transaction() as session:
                service.record_decline(session, top_up_id, refused.code)
            return
        with transaction() as session:
            service.record_payment(session, top_up_id, seen)


def _refresh(top_up: TopUp) -> None:
    intent = top_up.payment_intent_id or ""
    seen = stripe_gateway.payment_now(stripe_client.current(), intent)
    with transaction() as session:
        service.record_payment(session, top_up.id, seen)


def _look_for(top_up: TopUp) -> None:
    """The key has gone: adopt the payment that names this top-up, or none was ever made."""
    customer = stripe_customer(top_up.organisation_id)
    seen = stripe_gateway.payment_named(stripe_client.current(), customer, top_up.id)
    with transaction() as session:
        if seen is not None:
            service.record_payment(session, top_up.id, seen)
        elif top_up.state is TopUpState.REQUESTED:
            service.record_absence(session, top_up.id)


@outbox.background("billing.fill_balances", time_limit_seconds=300, every_seconds=60)
def fill_balances(work: outbox.Work) -> None:
    """Make the automatic top-ups that are due, and look at pages that save a card."""
    with transaction() as session:
        due = service.due_for_a_look(session)
    for lab, currency, state in due:
        if state is AutomaticState.ON:
            with transaction() as session:
                service.make_ready(session, OrganisationId(lab), currency)
            continue
        with transaction() as session:
            page = service.setup_page(session, lab, currency)
            if page is None:
                service.record_card(session, lab, currency, None, open_=False)
            else:
                key = f"card:{page}:{int(clock.now().timestamp()) // 60}"
                outbox.enqueue_once(session, key, "billing.refresh_card", setup_session_id=page)
    with transaction() as session:
        outbox.done(session, work)
