"""Sending refunds: claim and commit, call, record and commit; what was not answered is unknown.

An unknown refund keeps its money set aside. It is asked for again under the same key while that
lives, then looked for in Stripe's list; only a whole list without it allows a new attempt.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from marketplace import audit, clock, outbox, stripe_client
from marketplace.actor import SYSTEM
from marketplace.billing import stripe_gateway
from marketplace.billing.models import Refund
from marketplace.billing.rules import refunds as rules
from marketplace.billing.rules.refunds import RefundState
from marketplace.billing.service import refunding as service
from marketplace.billing.stripe_gateway import BalanceLine, RefundWish
from marketplace.db import transaction
from marketplace.errors import GatewayError
from marketplace.ids import parse_id
from marketplace.stripe_client import StripeKeyReused, StripeRefused

LOOKS_MAX = 12


@outbox.background("billing.send_refund", time_limit_seconds=120)
def send_refund(work: outbox.Work, refund_id: str) -> None:
    """Make one refund at Stripe; safe to repeat, since each attempt has one key."""
    look_after(UUID(refund_id))
    with transaction() as session:
        outbox.done(session, work)


def look_after(refund_id: UUID) -> None:
    """Bring a waiting refund on by one step; call it outside a transaction."""
    with transaction() as session:
        refund = service.found_refund(session, refund_id=refund_id)
        claimed = service.claim_refund(session, refund_id) if refund else None
    if claimed is not None:
        _send(claimed)
    elif refund is not None and refund.state in {RefundState.SENDING, RefundState.UNKNOWN}:
        _look_for(refund)
    elif refund is not None and refund.state in {RefundState.PENDING, RefundState.SENT}:
        _refresh(refund)


def _send(refund: Refund) -> None:
    wish = RefundWish(
        refund_id=refund.id,
        organisation_id=refund.organisation_id,
        payment_intent_id=refund.payment_intent_id,
        amount=refund.amount,
        key=rules.key_of(refund.id, refund.attempt),
    )
    try:
        seen = stripe_gateway.create_refund(stripe_client.current(), wish)
    except StripeRefused as refused:
        with transaction() as session:
            service.record_refusal(session, refund.id, refused.message)
        return
    except StripeKeyReused:
        # Our own fault: it is looked for in the list once the key has gone, and never sent again.
        with transaction() as session:
            service.record_unknown(session, refund.id)
            audit.record(session, SYSTEM, "reused the key of a refund", refund.id)
        return
    except GatewayError:
        with transaction() as session:
            service.record_unknown(session, refund.id)
        return
    with transaction() as session:
        service.record_refund(session, refund.id, seen)


def _look_for(refund: Refund) -> None:
    if refund.tried_at is None or rules.too_soon(refund.tried_at, clock.now()):
        return
    client = stripe_client.current()
    seen = stripe_gateway.refund_named(client, refund.payment_intent_id, refund.id)
    with transaction() as session:
        if seen is None:
            service.record_absence(session, refund.id)
        else:
            service.record_refund(session, refund.id, seen)


def _refresh(refund: Refund) -> None:
    assert refund.stripe_refund_id is not None  # noqa: S101 - a check of the table says so.
    seen, _ = stripe_gateway.refund_now(stripe_client.current(), refund.stripe_refund_id)
    with transaction() as session:
        service.record_refund(session, refund.id, seen)


def refresh_by_stripe(stripe_refund_id: str) -> bool:
    """Fetch a refund of Stripe's and record it; False where it is none of ours."""
    seen, named = stripe_gateway.refund_now(stripe_client.current(), stripe_refund_id)
    with transaction() as session:
        refund = service.found_refund(
            session,
            refund_id=parse_id(named) if named else None,
            stripe_refund_id=stripe_refund_id,
        )
        if refund is None:
            return False
        service.record_refund(session, refund.id, seen)
    return True


def post_refund(line: BalanceLine) -> bool:
    """A line of a refund, or of one that came back; False for one that was made by hand."""
    return bool(line.source_id) and refresh_by_stripe(line.source_id or "")


@outbox.background("billing.refresh_refund", time_limit_seconds=120)
def refresh_refund(work: outbox.Work, stripe_refund_id: str) -> None:
    """Stripe told of a refund: fetch and record it."""
    known = refresh_by_stripe(stripe_refund_id)
    with transaction() as session:
        if not known and work.attempt < LOOKS_MAX:
            # It may be told before the answer to our own call has been recorded.
            after = timedelta(minutes=work.attempt)
            outbox.again(session, work, error="UnknownRefund", after=after)
            return
        if not known:
            words = "met a refund that is none of ours"
            audit.record(session, SYSTEM, words, work.id, refund=stripe_refund_id)
        outbox.done(session, work)


@outbox.background("billing.sweep_refunds", time_limit_seconds=300, every_seconds=60)
def sweep_refunds(work: outbox.Work) -> None:
    """Have every waiting refund looked after: lost webhooks and crashed sends converge."""
    with transaction() as session:
        for refund_id in service.refunds_to_look_at(session):
            outbox.enqueue(session, "billing.send_refund", refund_id=refund_id)
        outbox.done(session, work)
