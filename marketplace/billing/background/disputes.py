"""Following disputes: by webhooks, by their lines and by asking every hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from marketplace import audit, clock, outbox, stripe_client
from marketplace.actor import SYSTEM, Actor
from marketplace.billing import stripe_gateway
from marketplace.billing.models import Dispute
from marketplace.billing.service import disputes as service
from marketplace.billing.stripe_gateway import BalanceLine
from marketplace.db import transaction

REFRESH = "billing.refresh_dispute"
# Stripe keeps a dispute open for up to about four months; older ones are in our own rows.
LOOK_BACK = timedelta(days=30)
OF_DISPUTES = ("dp_", "du_")


def follow(stripe_dispute_id: str) -> Dispute:
    """Fetch a dispute and record it; call it outside a transaction."""
    seen = stripe_gateway.dispute_now(stripe_client.current(), stripe_dispute_id)
    with transaction() as session:
        return service.record_dispute(session, seen)


def post_dispute(line: BalanceLine) -> bool:
    """A line of a dispute; False for an adjustment of another kind, or of nobody's payment."""
    if not (line.source_id or "").startswith(OF_DISPUTES):
        return False
    return follow(line.source_id or "").organisation_id is not None


@outbox.background("billing.refresh_dispute", time_limit_seconds=120)
def refresh_dispute(work: outbox.Work, stripe_dispute_id: str) -> None:
    """Stripe told of a dispute: fetch and record it."""
    follow(stripe_dispute_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("billing.poll_disputes", time_limit_seconds=600, every_seconds=3_600)
def poll_disputes(work: outbox.Work) -> None:
    """Look for disputes that no webhook told of, and at all that go on."""
    since = clock.now() - LOOK_BACK
    told = stripe_gateway.recent_disputes(stripe_client.current(), since)
    with transaction() as session:
        going_on = service.disputes_to_look_at(session)
        for dispute_id in dict.fromkeys([*told, *going_on]):
            key = f"dispute:{dispute_id}:{work.id}"
            outbox.enqueue_once(session, key, REFRESH, stripe_dispute_id=dispute_id)
        outbox.done(session, work)


def submit_evidence(actor: Actor, dispute_id: UUID, words: str) -> None:
    """Send an answer to the payer's bank; call it outside a transaction.

    Raises what `service.note_evidence` refuses, StripeRefused when Stripe takes it no more, and
    StripeUnreachable, after which the page says that it must be sent again.
    """
    with transaction() as session:
        stripe_id = service.note_evidence(session, actor, dispute_id, words).stripe_dispute_id
    seen = stripe_gateway.send_evidence(stripe_client.current(), stripe_id, words.strip())
    with transaction() as session:
        service.record_dispute(session, seen)
        audit.record(session, SYSTEM, "sent evidence", dispute_id)
