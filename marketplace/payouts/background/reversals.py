"""Taking transfers back: claim and commit, call, record and commit; and lines of our balance."""

from __future__ import annotations

from uuid import UUID

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.ids import parse_id
from marketplace.payouts import rules, service, stripe_gateway
from marketplace.payouts.background.waiting import not_found
from marketplace.payouts.models import PayoutLine, PayoutReversal
from marketplace.payouts.rules import Takeback
from marketplace.stripe_client import (
    StripeFault,
    StripeKeyReused,
    StripeRateLimited,
    StripeRefused,
    StripeUnreachable,
)

SPENT = (
    "The money has left the specialist's account at Stripe, so it cannot be taken back. What they "
    "owe is netted from what they earn next."
)
REFUSED = "Stripe refused the reversal."
ABSENT = "Stripe has no such reversal, so nothing was taken back. Ask for it again."


@outbox.background("payouts.take_back", time_limit_seconds=120)
def take_back(work: outbox.Work, reversal_id: str) -> None:
    """Bring one reversal further; safe to be killed, repeated, or run twice at once."""
    with transaction() as session:
        row = service.claim_reversal(session, UUID(reversal_id))
        line = session.get_one(PayoutLine, row.line_id) if row is not None else None
    if row is not None and line is not None:
        _further(row, line)
    with transaction() as session:
        outbox.done(session, work)


def _further(row: PayoutReversal, line: PayoutLine) -> None:
    assert row.started_at is not None  # noqa: S101 - a claimed one has begun.
    if rules.key_usable(row.started_at, clock.now()):
        _call(row, line)
        return
    try:
        found = _found(row, line)
    except StripeFault as silent:
        with transaction() as session:
            service.record_takeback_doubt(session, row.id, code=silent.code)
        return
    with transaction() as session:
        if found is not None:
            service.record_takeback(session, row.id, found)
        elif rules.absence_provable(row.started_at, clock.now()):
            service.record_no_takeback(session, row.id, code="absent", reason=ABSENT)
        else:
            service.record_takeback_doubt(session, row.id, code="not_listed")


def _call(row: PayoutReversal, line: PayoutLine) -> None:
    try:
        made = stripe_gateway.take_back(
            stripe_client.current(),
            transfer_id=line.transfer_id or "",
            account=line.stripe_account_id,
            amount=row.amount,
            reversal_id=row.id,
        )
    except StripeRateLimited:
        with transaction() as session:
            service.delay_reversal(session, row.id)
    except StripeUnreachable as silent:
        with transaction() as session:
            service.record_takeback_doubt(session, row.id, code=silent.code)
    except StripeKeyReused as reused:
        # Our own fault. Something was called under the key, so that only the listing can tell.
        with transaction() as session:
            service.record_takeback_doubt(session, row.id, code=reused.code or "idempotency_error")
    except StripeRefused as refused:
        code = refused.code or f"http_{refused.status}"
        reason = SPENT if code == "balance_insufficient" else f"{REFUSED} {refused.message}"
        with transaction() as session:
            service.record_no_takeback(session, row.id, code=code, reason=reason)
    else:
        with transaction() as session:
            service.record_takeback(session, row.id, made)


def _found(row: PayoutReversal, line: PayoutLine) -> Takeback | None:
    made = stripe_gateway.takebacks_of(
        stripe_client.current(), line.transfer_id or "", line.stripe_account_id
    )
    return next((each for each in made if each.asked_as == str(row.id)), None)


@outbox.background("payouts.find_reversals", time_limit_seconds=60, every_seconds=300)
def find_reversals(work: outbox.Work) -> None:
    """Have reversals looked at whose worker was lost."""
    with transaction() as session:
        for reversal_id in service.overdue_reversals(session):
            outbox.enqueue(session, "payouts.take_back", reversal_id=reversal_id)
        outbox.done(session, work)


@outbox.background("payouts.post_line", time_limit_seconds=60)
def post_line(work: outbox.Work, bt: str) -> None:
    """Settle whatever made a line of our balance at Stripe that nothing has posted yet.

    A transfer of ours settles its line, a reversal of ours its row; one that we never asked for
    is left to reconciliation, which shows it as a break.
    """
    mover = stripe_gateway.mover_of(stripe_client.current(), bt)
    if mover is None:
        not_found(work, "met a line of our balance that no transfer explains")
        return
    line_id, reversal_id = parse_id(mover.line_id), parse_id(mover.reversal_id)
    with transaction() as session:
        line = session.get(PayoutLine, line_id) if line_id else None
        row = session.get(PayoutReversal, reversal_id) if reversal_id else None
    if line is None or (row is None and mover.reversal_id):
        not_found(work, "met a transfer that no line explains")
        return
    if row is None:
        payment = stripe_gateway.transfer_now(stripe_client.current(), mover.transfer_id)
        with transaction() as session:
            service.record_payment(session, line.id, payment)
    else:
        found = _found(row, line)
        with transaction() as session:
            if found is not None:
                service.record_takeback(session, row.id, found)
    with transaction() as session:
        outbox.done(session, work)
