"""Comparing Stripe's transfers with our attempts, before the first line and every ten minutes."""

from __future__ import annotations

from datetime import datetime

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.payouts import rules, service, stripe_gateway
from marketplace.payouts.rules import GateState


class _Here:
    """When this process last read that transfers were compared; None until it has."""

    seen: datetime | None = None


def forget() -> None:
    """Compare again before the next line, as a process does that has just begun."""
    _Here.seen = None


def may_send() -> bool:
    """Whether lines may be sent now; compares first where that is due. Outside a transaction."""
    with transaction() as session:
        row = service.gate(session)
        state, stored = row.state, row.checked_at
    if rules.comparison_due(_Here.seen, stored, clock.now()):
        return compare()
    _Here.seen = stored
    return state is GateState.OPEN


def compare() -> bool:
    """Ask Stripe for its transfers since a day before our last attempt; whether lines may be sent.

    A transfer that names an attempt which this database never made can only come from a later
    state of it: the database was restored.
    """
    with transaction() as session:
        last = service.newest_attempt_at(session)
    since = (last or clock.now()) - rules.OVERLAP
    made = stripe_gateway.transfers_since(stripe_client.current(), since)
    with transaction() as session:
        strangers = service.unknown_transfers(session, made)
        _Here.seen = service.record_comparison(session, strangers)
        return service.gate(session).state is GateState.OPEN


@outbox.background("payouts.check_gate", time_limit_seconds=300, every_seconds=600)
def check_gate(work: outbox.Work) -> None:
    """Compare on the schedule, so that a restored database is noticed before a run is released."""
    compare()
    with transaction() as session:
        outbox.done(session, work)
