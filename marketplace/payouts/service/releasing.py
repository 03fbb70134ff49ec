"""Releasing an approved run, pausing it, going on, and cancelling what was not sent."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity.rules import Permission
from marketplace.money import total
from marketplace.payouts import rules
from marketplace.payouts.models import PayeeAccount, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState
from marketplace.payouts.service.approving import approvals_needed, approvers_of
from marketplace.payouts.service.lines import (
    end_run_if_done,
    locked_run,
    release_money,
    start_lines,
)
from marketplace.payouts.service.run_steps import (
    expect,
    hashed,
    lines_kept,
    move_lines,
    run_named,
    step,
    tell,
)

log = structlog.get_logger(__name__)


def release_run(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Start sending an approved run; its preparer or approver does, once.

    Raises Denied for anybody else, PayeeEditor for the last editor of a payee in it,
    ContentChanged when it differs from what was approved, Conflict when it is not approved.
    """
    actor.require(Permission.PAYOUTS_RELEASE)
    run = run_named(session, run_id)
    expect(run, RunState.APPROVED)
    if actor.person() not in {run.prepared_by, run.approved_by}:
        raise Denied("A run is released by the person who prepared or who approved it.")
    _refuse_payee_editor(session, actor, run)
    same = run.approved_sha256 == hashed(run, lines_kept(session, run))
    if not same or len(approvers_of(session, run)) < run.approvals_needed:
        raise rules.ContentChanged("The run has changed since it was approved.")
    released = {
        "state": RunState.RELEASING,
        "released_by": actor.person(),
        "released_at": clock.now(),
    }
    step(session, run, RunState.APPROVED, released)
    start_lines(session, run.id)
    tell(session, actor, "released a payout run", run)
    return run


def pause_by_hand(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Send no further line until somebody goes on; what is on its way comes to its end.

    Raises Conflict for a run that is not being sent, or that waits already.
    """
    actor.require(Permission.PAYOUTS_RELEASE)
    run = locked_run(session, run_id)
    if run.state is not RunState.RELEASING or run.paused_at is not None:
        raise Conflict("This run is not being sent, or it is paused already.")
    run.paused_at, run.paused_by = clock.now(), actor.person()
    run.version += 1
    tell(session, actor, "paused a payout run", run)
    return run


def resume_run(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Go on sending a run that paused because money was missing at Stripe, or by hand."""
    actor.require(Permission.PAYOUTS_RELEASE)
    run = locked_run(session, run_id)
    if run.state is not RunState.RELEASING or run.paused_at is None:
        raise Conflict("This run is not paused.")
    _refuse_payee_editor(session, actor, run)
    run.paused_at = run.paused_by = run.funding_gap_minor = None
    run.version += 1
    session.flush()  # Senders ask whether it is paused.
    start_lines(session, run.id)
    tell(session, actor, "resumed a payout run", run)
    return run


def cancel_line(session: Session, actor: Actor, line_id: UUID) -> PayoutLine:
    """Take a line that was not sent out of its run and give its money back.

    Before the release this changes the content, so an approval is void. Conflict once the line
    is on its way.
    """
    actor.require(Permission.PAYOUTS_PREPARE)
    found = session.get(PayoutLine, line_id)
    if found is None:
        raise Missing("There is no such payout line.")
    run = locked_run(session, found.run_id)
    line = session.get_one(PayoutLine, line_id, with_for_update=True, populate_existing=True)
    _cancel(session, actor, run, [line])
    return line


def cancel_run(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Cancel every line that was not sent; what is on its way goes on."""
    actor.require(Permission.PAYOUTS_PREPARE)
    run = locked_run(session, run_id)
    waiting = (
        select(PayoutLine)
        .where(PayoutLine.run_id == run.id, PayoutLine.state.in_(rules.NOT_SENT))
        .order_by(PayoutLine.specialist_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    _cancel(session, actor, run, list(session.scalars(waiting)))
    return run


def _cancel(session: Session, actor: Actor, run: PayoutRun, lines: Sequence[PayoutLine]) -> None:
    if not lines or any(line.state not in rules.NOT_SENT for line in lines):
        raise Conflict("It is on its way or has ended, so it can no longer be cancelled.")
    if any(line.frozen_at is not None for line in lines):
        raise Conflict("A line is frozen until somebody has looked at it; it stays as it is.")
    for line in lines:
        release_money(session, line)
        line.state, line.since, line.ended_at = LineState.CANCELLED, clock.now(), clock.now()
    session.flush()  # What is left must be counted without them.
    if run.state is RunState.RELEASING:
        end_run_if_done(session, run)
    else:
        _shrink(session, run)
    tell(session, actor, "cancelled payout lines", run, cancelled=len(lines))


def _shrink(session: Session, run: PayoutRun) -> None:
    """Recount a run that has not been released; its approval was for another content."""
    lines = lines_kept(session, run)
    changed = {
        "state": RunState.DRAFT if lines else RunState.CANCELLED,
        "ended_at": None if lines else clock.now(),
        "line_count": len(lines),
        "total_minor": total((line.amount for line in lines), run.currency).minor,
        "content_sha256": hashed(run, lines),
        "approvals_needed": approvals_needed(
            session, run.currency, {line.specialist_id: line.amount for line in lines}
        ),
        "approved_by": None,
        "approved_at": None,
        "approved_sha256": None,
    }
    step(session, run, run.state, changed)
    move_lines(session, run, LineState.APPROVED, LineState.DRAFT)


def _refuse_payee_editor(session: Session, actor: Actor, run: PayoutRun) -> None:
    edited = session.scalars(
        select(PayeeAccount.person_id)
        .join(PayoutLine, PayoutLine.specialist_id == PayeeAccount.person_id)
        .where(PayoutLine.run_id == run.id, PayoutLine.state != LineState.CANCELLED)
        .where(PayeeAccount.changed_by == actor.person())
        .limit(1)
    ).first()
    if edited is not None:
        log.warning("payee_editor_refused", run_id=str(run.id), person_id=str(actor.person_id))
        raise rules.PayeeEditor("You changed a payee in this run last, so you may not release it.")
