"""Pulling Stripe's lines, balances and payouts: ask, then store, a page at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from stripe import StripeClient

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.ledger.service import NothingToAnswer
from marketplace.payouts import service as payouts
from marketplace.reconciliation import queries, service, stripe_gateway
from marketplace.stripe_client import StripeRefused

# Money may move while its lines are listed; after so many tries, the next slot tries again.
TRIES = 3
# Each connected account is read once in this time; a run reads so many of them.
ACCOUNT_EVERY = timedelta(hours=6)
ACCOUNTS_AT_ONCE = 100
POST_TRIES = 12


@outbox.background("reconciliation.pull", time_limit_seconds=280, every_seconds=300)
def pull(work: outbox.Work) -> None:
    """Store every new line, and a statement when nothing moved meanwhile. Safe to repeat."""
    client, began = stripe_client.current(), clock.now()
    with transaction() as session:
        since = service.pull_since(session)
    _pull_account(client, "", since)
    _pull_payouts(client, "")
    with transaction() as session:
        service.wake_forgotten(session)
        # A database that was restored sends nothing before it knows again what Stripe did.
        payouts.note_resync(session, imported_at=began)
        outbox.done(session, work)


@outbox.background("reconciliation.pull_connected", time_limit_seconds=280, every_seconds=900)
def pull_connected(work: outbox.Work) -> None:
    """Read the connected accounts that were not read for hours, one after the other.

    Each is stored before the next is asked for, so that a run that is cut short goes on where it
    was. An account that Stripe does not show us any more is passed over until its next turn.
    """
    client = stripe_client.current()
    with transaction() as session:
        due = service.accounts_to_pull(
            session,
            queries.connected_accounts(session),
            before=clock.now() - ACCOUNT_EVERY,
            limit=ACCOUNTS_AT_ONCE,
        )
    for account, since in due:
        failed = False
        try:
            _pull_account(client, account, since)
            _pull_payouts(client, account)
        except StripeRefused:
            failed = True
        with transaction() as session:
            service.record_account_pull(session, account, failed=failed)
    with transaction() as session:
        outbox.done(session, work)


def _pull_account(client: StripeClient, account: str, since: datetime | None) -> None:
    for _ in range(TRIES):
        before = stripe_gateway.balance_now(client, account)
        _pull_lines(client, account, since)
        after = stripe_gateway.balance_now(client, account)
        if _totals(before) == _totals(after):
            with transaction() as session:
                service.record_statement(session, after, account)
            return


def _pull_lines(client: StripeClient, account: str, since: datetime | None) -> None:
    mark = None
    while True:
        page = stripe_gateway.lines_page(client, since, mark, account)
        with transaction() as session:
            service.record_lines(session, page.lines, account)
        mark = page.after
        if mark is None:
            return


def _pull_payouts(client: StripeClient, account: str) -> None:
    with transaction() as session:
        since = service.payouts_since(session, account)
    mark = None
    while True:
        page = stripe_gateway.payouts_page(client, since, mark, account)
        with transaction() as session:
            service.record_payouts(session, page.payouts, account)
        mark = page.after
        if mark is None:
            return


def _totals(balance: stripe_gateway.RawBalance) -> dict[str, int]:
    # What turned from pending to available meanwhile made no line.
    return {currency: sum(parts.values()) for currency, parts in balance.balances.items()}


@outbox.background("reconciliation.post_line", time_limit_seconds=60)
def post_line(work: outbox.Work, bt: str) -> None:
    """Post one of Stripe's lines that is treasury's; bt: its `txn_…`. Safe to repeat."""
    try:
        with transaction() as session:
            service.post_line(session, bt)
            outbox.done(session, work)
    except NothingToAnswer:
        # A payout's failure was handed out before its payout, which comes in a moment.
        with transaction() as session:
            if work.attempt < POST_TRIES:
                outbox.again(session, work, error=NothingToAnswer.__name__)
            else:
                outbox.done(session, work)


@outbox.background("reconciliation.refresh_payout", time_limit_seconds=60)
def refresh_payout(work: outbox.Work, payout_id: str, account: str = "") -> None:
    """Read one payout again, such as when Stripe says that it is reconciled or has failed."""
    found = stripe_gateway.payout_now(stripe_client.current(), payout_id, account)
    with transaction() as session:
        service.record_payouts(session, [found], account)
        outbox.done(session, work)
