"""Sending lines: claim and commit, call, record and commit."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from marketplace import clock, outbox, settings, stripe_client
from marketplace.db import transaction
from marketplace.ids import parse_id
from marketplace.money import Money
from marketplace.payouts import rules, service, stripe_gateway
from marketplace.payouts.background.gate import may_send
from marketplace.payouts.background.pace import take_turn
from marketplace.payouts.background.payees import read_account
from marketplace.payouts.background.waiting import not_found
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, Order, RunState
from marketplace.payouts.service.names import NAME_DIFFERS, OWED, UNDER_REVIEW, UNEXPLAINED
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
# A batch takes no further lines after this, so that it ends within its time.
BATCH_SECONDS = 45.0
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
    UNEXPLAINED: "One of us has to account for an earlier payment to you first. The money is back "
    "in your balance and goes out once that is settled.",
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
    started: bool
    key_usable: bool
    absence_provable: bool


@outbox.background("payouts.send_line", time_limit_seconds=rules.SENDING_SECONDS)
def send_line(work: outbox.Work, line_id: str) -> None:
    """Bring one line further: send it, send it again under its key, or look for its transfer.

    Safe at every moment to be killed, repeated, or run twice at once.
    """
    bring_further(UUID(line_id), Funds())
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("payouts.send_batch", time_limit_seconds=rules.SENDING_SECONDS)
def send_batch(work: outbox.Work, line_ids: list[str]) -> None:
    """Bring a run's next lines further, several at a time; what time is left over for comes next.

    The balance at Stripe is read once. Lines that have ended are passed over, so that a batch may
    be repeated.
    """
    until = time.monotonic() + BATCH_SECONDS
    funds, left = Funds(), [UUID(line_id) for line_id in line_ids]
    at_once = settings.current().payout_senders
    with ThreadPoolExecutor(at_once, thread_name_prefix="send") as senders:
        while left and time.monotonic() < until:
            now, left = left[:at_once], left[at_once:]
            list(senders.map(lambda line_id: bring_further(line_id, funds), now))
    with transaction() as session:
        if left:
            outbox.enqueue(
                session, "payouts.send_batch", line_ids=[str(line_id) for line_id in left]
            )
        outbox.done(session, work)


class Funds:
    """What Stripe holds for a run, asked once and kept for a batch; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gaps: dict[UUID, Money | None] = {}

    def gap(self, run: PayoutRun) -> Money | None:
        """How much is missing for all that the run has still to send, or None."""
        with self._lock:
            if run.id not in self._gaps:
                self._gaps[run.id] = self._asked(run)
            return self._gaps[run.id]

    @staticmethod
    def _asked(run: PayoutRun) -> Money | None:
        available = stripe_gateway.available_balance(stripe_client.current(), run.currency)
        with transaction() as session:
            wanted = service.waiting_total(session, run.id, run.currency)
        return rules.shortfall(wanted, available)


def bring_further(line_id: UUID, funds: Funds) -> None:
    """Do for one line what comes next; without an answer from Stripe it waits."""
    with transaction() as session:
        look = _look(session, line_id)
    if look.line.frozen_at is not None or look.line.ended_at is not None:
        return
    try:
        _further(look, funds)
    except StripeRateLimited:
        _delay(line_id)
    except StripeFault as failed:
        # A check or a listing got no answer; nothing was sent, so the line only waits.
        log.warning("payout_line_waits", line_id=str(line_id), kind=type(failed).__name__)
        _wait(look.line)


def _wait(line: PayoutLine) -> None:
    now = clock.now()
    with transaction() as session:
        service.record_delay(session, line.id, wait=rules.next_look(line.since, now) - now)


def _delay(line_id: UUID) -> None:
    with transaction() as session:
        wait = timedelta(seconds=random.uniform(*BUSY_SECONDS))
        service.record_delay(session, line_id, wait=wait)


def _further(look: _Look, funds: Funds) -> None:
    if look.started and not look.key_usable:
        _search(look)
    elif look.started or _fit_to_send(look, funds):
        call_stripe(look.line.id)


def _look(session: Session, line_id: UUID) -> _Look:
    line = session.get_one(PayoutLine, line_id)
    attempt = service.open_attempt(session, line_id)
    now = clock.now()
    return _Look(
        line=line,
        run=session.get_one(PayoutRun, line.run_id),
        started=attempt is not None,
        key_usable=attempt is not None and rules.key_usable(attempt.started_at, now),
        absence_provable=attempt is not None and rules.absence_provable(attempt.started_at, now),
    )


def _fit_to_send(look: _Look, funds: Funds) -> bool:
    """The checks just before the first call; what does not fit is recorded."""
    line, run = look.line, look.run
    ready = line.state is LineState.APPROVED and run.state is RunState.RELEASING
    if not ready or run.paused_at is not None:
        return False
    if not may_send():
        _wait(line)
        return False
    refused = _unfit_payee(line)
    if refused is not None:
        return _reject(line.id, *refused)
    gap = funds.gap(run)
    if gap is not None:
        with transaction() as session:
            service.pause_run(session, run.id, gap)
        return False
    return True


def _unfit_payee(line: PayoutLine) -> tuple[str, str] | None:
    """Why the payee may not be paid, as a code and in words for them; None when nothing bars it."""
    try:
        payee = read_account(line.specialist_id, line.stripe_account_id)
    except StripeRefused as refused:
        if refused.status == 401:
            raise
        # The account is gone, or is no longer ours to see.
        return RESTRICTED, WORDS[RESTRICTED]
    if payee.stripe_account_id != line.stripe_account_id:
        return CHANGED, WORDS[CHANGED]
    if not (payee.transfers_active and payee.disabled_reason is None):
        return RESTRICTED, WORDS[RESTRICTED]
    if payee.version != line.payee_version:
        return CHANGED, WORDS[CHANGED]
    with transaction() as session:
        held = service.hold_code(session, line.specialist_id)
        taxes = service.tax_answer(session, line)
    if held is not None:
        return held, WORDS[held]
    return None if taxes.ok else (taxes.code, taxes.words)


def _reject(line_id: UUID, code: str, words: str) -> bool:
    with transaction() as session:
        service.record_unfit(session, line_id, code=code, reason=words)
    return False


def call_stripe(line_id: UUID) -> None:
    """Claim a line, make its call, record the outcome; the checks before it are the caller's."""
    with transaction() as session:
        order = service.claim_line(session, line_id)
    if order is None:
        # Another worker has it, or it has ended; the sweep sees to it if that worker is lost.
        return
    try:
        take_turn()
        payment = stripe_gateway.send(stripe_client.current(), order)
    except StripeRateLimited:
        # Nothing was executed or remembered: the same key goes out again.
        _delay(line_id)
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
