"""Sending lines: claim and commit, call, record and commit."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.ids import parse_id
from marketplace.money import Money
from marketplace.payouts import rules, service, stripe_gateway
from marketplace.payouts.background.payees import read_account
from marketplace.payouts.background.waiting import not_found
from marketplace.payouts.models import PayeeAccount, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, Order, RunState
from marketplace.payouts.service.names import NAME_DIFFERS, OWED, UNDER_REVIEW
from marketplace.payouts.service.payee_change import PAYEE_COOLING
from marketplace.stripe_client import (
    StripeFault,
    StripeKeyReused,
    StripeRateLimited,
    StripeRefused,
    StripeUnreachable,
)

log = structlog.get_logger(__name__)
BUSY_SECONDS = (2.0, 10.0)
RESTRICTED = "account_restricted"
CHANGED = "payee_changed"
WORDS = {
    RESTRICTED: "Stripe needs something from you before it can pay you. Open your payout "
    "settings; the money is back in your balance and goes out with the next run.",
    CHANGED: "Your bank details changed after this payout was approved. The money is back in your "
    "balance and goes out with the next run.",
    NAME_DIFFERS: "The name on your payout account is not the name on your licence, so one of us "
    "looks at it first. The money is back in your balance and goes out once that is settled.",
    OWED: "An acceptance was taken back after its pay had gone out. This payout covers that first; "
    "what is left is back in your balance and goes out with the next run.",
    PAYEE_COOLING: "Your bank account changed lately, and a new one is not paid in the first days, "
    "so that you can speak up if it was not you. The money is back in your balance and goes out "
    "with a run after that.",
    UNDER_REVIEW: "One of us has to check something before you can be paid. The money is back in "
    "your balance and goes out once that is settled.",
}
REJECTED = (
    "Stripe could not make this transfer. The money is back in your balance and goes out with a "
    "later run."
)


@dataclass(frozen=True, slots=True)
class _Look:
    """A line as it was before anything was called."""

    line: PayoutLine
    run: PayoutRun
    payee: PayeeAccount | None
    to_send: Money
    started: bool
    key_usable: bool
    absence_provable: bool


@outbox.background("payouts.send_line", time_limit_seconds=rules.SENDING_SECONDS)
def send_line(work: outbox.Work, line_id: str) -> None:
    """Bring one line further: send it, send it again under its key, or look for its transfer.

    Safe at every moment to be killed, repeated, or run twice at once.
    """
    with transaction() as session:
        look = _look(session, UUID(line_id))
    if look.line.frozen_at is None:
        try:
            _further(look)
        except StripeFault as failed:
            # A check or a listing got no answer; nothing was sent, so the line only waits.
            log.warning("payout_line_waits", line_id=line_id, kind=type(failed).__name__)
            _wait(look.line)
    with transaction() as session:
        outbox.done(session, work)


def _wait(line: PayoutLine) -> None:
    now = clock.now()
    with transaction() as session:
        service.record_delay(session, line.id, wait=rules.next_look(line.since, now) - now)


def _further(look: _Look) -> None:
    if look.started and not look.key_usable:
        _search(look)
    elif look.started or _fit_to_send(look):
        call_stripe(look.line.id)


def _look(session: Session, line_id: UUID) -> _Look:
    line = session.get_one(PayoutLine, line_id)
    run = session.get_one(PayoutRun, line.run_id)
    attempt = service.open_attempt(session, line_id)
    now = clock.now()
    waiting = select(func.coalesce(func.sum(PayoutLine.amount_minor), 0)).where(
        PayoutLine.run_id == run.id, PayoutLine.state == LineState.APPROVED
    )
    return _Look(
        line=line,
        run=run,
        payee=session.get(PayeeAccount, line.specialist_id),
        to_send=Money(int(session.scalars(waiting).one()), run.currency),
        started=attempt is not None,
        key_usable=attempt is not None and rules.key_usable(attempt.started_at, now),
        absence_provable=attempt is not None and rules.absence_provable(attempt.started_at, now),
    )


def _fit_to_send(look: _Look) -> bool:
    """The checks just before the first call; what does not fit is recorded."""
    line, run = look.line, look.run
    ready = line.state is LineState.APPROVED and run.state is RunState.RELEASING
    if not ready or run.paused_at is not None:
        return False
    try:
        payee = read_account(line.specialist_id, line.stripe_account_id)
    except StripeRefused as refused:
        if refused.status == 401:
            raise
        # The account is gone, or is no longer ours to see.
        return _reject(line.id, RESTRICTED)
    if not (payee.transfers_active and payee.disabled_reason is None):
        return _reject(line.id, RESTRICTED)
    if payee.version != line.payee_version:
        return _reject(line.id, CHANGED)
    with transaction() as session:
        held = service.hold_code(session, line.specialist_id)
    if held is not None:
        return _reject(line.id, held)
    available = stripe_gateway.available_balance(stripe_client.current(), run.currency)
    gap = rules.shortfall(look.to_send, available)
    if gap is not None:
        with transaction() as session:
            service.pause_run(session, run.id, gap)
        return False
    return True


def _reject(line_id: UUID, code: str) -> bool:
    with transaction() as session:
        service.record_rejection(session, line_id, code=code, reason=WORDS[code])
    return False


def call_stripe(line_id: UUID) -> None:
    """Claim a line, make its call, record the outcome; the checks before it are the caller's."""
    with transaction() as session:
        order = service.claim_line(session, line_id)
    if order is None:
        # Another worker has it, or it has ended; the sweep sees to it if that worker is lost.
        return
    try:
        payment = stripe_gateway.send(stripe_client.current(), order)
    except StripeRateLimited:
        with transaction() as session:
            wait = timedelta(seconds=random.uniform(*BUSY_SECONDS))
            service.record_delay(session, line_id, wait=wait)
    except StripeUnreachable as silent:
        with transaction() as session:
            service.record_doubt(session, line_id, code=silent.code)
    except StripeKeyReused as reused:
        _freeze_reused(order, reused)
    except StripeRefused as refused:
        _record_refusal(order, refused)
    else:
        with transaction() as session:
            service.record_payment(session, line_id, payment)


def _freeze_reused(order: Order, reused: StripeKeyReused) -> None:
    with transaction() as session:
        detail = f"{order.attempt_id}: {reused.code or 'idempotency_error'}"
        service.freeze_line(
            session, order.line_id, "froze a line: its key was used for another call", detail
        )


def _record_refusal(order: Order, refused: StripeRefused) -> None:
    code = refused.code or f"http_{refused.status}"
    with transaction() as session:
        service.record_rejection(
            session, order.line_id, code=code, reason=REJECTED, request_id=refused.request_id
        )


def _search(look: _Look) -> None:
    """Look for the transfer of a line whose key is too old to be sent again."""
    line = look.line
    found = stripe_gateway.transfers_of_line(
        stripe_client.current(),
        account=line.stripe_account_id,
        run_id=line.run_id,
        line_id=line.id,
    )
    with transaction() as session:
        if len(found) > 1:
            ids = ", ".join(payment.transfer_id for payment in found)
            service.freeze_line(session, line.id, "froze a line: it has several transfers", ids)
        elif found:
            service.record_payment(session, line.id, found[0])
        else:
            # A worker that died between claim and record left it in `submitting`.
            service.record_doubt(session, line.id, code="not_listed")
            if look.absence_provable:
                service.record_absence(session, line.id)


@outbox.background("payouts.resolve_transfer", time_limit_seconds=60)
def resolve_transfer(work: outbox.Work, transfer_id: str, line_id: str | None = None) -> None:
    """Settle a line by a transfer that a webhook spoke of; the transfer itself is fetched.

    It may arrive before the answer to our own call, which then finds the line settled.
    """
    known = parse_id(line_id or "")
    with transaction() as session:
        line = session.get(PayoutLine, known) if known else None
    if line is None:
        not_found(work, "met a transfer that no line explains")
        return
    payment = stripe_gateway.transfer_now(stripe_client.current(), transfer_id)
    with transaction() as session:
        service.record_payment(session, line.id, payment)
        outbox.done(session, work)


@outbox.background("payouts.resolve_unknown", time_limit_seconds=60, every_seconds=60)
def resolve_unknown(work: outbox.Work) -> None:
    """Have every overdue line looked at: unknown ones, stuck ones, those a lost queue forgot."""
    with transaction() as session:
        service.look_around(session)
        outbox.done(session, work)
