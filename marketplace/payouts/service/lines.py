"""Lines on their way: claimed, called by `background`, and recorded; each verb is one transaction.

A run is always locked before its line, so that two verbs never wait for each other.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM
from marketplace.errors import Missing
from marketplace.ids import PayoutLineId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.payouts import rules
from marketplace.payouts.models import PayeeAccount, PayoutAttempt, PayoutLine, PayoutRun
from marketplace.payouts.rules import AttemptState, LineState, Order, Payment, RunState

FUNDS_MISSING = "balance_insufficient"
# How many lines a worker takes at a time, and what a sweep takes for forgotten: an approved line
# waits for its turn in a large run, one on its way has an answer by then.
BATCH = 25
FORGOTTEN = timedelta(minutes=10)
UNANSWERED = timedelta(seconds=60)


def look_at(session: Session, line: PayoutLine) -> None:
    """Enqueue the line for the time it says; twice for one time is once."""
    key = f"payout-line:{line.id}:{line.next_look_at.timestamp()}"
    outbox.enqueue_once(
        session, key, "payouts.send_line", not_before=line.next_look_at, line_id=line.id
    )


def start_lines(session: Session, run_id: UUID) -> None:
    """Have every approved line of a run sent, in batches."""
    now = clock.now()
    waiting = (
        update(PayoutLine)
        .where(PayoutLine.run_id == run_id, PayoutLine.state == LineState.APPROVED)
        .where(PayoutLine.frozen_at.is_(None))
        .values(next_look_at=now)
        .returning(PayoutLine.id)
    )
    ids = sorted(session.scalars(waiting))
    for first in range(0, len(ids), BATCH):
        line_ids = [str(line_id) for line_id in ids[first : first + BATCH]]
        outbox.enqueue(session, "payouts.send_batch", not_before=now, line_ids=line_ids)


def claim_line(session: Session, line_id: UUID) -> Order | None:
    """The call to make for a line, or None when there is none to make now.

    An approved line gets a new attempt and is `submitting`; one that is on its way gets its open
    attempt again, under the same key, unless the key is too old. Nobody else gets the line until
    `next_look_at`; a line that another transaction has locked is left alone.
    """
    now = clock.now()
    free = (
        select(PayoutLine)
        .where(PayoutLine.id == line_id, PayoutLine.next_look_at <= now)
        .where(PayoutLine.frozen_at.is_(None))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    line = session.scalars(free).first()
    if line is None:
        return None
    if line.state is LineState.APPROVED:
        if not _may_start(session, line):
            return None
        attempt = _new_attempt(session, line)
        _move(session, line, LineState.SUBMITTING)
    else:
        again = open_attempt(session, line_id)
        if again is None or not rules.key_usable(again.started_at, now):
            return None
        attempt = again
    line.next_look_at = now + timedelta(seconds=rules.STUCK_SECONDS)
    return _order(line, attempt)


def waiting_total(session: Session, run_id: UUID, currency: str) -> Money:
    """The sum of a run's lines that wait to be sent."""
    waiting = select(func.coalesce(func.sum(PayoutLine.amount_minor), 0)).where(
        PayoutLine.run_id == run_id, PayoutLine.state == LineState.APPROVED
    )
    return Money(int(session.scalars(waiting).one()), currency)


def _may_start(session: Session, line: PayoutLine) -> bool:
    run = session.get_one(PayoutRun, line.run_id, populate_existing=True)
    payee = session.get(PayeeAccount, line.specialist_id, populate_existing=True)
    unchanged = payee is not None and payee.version == line.payee_version
    return run.state is RunState.RELEASING and run.paused_at is None and unchanged


def _new_attempt(session: Session, line: PayoutLine) -> PayoutAttempt:
    now = clock.now()
    count = select(func.count()).where(PayoutAttempt.line_id == line.id)
    attempt = PayoutAttempt(
        id=new_id(),
        line_id=line.id,
        number=session.scalars(count).one() + 1,
        params_sha256="",
        state=AttemptState.OPEN,
        started_at=now,
        deadline_at=now + timedelta(hours=rules.KEY_HOURS),
    )
    attempt.params_sha256 = _order(line, attempt).sha256()
    session.add(attempt)
    return attempt


def _order(line: PayoutLine, attempt: PayoutAttempt) -> Order:
    return Order(
        attempt_id=attempt.id,
        line_id=line.id,
        run_id=line.run_id,
        account=line.stripe_account_id,
        amount=line.amount,
    )


def open_attempt(session: Session, line_id: UUID) -> PayoutAttempt | None:
    """The attempt of which it is not known how it ended."""
    still = PayoutAttempt.state == AttemptState.OPEN
    return session.scalars(
        select(PayoutAttempt).where(PayoutAttempt.line_id == line_id, still)
    ).first()


def record_payment(session: Session, line_id: UUID, payment: Payment) -> None:
    """Stripe made this transfer for the line: post it, once; whatever contradicts it, freeze."""
    run, line = _locked(session, line_id)
    if line.state is LineState.TRANSFERRED and line.transfer_id == payment.transfer_id:
        return
    fits = (payment.amount, payment.account, payment.line_id) == (
        line.amount,
        line.stripe_account_id,
        str(line.id),
    )
    attempt = open_attempt(session, line_id)
    if not fits or attempt is None or line.state not in {LineState.SUBMITTING, LineState.UNKNOWN}:
        _freeze(session, line, "found a transfer that does not fit its line", payment.transfer_id)
        return
    ledger.confirm_transfer(
        session,
        specialist_id=line.specialist_id,
        line_id=cast(PayoutLineId, line.id),
        amount=line.amount,
        transfer_id=payment.transfer_id,
        balance_transaction_id=payment.balance_transaction_id,
        connected_account=payment.account,
        destination_amount=payment.destination,
    )
    line.transfer_id = payment.transfer_id
    line.balance_transaction_id = payment.balance_transaction_id
    line.destination_amount_minor = payment.destination.minor
    line.destination_currency = payment.destination.currency
    line.destination_payment_id = payment.payment_id or None
    line.frozen_at = None
    _end(session, run, line, LineState.TRANSFERRED, attempt)


def record_unfit(session: Session, line_id: UUID, *, code: str, reason: str) -> None:
    """A check before the call speaks against the payee: the money goes back to the specialist.

    Says nothing about a line that another worker has claimed meanwhile: that one may be paid.
    """
    _, line = _locked(session, line_id)
    if line.state is LineState.APPROVED and line.frozen_at is None:
        record_rejection(session, line_id, code=code, reason=reason)


def record_rejection(
    session: Session, line_id: UUID, *, code: str, reason: str, request_id: str | None = None
) -> None:
    """Nothing was or will be paid: give the money back to the specialist, with the reason.

    reason: words for the specialist. Missing money at Stripe also pauses the run.
    """
    run, line = _locked(session, line_id)
    if line.state not in {LineState.APPROVED, LineState.SUBMITTING, LineState.UNKNOWN}:
        return
    attempt = open_attempt(session, line_id)
    if attempt is not None:
        attempt.error_code, attempt.request_id = code, request_id
    release_money(session, line)
    if code == FUNDS_MISSING:
        pause_run(session, run.id, line.amount)
    line.reason_code, line.reason = code, reason
    _end(session, run, line, LineState.REJECTED, attempt)


def record_doubt(session: Session, line_id: UUID, *, code: str | None) -> None:
    """Stripe may or may not have paid: `unknown`, looked at again later; the money stays put."""
    _, line = _locked(session, line_id)
    if line.state not in {LineState.SUBMITTING, LineState.UNKNOWN}:
        return
    attempt = open_attempt(session, line_id)
    if attempt is not None:
        attempt.error_code = code
    if line.state is LineState.SUBMITTING:
        _move(session, line, LineState.UNKNOWN)
    line.next_look_at = rules.next_look(line.since, clock.now())
    look_at(session, line)


def record_delay(session: Session, line_id: UUID, *, wait: timedelta) -> None:
    """Stripe was too busy to look at the call: nothing changes but the time of the next one."""
    _, line = _locked(session, line_id)
    line.next_look_at = clock.now() + wait
    look_at(session, line)


def record_absence(session: Session, line_id: UUID) -> None:
    """A complete listing after the quiet period has no such transfer: a new attempt may start."""
    _, line = _locked(session, line_id)
    attempt = open_attempt(session, line_id)
    if line.state is not LineState.UNKNOWN or attempt is None or line.frozen_at is not None:
        return
    attempt.state, attempt.ended_at = AttemptState.ABSENT, clock.now()
    _move(session, line, LineState.APPROVED)
    line.next_look_at = clock.now()
    look_at(session, line)


def freeze_line(session: Session, line_id: UUID, verb: str, detail: str) -> None:
    """Stop every call for a line until a person has looked; verb and detail say what was found."""
    _, line = _locked(session, line_id)
    _freeze(session, line, verb, detail)


def _freeze(session: Session, line: PayoutLine, verb: str, detail: str) -> None:
    if line.frozen_at is not None:
        return
    line.frozen_at = clock.now()
    if line.state is LineState.SUBMITTING:
        _move(session, line, LineState.UNKNOWN)
    audit.record(session, SYSTEM, verb, line.id, run_id=line.run_id, detail=detail)
    outbox.announce(session, "payout.frozen", line.id, {"run_id": line.run_id, "detail": detail})


def pause_run(session: Session, run_id: UUID, gap: Money) -> None:
    """Stop sending a run's further lines until someone resumes it; gap: how much is missing."""
    run = locked_run(session, run_id)
    if run.state is not RunState.RELEASING or run.paused_at is not None:
        return
    run.paused_at, run.funding_gap_minor = clock.now(), gap.minor
    run.version += 1
    audit.record(session, SYSTEM, "paused a payout run", run.id, funding_gap=gap.minor)
    outbox.announce(session, "payout_run.paused", run.id, {"funding_gap_minor": gap.minor})


def look_around(session: Session, *, limit: int = 500) -> int:
    """Enqueue every line that is overdue; how many. What a lost queue forgot, this finds."""
    now = clock.now()
    due = PayoutLine.next_look_at
    overdue = (
        select(PayoutLine)
        .join(PayoutRun, PayoutRun.id == PayoutLine.run_id)
        .where(PayoutLine.frozen_at.is_(None), PayoutRun.state == RunState.RELEASING)
        .where(
            or_(
                PayoutLine.state.in_((LineState.SUBMITTING, LineState.UNKNOWN))
                & (due < now - UNANSWERED),
                (PayoutLine.state == LineState.APPROVED)
                & PayoutRun.paused_at.is_(None)
                & (due < now - FORGOTTEN),
            )
        )
        .order_by(PayoutLine.next_look_at)
        .limit(limit)
        .with_for_update(of=PayoutLine, skip_locked=True)
    )
    lines = session.scalars(overdue).all()
    for line in lines:
        line.next_look_at = now
        look_at(session, line)
    return len(lines)


def release_money(session: Session, line: PayoutLine) -> None:
    """Give a line's reserved money, and what was withheld of it, back to its specialist."""
    line_id = cast(PayoutLineId, line.id)
    ledger.cancel_payout(
        session, specialist_id=line.specialist_id, line_id=line_id, amount=line.amount
    )
    if line.withheld_minor:
        kept = Money(line.withheld_minor, line.currency)
        ledger.return_withholding(
            session, specialist_id=line.specialist_id, line_id=line_id, amount=kept
        )


def locked_run(session: Session, run_id: UUID) -> PayoutRun:
    """The run, locked until the transaction ends; Missing when there is none."""
    run = session.get(PayoutRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise Missing("There is no such payout run.")
    return run


def end_run_if_done(session: Session, run: PayoutRun) -> None:
    """End a run in sending whose last line has ended; lines dropped before the release are none."""
    session.flush()  # The count must see the line that has just ended.
    open_line = select(PayoutLine.id).where(
        PayoutLine.run_id == run.id, PayoutLine.ended_at.is_(None)
    )
    if run.state is not RunState.RELEASING or session.scalar(open_line.limit(1)) is not None:
        return
    sent = or_(PayoutLine.state != LineState.CANCELLED, PayoutLine.ended_at >= run.released_at)
    states = session.scalars(
        select(PayoutLine.state).where(PayoutLine.run_id == run.id, sent)
    ).all()
    following = rules.run_after(states)
    if following is None:
        return
    run.state, run.ended_at = following, clock.now()
    run.paused_at = run.paused_by = run.funding_gap_minor = None
    run.version += 1
    audit.record(session, SYSTEM, f"ended a payout run as {following}", run.id)
    outbox.announce(session, f"payout_run.{following}", run.id, {"lines": len(states)})


def _end(
    session: Session,
    run: PayoutRun,
    line: PayoutLine,
    state: LineState,
    attempt: PayoutAttempt | None,
) -> None:
    if attempt is not None:
        attempt.state, attempt.ended_at = AttemptState(state.value), clock.now()
    line.ended_at = clock.now()
    _move(session, line, state)
    facts = {"run_id": run.id, "amount_minor": line.amount_minor, "currency": line.currency}
    person = line.specialist_id
    outbox.announce(session, f"payout.{state}", line.id, facts, person_id=person)
    end_run_if_done(session, run)


def _move(session: Session, line: PayoutLine, following: LineState) -> None:
    assert following in rules.LINE_NEXT[line.state], (line.state, following)  # noqa: S101
    line.state, line.since = following, clock.now()
    session.flush()  # The database checks each step of the lifecycle by itself.
    audit.record(session, SYSTEM, f"moved a payout line to {following}", line.id)


def _locked(session: Session, line_id: UUID) -> tuple[PayoutRun, PayoutLine]:
    found = session.get(PayoutLine, line_id)
    if found is None:
        raise Missing("There is no such payout line.")
    run = locked_run(session, found.run_id)
    line = session.get_one(PayoutLine, line_id, with_for_update=True, populate_existing=True)
    return run, line
