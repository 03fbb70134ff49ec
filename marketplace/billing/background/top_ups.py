"""Talking to Stripe about top-ups: claim and commit, call, record and commit."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from marketplace import audit, clock, outbox, stripe_client
from marketplace.actor import SYSTEM
from marketplace.billing import rules, service, stripe_gateway
from marketplace.billing.background.automatic import charge
from marketplace.billing.models import TopUp
from marketplace.billing.rules import CheckoutWish, TopUpState
from marketplace.billing.rules.automatic import Origin
from marketplace.db import transaction
from marketplace.errors import GatewayError, Missing, Refused
from marketplace.ids import parse_id
from marketplace.stripe_client import StripeRefused

# A payment that no top-up explains after this many looks is left to reconciliation.
LOOKS_MAX = 12


class CheckoutClosed(Refused):
    """The checkout cannot be paid (any more); the message says why."""

    code = "checkout_closed"


def open_checkout(top_up_id: UUID) -> str:
    """The address where the payer pays; opens the checkout unless it is open already.

    Call it outside a transaction. Safe to repeat: one top-up has one idempotency key, so it has
    one checkout. Raises CheckoutClosed when it cannot be paid, StripeUnreachable or
    StripeRateLimited when Stripe did not answer; the sweep tries those again.
    """
    with transaction() as session:
        top_up = service.locked(session, top_up_id)
        wish, state, url = _wish(top_up), top_up.state, top_up.checkout_url
        too_late = rules.opening_ended(top_up.asked_at, clock.now())
        if state is TopUpState.REQUESTED and too_late:
            state = service.give_up(session, top_up_id).state
    if state is TopUpState.REQUESTED:
        top_up = _open(wish)
        state, url = top_up.state, top_up.checkout_url
    if state is not TopUpState.CHECKOUT_OPEN or url is None:
        note = f" {top_up.note}" if top_up.note else ""
        raise CheckoutClosed(f"This checkout is closed: {rules.LABELS[state]}.{note}")
    return url


def _open(wish: CheckoutWish) -> TopUp:
    try:
        checkout = stripe_gateway.open_checkout(stripe_client.current(), wish)
    except StripeRefused as refused:
        with transaction() as session:
            return service.record_refusal(session, wish.top_up_id, refused.message)
    with transaction() as session:
        return service.record_checkout(session, wish.top_up_id, checkout)


@outbox.background("billing.refresh_top_up", time_limit_seconds=120)
def refresh_top_up(
    work: outbox.Work,
    top_up_id: str | None = None,
    checkout_session_id: str | None = None,
    payment_intent_id: str | None = None,
    swept: bool = False,
) -> None:
    """Fetch what Stripe says about a top-up and record it; found by any of the three ids.

    swept: the sweep asked, which asks again by itself, so a silent Stripe needs no second row. A
    webhook may come before our own row knows the checkout: its metadata names the row, and the
    checkout is adopted. What nobody explains is looked for again, then left on record.
    """
    with transaction() as session:
        top_up = service.found(
            session,
            top_up_id=parse_id(top_up_id) if top_up_id else None,
            checkout_session_id=checkout_session_id,
            payment_intent_id=payment_intent_id,
        )
    if top_up is None:
        _not_found(work)
        return
    try:
        refresh(top_up, checkout_session_id, payment_intent_id)
    except GatewayError:
        if not swept:
            raise
    with transaction() as session:
        outbox.done(session, work)


def refresh(top_up: TopUp, told_session_id: str | None, intent_id: str | None) -> None:
    """Fetch what Stripe says about a top-up and record it; call it outside a transaction."""
    if top_up.state in rules.IN_THE_BOOK:
        return
    if top_up.origin is Origin.AUTOMATIC:
        charge(top_up.id)
        return
    client = stripe_client.current()
    session_id = top_up.checkout_session_id or told_session_id
    if session_id is None and intent_id is not None:
        session_id = stripe_gateway.session_of_payment(client, intent_id)
    if session_id is None:
        if top_up.state is TopUpState.REQUESTED:
            _open_again(top_up.id)
        return
    checkout = stripe_gateway.checkout_now(client, session_id)
    with transaction() as session:
        service.record_checkout(session, top_up.id, checkout)


def _open_again(top_up_id: UUID) -> None:
    try:
        open_checkout(top_up_id)
    except CheckoutClosed:
        # It failed or expired meanwhile, which its row says.
        return


def _not_found(work: outbox.Work) -> None:
    with transaction() as session:
        if work.attempt < LOOKS_MAX:
            outbox.again(
                session, work, error=Missing.__name__, after=timedelta(minutes=work.attempt)
            )
            return
        audit.record(session, SYSTEM, "met a payment that no top-up explains", work.id)
        outbox.done(session, work)


def _wish(top_up: TopUp) -> CheckoutWish:
    return CheckoutWish(
        top_up_id=top_up.id,
        organisation_id=top_up.organisation_id,
        amount=top_up.amount,
        success_url=top_up.success_url,
        cancel_url=top_up.cancel_url,
    )


@outbox.background("billing.sweep_top_ups", time_limit_seconds=60, every_seconds=60)
def sweep_top_ups(work: outbox.Work) -> None:
    """Have every waiting top-up looked at: lost webhooks and crashed requests converge."""
    with transaction() as session:
        service.look_again(session)
        outbox.done(session, work)
