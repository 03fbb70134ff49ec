"""What finance and specialists may see of payouts. Pages go by ids, newest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.ledger.models import LedgerAccount
from marketplace.money import Money
from marketplace.payouts.models import PayeeAccount, PayoutAttempt, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState

PAGE = 50


@dataclass(frozen=True, slots=True)
class Payable:
    """A specialist who can be paid now."""

    specialist_id: PersonId
    stripe_account_id: str
    payee_version: int
    available: Money


@dataclass(frozen=True, slots=True)
class Unpayable:
    """A specialist with money to pay out whom a run leaves out, and why."""

    specialist_id: PersonId
    available: Money
    reason: str


def payable(
    session: Session,
    viewer: Actor,
    *,
    minimum: Money,
    only: Collection[UUID] | None = None,
    limit: int = PAGE,
) -> list[Payable]:
    """Specialists with an active account and at least `minimum` available, largest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = _worth_paying(minimum).where(
        PayeeAccount.transfers_active, PayeeAccount.disabled_reason.is_(None)
    )
    if only is not None:
        rows = rows.where(LedgerAccount.owner_id.in_(only))
    return [
        Payable(
            specialist_id=PersonId(owner_id),
            stripe_account_id=payee.stripe_account_id or "",
            payee_version=payee.version,
            available=Money(balance, minimum.currency),
        )
        for owner_id, balance, payee in session.execute(rows.limit(limit))
        if owner_id is not None and balance is not None and payee is not None
    ]


def unpayable(
    session: Session, viewer: Actor, *, minimum: Money, limit: int = PAGE
) -> list[Unpayable]:
    """Specialists with at least `minimum` available whom no run can pay yet, with the reason."""
    viewer.require(Permission.FINANCE_VIEW)
    active = PayeeAccount.transfers_active.is_(True) & PayeeAccount.disabled_reason.is_(None)
    rows = _worth_paying(minimum).where(func.coalesce(active, False).is_(False))
    return [
        Unpayable(PersonId(owner_id), Money(balance, minimum.currency), _reason(payee))
        for owner_id, balance, payee in session.execute(rows.limit(limit))
        if owner_id is not None and balance is not None
    ]


def _worth_paying(minimum: Money) -> Select[UUID | None, int | None, PayeeAccount | None]:
    code = func.concat("L:spec:", LedgerAccount.owner_id, ":available:", minimum.currency)
    return (
        select(LedgerAccount.owner_id, LedgerAccount.balance, PayeeAccount)
        .outerjoin(PayeeAccount, PayeeAccount.person_id == LedgerAccount.owner_id)
        .where(LedgerAccount.code == code, LedgerAccount.balance > 0)
        .where(LedgerAccount.balance >= minimum.minor)
        .order_by(LedgerAccount.balance.desc(), LedgerAccount.owner_id)
    )


def _reason(payee: PayeeAccount | None) -> str:
    if payee is None or payee.stripe_account_id is None:
        return "has not said where to be paid"
    if payee.disabled_reason:
        return f"Stripe holds the account back: {payee.disabled_reason}"
    return "has not finished Stripe's form"


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


def attempts_of(session: Session, viewer: Actor, line_id: UUID) -> list[PayoutAttempt]:
    """Every attempt to send a line, first to last."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutAttempt).where(PayoutAttempt.line_id == line_id)
    return list(session.scalars(rows.order_by(PayoutAttempt.number).limit(PAGE)))
