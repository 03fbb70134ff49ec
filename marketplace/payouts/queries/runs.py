"""Runs, their lines and attempts, for finance and specialists; pages go by ids, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.money import Money
from marketplace.payouts.models import (
    PayeeAccount,
    PayoutApproval,
    PayoutAttempt,
    PayoutLine,
    PayoutRun,
    PayoutSchedule,
)
from marketplace.payouts.rules import NOT_SENT, BankState, LineState, RunState

PAGE = 50


def payee_of(session: Session, viewer: Actor) -> PayeeAccount | None:
    """The viewer's own payee account, or None before there is one."""
    viewer.require(Permission.EARNINGS_VIEW)
    return session.get(PayeeAccount, viewer.person())


def payouts_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[PayoutLine]:
    """The viewer's own lines in runs that were released; after: the last id already seen."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = (
        select(PayoutLine)
        .join(PayoutRun, PayoutRun.id == PayoutLine.run_id)
        .where(PayoutLine.specialist_id == viewer.person(), PayoutRun.released_at.is_not(None))
    )
    if after is not None:
        rows = rows.where(PayoutLine.id < after)
    return list(session.scalars(rows.order_by(PayoutLine.id.desc()).limit(limit)))


def runs(
    session: Session,
    viewer: Actor,
    *,
    state: RunState | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[PayoutRun]:
    """Payout runs, of one state or all; after: the last id already seen."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutRun)
    if state is not None:
        rows = rows.where(PayoutRun.state == state)
    if after is not None:
        rows = rows.where(PayoutRun.id < after)
    return list(session.scalars(rows.order_by(PayoutRun.id.desc()).limit(limit)))


def run_of(session: Session, viewer: Actor, run_id: UUID) -> PayoutRun:
    """One payout run; Missing when there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    run = session.get(PayoutRun, run_id)
    if run is None:
        raise Missing("There is no such payout run.")
    return run


def lines_of(
    session: Session,
    viewer: Actor,
    run_id: UUID,
    *,
    state: LineState | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[PayoutLine]:
    """A run's lines, of one state or all, oldest id first; after: the last id already seen."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutLine).where(PayoutLine.run_id == run_id)
    if state is not None:
        rows = rows.where(PayoutLine.state == state)
    if after is not None:
        rows = rows.where(PayoutLine.id > after)
    return list(session.scalars(rows.order_by(PayoutLine.id).limit(limit)))


def tally(session: Session, viewer: Actor, run_id: UUID) -> list[Row[LineState, int, int]]:
    """For each state of a run's lines: the state, how many, and their sum in minor units."""
    viewer.require(Permission.FINANCE_VIEW)
    minor = func.sum(PayoutLine.amount_minor)
    rows = select(PayoutLine.state, func.count(), minor).where(PayoutLine.run_id == run_id)
    return list(session.execute(rows.group_by(PayoutLine.state).order_by(PayoutLine.state)))


def every_line(session: Session, viewer: Actor, run_id: UUID) -> Iterator[PayoutLine]:
    """All lines of a run, oldest id first, fetched as they are read: for its file."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutLine).where(PayoutLine.run_id == run_id).order_by(PayoutLine.id)
    yield from session.scalars(rows.execution_options(yield_per=PAGE * 10))


def reserved_total(session: Session, viewer: Actor, currency: str) -> Money:
    """What lines of all runs have set aside and not sent, in a currency."""
    viewer.require(Permission.FINANCE_VIEW)
    open_lines = (PayoutLine.ended_at.is_(None), PayoutLine.currency == currency)
    rows = select(func.coalesce(func.sum(PayoutLine.amount_minor), 0)).where(*open_lines)
    return Money(int(session.scalar(rows) or 0), currency)


def approvals_of(session: Session, viewer: Actor, run_id: UUID) -> list[PayoutApproval]:
    """Every signature under a run, also under what it was before; oldest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutApproval).where(PayoutApproval.run_id == run_id)
    return list(session.scalars(rows.order_by(PayoutApproval.at).limit(PAGE)))


def schedules(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[PayoutSchedule]:
    """Schedules of runs, by their next day."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutSchedule).order_by(PayoutSchedule.enabled.desc(), PayoutSchedule.next_at)
    return list(session.scalars(rows.limit(limit)))


def bank_tally(
    session: Session, viewer: Actor, run_id: UUID
) -> list[Row[BankState | None, int, int]]:
    """For what happened at the bank with a run's transfers: where, how many, their sum."""
    viewer.require(Permission.FINANCE_VIEW)
    minor = func.sum(PayoutLine.amount_minor)
    rows = (
        select(PayoutLine.bank_state, func.count(), minor)
        .where(PayoutLine.run_id == run_id, PayoutLine.state == LineState.TRANSFERRED)
        .group_by(PayoutLine.bank_state)
        .order_by(PayoutLine.bank_state)
    )
    return list(session.execute(rows))


def line_of(session: Session, viewer: Actor, line_id: UUID) -> PayoutLine:
    """One payout line; Missing when there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    line = session.get(PayoutLine, line_id)
    if line is None:
        raise Missing("There is no such payout line.")
    return line


def unresolved(
    session: Session, viewer: Actor, *, limit: int = PAGE
) -> list[tuple[PayoutLine, PayoutRun]]:
    """Lines of which it is not known whether Stripe paid them, or that wait for a person; the
    oldest first, each with its run.
    """
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(PayoutLine, PayoutRun)
        .join(PayoutRun, PayoutRun.id == PayoutLine.run_id)
        .where(PayoutLine.ended_at.is_(None))
        .where((PayoutLine.state == LineState.UNKNOWN) | PayoutLine.frozen_at.is_not(None))
    )
    ordered = rows.order_by(PayoutLine.since, PayoutLine.id).limit(limit)
    return [(line, run) for line, run in session.execute(ordered)]


def changed_payees(session: Session, viewer: Actor, run_id: UUID) -> frozenset[UUID]:
    """The ids of a run's unsent lines whose payee has changed since the run was prepared."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(PayoutLine.id)
        .join(PayeeAccount, PayeeAccount.person_id == PayoutLine.specialist_id)
        .where(PayoutLine.run_id == run_id, PayoutLine.state.in_(NOT_SENT))
        .where(PayoutLine.payee_version != PayeeAccount.version)
    )
    return frozenset(session.scalars(rows))


def sent_totals(session: Session, viewer: Actor) -> dict[str, Money]:
    """All that transfers have paid out so far, by currency."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = session.execute(
        select(PayoutLine.currency, func.sum(PayoutLine.amount_minor))
        .where(PayoutLine.state == LineState.TRANSFERRED)
        .group_by(PayoutLine.currency)
    )
    return {currency: Money(int(minor), currency) for currency, minor in rows}


def attempts_by_line(
    session: Session, viewer: Actor, line_ids: Collection[UUID]
) -> dict[UUID, list[PayoutAttempt]]:
    """Every attempt to send each of these lines, first to last; nothing for lines without any."""
    viewer.require(Permission.FINANCE_VIEW)
    found: dict[UUID, list[PayoutAttempt]] = {}
    rows = select(PayoutAttempt).where(PayoutAttempt.line_id.in_(line_ids))
    for attempt in session.scalars(rows.order_by(PayoutAttempt.line_id, PayoutAttempt.number)):
        found.setdefault(attempt.line_id, []).append(attempt)
    return found


def attempts_of(session: Session, viewer: Actor, line_id: UUID) -> list[PayoutAttempt]:
    """Every attempt to send a line, first to last."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutAttempt).where(PayoutAttempt.line_id == line_id)
    return list(session.scalars(rows.order_by(PayoutAttempt.number).limit(PAGE)))


def unknown_lines(session: Session) -> int:
    """Of how many lines it is not known whether Stripe paid them; for metrics."""
    rows = select(func.count()).where(
        PayoutLine.state == LineState.UNKNOWN, PayoutLine.ended_at.is_(None)
    )
    return session.scalar(rows) or 0
