"""Pulling Stripe's lines and its balance: ask, then store, a page at a time."""

from __future__ import annotations

from datetime import datetime

from stripe import StripeClient

from marketplace import outbox, stripe_client
from marketplace.db import transaction
from marketplace.reconciliation import service, stripe_gateway

# Money may move while its lines are listed; after so many tries, the next slot tries again.
TRIES = 3


@outbox.background("reconciliation.pull", time_limit_seconds=280, every_seconds=300)
def pull(work: outbox.Work) -> None:
    """Store every new line, and a statement when nothing moved meanwhile. Safe to repeat."""
    client = stripe_client.current()
    for _ in range(TRIES):
        with transaction() as session:
            since = service.pull_since(session)
        before = stripe_gateway.balance_now(client)
        _pull_lines(client, since)
        after = stripe_gateway.balance_now(client)
        if _totals(before) == _totals(after):
            with transaction() as session:
                service.record_statement(session, after)
            break
    with transaction() as session:
        outbox.done(session, work)


def _pull_lines(client: StripeClient, since: datetime | None) -> None:
    mark = None
    while True:
        page = stripe_gateway.lines_page(client, since, mark)
        with transaction() as session:
            service.record_lines(session, page.lines)
        mark = page.after
        if mark is None:
            return


def _totals(balance: stripe_gateway.RawBalance) -> dict[str, int]:
    # What turned from pending to available meanwhile made no line.
    return {currency: sum(parts.values()) for currency, parts in balance.balances.items()}
