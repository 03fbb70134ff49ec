"""Watching what the bank does: woken by webhooks, and by a poll that finds what they lost."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.payouts import service, stripe_gateway
from marketplace.payouts.background.waiting import not_found
from marketplace.payouts.rules import BankPayout
from marketplace.stripe_client import StripeRefused

ACCOUNTS_AT_ONCE = 500
LOOK_BACK = timedelta(days=40)


@outbox.background("payouts.read_bank_payout", time_limit_seconds=60)
def read_bank_payout(
    work: outbox.Work, payout_id: str, stripe_account_id: str | None = None
) -> None:
    """Fetch a payout that a webhook spoke of; nothing of the event itself is believed."""
    with transaction() as session:
        ours = stripe_account_id and service.specialist_of(session, stripe_account_id)
    if not stripe_account_id or not ours:
        not_found(work, "met a payout of an account that is nobody's")
        return
    take_bank_payout(stripe_account_id, payout_id)
    with transaction() as session:
        outbox.done(session, work)


def take_bank_payout(account: str, payout_id: str) -> None:
    """Ask Stripe about a payout, and about the lines in it, and keep the answers."""
    client = stripe_client.current()
    payout = stripe_gateway.bank_payout_now(client, account, payout_id)
    if payout.original is not None:
        # It only gives back what another one took; that one says so itself.
        payout = stripe_gateway.bank_payout_now(client, account, payout.original)
    _keep(payout)


def _keep(payout: BankPayout) -> None:
    held = _held(payout) if payout.automatic else []
    with transaction() as session:
        service.record_bank_payout(session, payout, held)


def _held(payout: BankPayout) -> list[tuple[UUID, str]]:
    client = stripe_client.current()
    parts = stripe_gateway.parts_of(client, payout.account, payout.payout_id)
    with transaction() as session:
        known = service.lines_of_parts(session, parts)
    for part in parts:
        if part.payment_id is None or part.balance_transaction_id in known:
            continue
        transfer_id = stripe_gateway.transfer_of_payment(client, payout.account, part.payment_id)
        with transaction() as session:
            line_id = service.name_payment(session, transfer_id, part.payment_id)
        if line_id is not None:
            known[part.balance_transaction_id] = [line_id]
    return [(line_id, bt) for bt, line_ids in known.items() for line_id in line_ids]


@outbox.background("payouts.read_bank_payouts", time_limit_seconds=300)
def read_bank_payouts(work: outbox.Work, stripe_account_id: str) -> None:
    """Fetch what an account has paid out lately, whatever webhooks told or did not tell."""
    client = stripe_client.current()
    try:
        found = stripe_gateway.bank_payouts_since(
            client, stripe_account_id, clock.now() - LOOK_BACK
        )
    except StripeRefused as refused:
        if refused.status == 401:
            raise
        found = []  # The account is gone; what it still held is for reconciliation.
    for payout in found:
        if payout.original is None:
            _keep(payout)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("payouts.poll_banks", time_limit_seconds=600, every_seconds=21_600)
def poll_banks(work: outbox.Work) -> None:
    """Have every account read where something is on its way or may yet be returned."""
    slot = int(clock.now().timestamp()) // 21_600
    after = ""
    while True:
        with transaction() as session:
            accounts = service.accounts_to_read(session, after=after, limit=ACCOUNTS_AT_ONCE)
            for account in accounts:
                key = f"bank-payouts:{account}:{slot}"
                outbox.enqueue_once(
                    session, key, "payouts.read_bank_payouts", stripe_account_id=account
                )
        if len(accounts) < ACCOUNTS_AT_ONCE:
            break
        after = accounts[-1]
    with transaction() as session:
        outbox.done(session, work)
