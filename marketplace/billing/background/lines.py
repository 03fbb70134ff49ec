"""Lines of Stripe's balance that nobody has posted yet, each given to whom its type concerns.

Reconciliation wakes `billing.post_line` for each; webhooks wake the same functions by other ids.
Both ways lead to the same one posting, since the ledger takes a line once.
"""

from __future__ import annotations

from collections.abc import Callable

from marketplace import audit, clock, outbox, settings, stripe_client
from marketplace.actor import SYSTEM
from marketplace.billing import service, stripe_gateway
from marketplace.billing.background.disputes import post_dispute
from marketplace.billing.background.refunds import post_refund
from marketplace.billing.background.top_ups import refresh
from marketplace.billing.stripe_gateway import BalanceLine
from marketplace.db import transaction

POST_LINE = "billing.post_line"
CASH = "billing.receive_stripe_cash"
RECEIVED = frozenset({"payment_unreconciled"})


def post_charge(line: BalanceLine) -> bool:
    """A payment: its top-up is looked at, which posts it. False where no top-up explains it."""
    client = stripe_client.current()
    intent = stripe_gateway.payment_of_line(client, line)
    with transaction() as session:
        top_up = service.found(session, payment_intent_id=intent) if intent else None
    if top_up is None and intent is not None:
        checkout = stripe_gateway.session_of_payment(client, intent)
        with transaction() as session:
            top_up = service.found(session, checkout_session_id=checkout) if checkout else None
    if top_up is None:
        return False
    refresh(top_up, None, intent)
    return True


def post_return(line: BalanceLine) -> bool:
    """A debit that the payer's bank took back (rule 3)."""
    intent = stripe_gateway.payment_of_line(stripe_client.current(), line)
    if intent is None:
        return False
    with transaction() as session:
        returned = service.return_top_up(
            session,
            intent,
            amount=-line.amount,
            fee=line.fee,
            balance_transaction_id=line.id,
            on=clock.book_day(line.created_at, settings.current().book_timezone),
        )
    return returned is not None


def post_cash(line: BalanceLine) -> bool:
    """A lab's cash balance at Stripe was funded by a bank transfer (rule 4)."""
    if line.amount.minor <= 0:
        return False
    customer = stripe_gateway.customer_of_line(stripe_client.current(), line)
    with transaction() as session:
        service.receive_stripe_cash(
            session,
            source_id=line.source_id or line.id,
            amount=line.amount,
            fee=line.fee,
            balance_transaction_id=line.id,
            organisation_id=service.lab_of_customer(session, customer) if customer else None,
            on=clock.book_day(line.created_at, settings.current().book_timezone),
        )
    return True


# Who posts a line, by Stripe's type of it; each says whether it knew the line.
Handler = Callable[[BalanceLine], bool]
HANDLERS: dict[str, Handler] = {
    "charge": post_charge,
    "payment": post_charge,
    "payment_failure_refund": post_return,
    "adjustment": post_dispute,
    "refund": post_refund,
    "payment_refund": post_refund,
    "refund_failure": post_refund,
    **dict.fromkeys(RECEIVED, post_cash),
}


@outbox.background("billing.post_line", time_limit_seconds=120)
def post_line(work: outbox.Work, bt: str) -> None:
    """Post a line of Stripe's balance through whom it concerns; what nobody knows is a break that
    reconciliation shows, and is left on record."""
    line = stripe_gateway.balance_line(stripe_client.current(), bt)
    handler = HANDLERS.get(line.type)
    known = handler is not None and handler(line)
    with transaction() as session:
        if not known:
            audit.record(session, SYSTEM, "met a line that billing cannot post", work.id, line=bt)
        outbox.done(session, work)


@outbox.background("billing.receive_stripe_cash", time_limit_seconds=120)
def receive_stripe_cash(work: outbox.Work, cash_id: str) -> None:
    """Stripe said that a lab's cash balance moved: post the lines of that movement."""
    for line in stripe_gateway.lines_of_source(stripe_client.current(), cash_id):
        if line.type in RECEIVED:
            post_cash(line)
    with transaction() as session:
        outbox.done(session, work)
