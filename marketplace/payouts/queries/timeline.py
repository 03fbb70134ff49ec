"""The way of each task's pay: accepted, cleared, in which run, transferred, in the bank.

Available money is one pot, so payouts take the oldest cleared pay first: by this, each task's pay
is found in a payout, or in two. What an overturned acceptance took from pay that had gone out is
covered by the next pay that clears, in the same order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from sqlalchemy import Select, Text, case, cast, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money, total, zero
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState
from marketplace.review.models import Accrual
from marketplace.work.models import Submission

PAGE = 25
_GONE = (LineState.REJECTED, LineState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a task's pay one payout took; without a line: what an earlier debt took."""

    amount: Money
    line: PayoutLine | None
    run: PayoutRun | None


@dataclass(frozen=True, slots=True)
class TaskPay:
    """A task's pay and where it is. parts: payouts that took it, oldest first; left: what is still
    available of it, once it has cleared."""

    accrual: Accrual
    job_title: str
    round: int
    parts: list[Part] = field(default_factory=list)

    @property
    def left(self) -> Money:
        """What has cleared and is in no payout."""
        amount = self.accrual.amount
        if self.accrual.cleared_at is None or self.accrual.reversed_at is not None:
            return zero(amount.currency)
        return amount - total((part.amount for part in self.parts), amount.currency)

    @property
    def state(self) -> str:
        """Where most of it stands: pending, reversed, available, payout_reserved, sent, paid (to
        the bank), returned, netted."""
        if self.accrual.reversed_at is not None:
            return "reversed"
        if self.accrual.cleared_at is None:
            return "pending"
        if not self.parts or self.left:
            return "available"
        lines = [part.line for part in self.parts if part.line is not None]
        if not lines:
            return "netted"
        if any(line.bank_state in {"bank_failed", "reversed"} for line in lines):
            return "returned"
        if any(line.state is not LineState.TRANSFERRED for line in lines):
            return "payout_reserved"
        return "paid" if all(line.bank_state == "bank_paid" for line in lines) else "sent"


def task_pay(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[TaskPay]:
    """The viewer's pay by task, newest first; after: the last accrual's id already seen."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = _tasks().where(Accrual.specialist_id == viewer.person())
    if after is not None:
        rows = rows.where(Accrual.id < after)
    found = session.execute(rows.order_by(Accrual.id.desc()).limit(limit)).all()
    tasks = [TaskPay(accrual, title, number) for accrual, title, number in found]
    _fill(session, viewer.person(), tasks)
    return tasks


def task_pay_of(session: Session, viewer: Actor, accrual_id: UUID) -> TaskPay:
    """One task's pay of the viewer's; Missing for anybody else's."""
    viewer.require(Permission.EARNINGS_VIEW)
    own = _tasks().where(Accrual.id == accrual_id, Accrual.specialist_id == viewer.person())
    row = session.execute(own).first()
    if row is None:
        raise Missing("There is no such pay.")
    task = TaskPay(*row)
    _fill(session, viewer.person(), [task])
    return task


def clearing(session: Session, viewer: Actor, currency: str, *, limit: int = 500) -> list[Accrual]:
    """The viewer's pay in a currency that has not cleared yet, by its date."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = select(Accrual).where(
        Accrual.specialist_id == viewer.person(),
        Accrual.currency == currency,
        Accrual.cleared_at.is_(None),
        Accrual.reversed_at.is_(None),
    )
    return list(session.scalars(rows.order_by(Accrual.clears_at, Accrual.id).limit(limit)))


def _tasks() -> Select[Accrual, str, int]:
    return (
        select(Accrual, Job.title, func.coalesce(Submission.round, 1))
        .join(Job, Job.id == Accrual.job_id)
        .outerjoin(Submission, Submission.id == Accrual.submission_id)
    )


def _fill(session: Session, person: PersonId, tasks: Sequence[TaskPay]) -> None:
    """Find the payouts that took each task's pay."""
    for currency in {task.accrual.currency for task in tasks}:
        own: dict[UUID, TaskPay] = {
            task.accrual.id: task
            for task in tasks
            if task.accrual.currency == currency and task.accrual.cleared_at is not None
        }
        if not own:
            continue
        begins = _cleared_before(session, person, currency, own)
        taken = _taken(session, person, currency)
        ends = list(accumulate(part.amount.minor for part in taken))
        for accrual_id, (begin, minor) in begins.items():
            own[accrual_id].parts.extend(_overlaps(begin, begin + minor, taken, ends))


def _overlaps(begin: int, end: int, taken: list[Part], ends: list[int]) -> list[Part]:
    found = []
    for part, upto in zip(taken, ends, strict=True):
        shared = min(end, upto) - max(begin, upto - part.amount.minor)
        if shared > 0:
            found.append(Part(Money(shared, part.amount.currency), part.line, part.run))
    return found


def _cleared_before(
    session: Session, person: PersonId, currency: str, ids: Collection[UUID]
) -> dict[UUID, tuple[int, int]]:
    """For each cleared accrual, what had cleared before it, and what it put into the pot.

    One that was taken back put in what had gone out already by then; the rest never counted.
    """
    gone = (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.source_kind == SourceKind.REVERSE)
        .where(LedgerTransaction.source_id == cast(Accrual.id, Text))
        .where(LedgerAccount.code == f"A:receivable:spec:{person}:{currency}")
        .correlate(Accrual)
        .scalar_subquery()
    )
    put = case((Accrual.reversed_at.is_(None), Accrual.amount_minor), else_=gone)
    order = (Accrual.cleared_at, Accrual.id)
    upto = func.sum(put).over(order_by=order)
    pot = (
        select(Accrual.id, put.label("put"), upto.label("upto"))
        .where(Accrual.specialist_id == person, Accrual.currency == currency)
        .where(Accrual.cleared_at.is_not(None))
        .subquery()
    )
    rows = session.execute(select(pot).where(pot.c.id.in_(list(ids))))
    return {row.id: (int(row.upto) - int(row.put), int(row.put)) for row in rows}


def _taken(session: Session, person: PersonId, currency: str) -> list[Part]:
    """What went out of the pot, in order: payouts with what was withheld of them, and debts."""
    lines = (
        select(PayoutLine, PayoutRun)
        .join(PayoutRun, PayoutRun.id == PayoutLine.run_id)
        .where(PayoutLine.specialist_id == person, PayoutLine.currency == currency)
        .where(PayoutLine.state.not_in(_GONE))
    )
    found: list[tuple[UUID, Part]] = []
    for line, run in session.execute(lines):
        minor = line.amount_minor + line.withheld_minor - line.reversed_minor
        found.append((line.id, Part(Money(minor, currency), line, run)))
    debts = (
        select(LedgerTransaction.id, LedgerEntry.amount)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.source_kind == SourceKind.NET)
        .where(LedgerAccount.code == f"L:spec:{person}:available:{currency}")
    )
    for transaction_id, minor in session.execute(debts):
        found.append((transaction_id, Part(Money(int(minor), currency), None, None)))
    return [part for _, part in sorted(found, key=lambda each: each[0])]
