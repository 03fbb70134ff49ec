"""Drafting runs whose day has come."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.money import Money
from marketplace.payouts import service, stripe_gateway
from marketplace.stripe_client import StripeFault, current


@outbox.background("payouts.draft_scheduled", time_limit_seconds=600, every_seconds=300)
def draft_scheduled(work: outbox.Work) -> None:
    """Draft a run for every schedule that is due, each in a transaction of its own."""
    with transaction() as session:
        due = service.due_schedules(session)
    for schedule_id in due:
        with transaction() as session:
            service.draft_scheduled(session, schedule_id)
    with transaction() as session:
        outbox.done(session, work)


def funds_at_stripe(currency: str) -> Money | None:
    """What could be transferred now, for a preview; None where Stripe gives no answer."""
    try:
        return stripe_gateway.available_balance(current(), currency)
    except StripeFault:
        return None
