"""Payout runs: prepared by one person, approved by another, released, cancelled, resumed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity import service as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PayoutLineId, new_id, reference
from marketplace.ledger import service as ledger
from marketplace.money import Money, total
from marketplace.payouts import queries, rules
from marketplace.payouts.models import PayeeAccount, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState
from marketplace.payouts.service.lines import end_run_if_done, locked_run, look_at, release_money
from marketplace.payouts.service.names import hold_differing

log = structlog.get_logger(__name__)
NUMBER_LOCK = 7_311  # The advisory lock that makes run numbers follow each other.
LINES_MAX = 5_000


def prepare_run(
    session: Session,
    actor: Actor,
    *,
    minimum: Money,
    only: Collection[UUID] | None = None,
) -> PayoutRun:
    """A draft with one line for each specialist whose available balance is worth a payout.

    minimum: the smallest payout; its currency is the run's. only: no other specialists than
    these. Each line's money is set aside in the ledger in this transaction. At most 5,000 lines,
    the largest balances first. Raises BelowMinimum when nobody can be paid.
    """
    actor.require(Permission.PAYOUTS_PREPARE)
    payable = queries.payable(session, actor, minimum=minimum, only=only, limit=LINES_MAX)
    hold_differing(session, [row.specialist_id for row in payable])
    session.flush()  # Whoever is held from now on is left out.
    payable = queries.payable(session, actor, minimum=minimum, only=only, limit=LINES_MAX)
    if not payable:
        raise rules.BelowMinimum(f"Nobody has {minimum} or more to pay out and a payee account.")
    run = _numbered(session, actor, minimum)
    lines = [_line(run, row) for row in sorted(payable, key=lambda row: row.specialist_id)]
    run.line_count = len(lines)
    run.total_minor = total((line.amount for line in lines), run.currency).minor
    run.content_sha256 = _hash(run, lines)
    session.add(run)
    session.flush()  # The lines refer to the run.
    session.add_all(lines)
    session.flush()  # The ledger refers to the lines.
    for line in lines:
        ledger.reserve_payout(
            session,
            specialist_id=line.specialist_id,
            line_id=cast(PayoutLineId, line.id),
            amount=line.amount,
        )
    _tell(session, actor, "prepared a payout run", run)
    return run


def approve_run(
    session: Session, actor: Actor, run_id: UUID, content_sha256: str, totp_code: str
) -> PayoutRun:
    """Approve exactly the content that was looked at, by its hash, with a fresh TOTP code.

    Raises OwnRun for the preparer, ContentChanged when the run is not what was seen (any more),
    Conflict when it is no draft, and what identity raises for a wrong or reused code.
    """
    actor.require(Permission.PAYOUTS_APPROVE)
    run = _run(session, run_id)
    if run.prepared_by == actor.person():
        log.warning("own_run_refused", run_id=str(run_id), person_id=str(actor.person_id))
        raise rules.OwnRun("You prepared this run, so somebody else must approve it.")
    _expect(run, RunState.DRAFT)
    identity.check_totp(session, actor.person(), totp_code)
    lines = _lines(session, run)
    if not content_sha256 == run.content_sha256 == _hash(run, lines):
        raise rules.ContentChanged("The run has changed since you looked at it. Look again.")
    _refuse_changed_payees(session, run)
    _refuse_held_payees(session, actor, run)
    now = clock.now()
    approved = {
        "state": RunState.APPROVED,
        "approved_by": actor.person(),
        "approved_at": now,
        "approved_sha256": content_sha256,
    }
    _step(session, run, RunState.DRAFT, approved)
    _move_lines(session, run, LineState.DRAFT, LineState.APPROVED)
    _tell(session, actor, "approved a payout run", run)
    return run


def release_run(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Start sending an approved run; its preparer or approver does, once.

    Raises Denied for anybody else, PayeeEditor for the last editor of a payee in it,
    ContentChanged when it differs from what was approved, Conflict when it is not approved.
    """
    actor.require(Permission.PAYOUTS_RELEASE)
    run = _run(session, run_id)
    _expect(run, RunState.APPROVED)
    if actor.person() not in {run.prepared_by, run.approved_by}:
        raise Denied("A run is released by the person who prepared or who approved it.")
    _refuse_payee_editor(session, actor, run)
    if run.approved_sha256 != _hash(run, _lines(session, run)):
        raise rules.ContentChanged("The run has changed since it was approved.")
    released = {
        "state": RunState.RELEASING,
        "released_by": actor.person(),
        "released_at": clock.now(),
    }
    _step(session, run, RunState.APPROVED, released)
    _start_lines(session, run)
    _tell(session, actor, "released a payout run", run)
    return run


def resume_run(session: Session, actor: Actor, run_id: UUID) -> PayoutRun:
    """Go on sending a run that paused because money was missing at Stripe."""
    actor.require(Permission.PAYOUTS_RELEASE)
    run = locked_run(session, run_id)
    if run.state is not RunState.RELEASING or run.paused_at is None:
        raise Conflict("This run is not paused.")
    run.paused_at = run.funding_gap_minor = None
    run.version += 1
    _start_lines(session, run)
    _tell(session, actor, "resumed a payout run", run)
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


def _cancel(session: Session, actor: Actor, run: PayoutRun, lines: list[PayoutLine]) -> None:
    if not lines or any(line.state not in rules.NOT_SENT for line in lines):
        raise Conflict("It is on its way or has ended, so it can no longer be cancelled.")
    for line in lines:
        release_money(session, line)
        line.state, line.since, line.ended_at = LineState.CANCELLED, clock.now(), clock.now()
    session.flush()  # What is left must be counted without them.
    if run.state is RunState.RELEASING:
        end_run_if_done(session, run)
    else:
        _shrink(session, run)
    _tell(session, actor, "cancelled payout lines", run, cancelled=len(lines))


def _shrink(session: Session, run: PayoutRun) -> None:
    """Recount a run that has not been released; its approval was for another content."""
    lines = _lines(session, run)
    now = clock.now()
    changed = {
        "state": RunState.DRAFT if lines else RunState.CANCELLED,
        "ended_at": None if lines else now,
        "line_count": len(lines),
        "total_minor": total((line.amount for line in lines), run.currency).minor,
        "content_sha256": _hash(run, lines),
        "approved_by": None,
        "approved_at": None,
        "approved_sha256": None,
    }
    _step(session, run, run.state, changed)
    _move_lines(session, run, LineState.APPROVED, LineState.DRAFT)


def _step(
    session: Session, run: PayoutRun, expected: RunState, values: Mapping[str, object]
) -> None:
    """Change a run only if it is still what the caller looked at; Conflict otherwise."""
    changed = session.execute(
        update(PayoutRun)
        .where(PayoutRun.id == run.id, PayoutRun.state == expected)
        .where(PayoutRun.version == run.version)
        .values(**values, version=run.version + 1)
        .returning(PayoutRun.id),
        execution_options={"synchronize_session": False},
    ).first()
    session.refresh(run)
    if changed is None:
        raise Conflict(f"Somebody was faster: this run is {rules.RUN_LABELS[run.state].lower()}.")


def _expect(run: PayoutRun, state: RunState) -> None:
    if run.state is not state:
        now, wanted = rules.RUN_LABELS[run.state].lower(), rules.RUN_LABELS[state].lower()
        raise Conflict(f"This run is {now}; this can be done while it is {wanted}.")


def _move_lines(session: Session, run: PayoutRun, state: LineState, following: LineState) -> None:
    session.execute(
        update(PayoutLine)
        .where(PayoutLine.run_id == run.id, PayoutLine.state == state)
        .values(state=following, since=clock.now())
    )


def _start_lines(session: Session, run: PayoutRun) -> None:
    for line in _lines(session, run):
        if line.state is LineState.APPROVED:
            line.next_look_at = clock.now()
            look_at(session, line)


def _refuse_changed_payees(session: Session, run: PayoutRun) -> None:
    changed = session.scalars(
        select(func.count())
        .select_from(PayoutLine)
        .join(PayeeAccount, PayeeAccount.person_id == PayoutLine.specialist_id)
        .where(PayoutLine.run_id == run.id, PayoutLine.state == LineState.DRAFT)
        .where(PayoutLine.payee_version != PayeeAccount.version)
    ).one()
    if changed:
        raise rules.ContentChanged(
            f"{changed} of the payees have changed since the run was prepared. Cancel their "
            "lines; the next run will have them."
        )


def _refuse_held_payees(session: Session, actor: Actor, run: PayoutRun) -> None:
    held = queries.held_of(session, actor, [line.specialist_id for line in _lines(session, run)])
    if held:
        raise rules.ContentChanged(
            f"{len(held)} of the payees are held since the run was prepared. Cancel their lines; "
            "the next run after operations has cleared them will have them."
        )


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


def _run(session: Session, run_id: UUID) -> PayoutRun:
    run = session.get(PayoutRun, run_id, populate_existing=True)
    if run is None:
        raise Missing("There is no such payout run.")
    return run


def _lines(session: Session, run: PayoutRun) -> list[PayoutLine]:
    kept = PayoutLine.state != LineState.CANCELLED
    rows = select(PayoutLine).where(PayoutLine.run_id == run.id, kept).order_by(PayoutLine.id)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def _hash(run: PayoutRun, lines: list[PayoutLine]) -> str:
    return rules.content_sha256(run.reference, run.currency, [line.content for line in lines])


def _numbered(session: Session, actor: Actor, minimum: Money) -> PayoutRun:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": NUMBER_LOCK})
    now = clock.now()
    last = select(func.max(PayoutRun.number)).where(PayoutRun.year == now.year)
    number = (session.scalars(last).one() or 0) + 1
    return PayoutRun(
        id=new_id(),
        year=now.year,
        number=number,
        reference=reference("PO", now.year, number),
        currency=minimum.currency,
        minimum_minor=minimum.minor,
        state=RunState.DRAFT,
        prepared_by=actor.person(),
        prepared_at=now,
        version=1,
    )


def _line(run: PayoutRun, row: queries.Payable) -> PayoutLine:
    return PayoutLine(
        id=new_id(),
        run_id=run.id,
        specialist_id=row.specialist_id,
        stripe_account_id=row.stripe_account_id,
        payee_version=row.payee_version,
        amount_minor=row.available.minor,
        currency=row.available.currency,
        state=LineState.DRAFT,
        since=run.prepared_at,
        next_look_at=run.prepared_at,
    )


def _tell(session: Session, actor: Actor, verb: str, run: PayoutRun, **facts: int) -> None:
    more = {"total_minor": run.total_minor, "currency": run.currency, "lines": run.line_count}
    audit.record(session, actor, verb, run.id, sha256=run.content_sha256, **more, **facts)
    outbox.announce(session, f"payout_run.{run.state}", run.id, {**more, **facts})
