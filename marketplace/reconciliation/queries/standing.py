"""How far each source is reconciled, what of labs' money is contested or on its way back, and what
is due next; for the finance desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models.disputes import Dispute
from marketplace.billing.models.refunds import Refund
from marketplace.billing.rules.disputes import DisputeState
from marketplace.billing.rules.refunds import RefundState
from marketplace.identity.rules import Permission
from marketplace.ledger.models import LedgerPeriod
from marketplace.ledger.rules.periods import PeriodState
from marketplace.money import Money
from marketplace.payouts.models import PayoutSchedule
from marketplace.reconciliation.models import (
    BankStatement,
    Break,
    Match,
    StatementEntry,
    StatementSource,
    StripeStatement,
)
from marketplace.reconciliation.rules.breaks import BreakState

STRIPE = "stripe"
SOURCES_MAX = 50
REFUNDING = (
    *(RefundState.ASKED, RefundState.READY, RefundState.SENDING),
    *(RefundState.UNKNOWN, RefundState.PENDING),
)
CONTESTED = (DisputeState.INQUIRY, DisputeState.OPEN)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a source is reconciled. source_id: None for Stripe; told: the last day that it has
    told us of; through: the last day up to which every line of it is explained; open: how many
    lines (Stripe: breaks) are not. Both None before its first statement."""

    name: str
    source_id: UUID | None
    told: date | None
    through: date | None
    open: int


def reached(session: Session, viewer: Actor) -> list[Reached]:
    """Stripe, then each account that sends statements, by name."""
    viewer.require(Permission.FINANCE_VIEW)
    return [_of_stripe(session), *_of_banks(session)]


def _of_stripe(session: Session) -> Reached:
    taken = session.scalar(
        select(func.max(StripeStatement.taken_at)).where(StripeStatement.account == "")
    )
    told = taken.astimezone(UTC).date() if taken else None
    number, since = session.execute(
        select(func.count(), func.min(Break.since)).where(
            Break.source == STRIPE, Break.state != BreakState.RESOLVED
        )
    ).one()
    return Reached("Stripe", None, told, _through(told, since), number)


def _of_banks(session: Session) -> list[Reached]:
    unexplained = ~select(Match.id).where(Match.entry_id == StatementEntry.id).exists()
    left = (
        select(
            StatementEntry.source_id,
            func.count().label("number"),
            func.min(StatementEntry.booked_on).label("since"),
        )
        .where(unexplained)
        .group_by(StatementEntry.source_id)
        .subquery()
    )
    last = (
        select(BankStatement.source_id, func.max(BankStatement.to_on).label("told"))
        .group_by(BankStatement.source_id)
        .subquery()
    )
    rows = session.execute(
        select(
            StatementSource.name,
            StatementSource.id,
            last.c.told,
            left.c.since,
            func.coalesce(left.c.number, 0),
        )
        .join(last, last.c.source_id == StatementSource.id, isouter=True)
        .join(left, left.c.source_id == StatementSource.id, isouter=True)
        .order_by(StatementSource.name, StatementSource.id)
        .limit(SOURCES_MAX)
    )
    return [
        Reached(name, ident, told, _through(told, since), number)
        for name, ident, told, since, number in rows
    ]


def _through(told: date | None, since: date | datetime | None) -> date | None:
    """The day before the first that has something open, or the last that was told of."""
    if told is None or since is None:
        return told
    first = since.astimezone(UTC).date() if isinstance(since, datetime) else since
    return min(told, first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Contested:
    """Disputes or refunds that have not ended, in one currency."""

    currency: str
    count: int
    amount: Money


def open_disputes(session: Session, viewer: Actor) -> list[Contested]:
    """Payments that somebody contests now, by currency; an inquiry takes no money yet."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = session.execute(
        select(Dispute.currency, func.count(), func.sum(Dispute.amount_minor))
        .where(Dispute.state.in_(CONTESTED))
        .group_by(Dispute.currency)
        .order_by(Dispute.currency)
    )
    return [Contested(code, number, Money(int(minor), code)) for code, number, minor in rows]


def open_refunds(session: Session, viewer: Actor) -> list[Contested]:
    """Refunds that are asked for or on their way, by currency."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = session.execute(
        select(Refund.currency, func.count(), func.sum(Refund.amount_minor))
        .where(Refund.state.in_(REFUNDING))
        .group_by(Refund.currency)
        .order_by(Refund.currency)
    )
    return [Contested(code, number, Money(int(minor), code)) for code, number, minor in rows]


@dataclass(frozen=True, slots=True)
class Due:
    """What comes next. runs: the next scheduled drafts; month: the oldest that is over and not
    closed; evidence: of disputes, with when it is due at the latest."""

    runs: list[PayoutSchedule]
    month: date | None
    evidence: list[Dispute]


def due_next(session: Session, viewer: Actor, today: date) -> Due:
    """The next dates that finance has to keep. today: in the book's zone."""
    viewer.require(Permission.FINANCE_VIEW)
    runs = select(PayoutSchedule).where(PayoutSchedule.enabled).order_by(PayoutSchedule.next_at)
    months = select(func.min(LedgerPeriod.month)).where(
        LedgerPeriod.state != PeriodState.CLOSED, LedgerPeriod.month < today.replace(day=1)
    )
    evidence = (
        select(Dispute)
        .where(
            Dispute.state.in_(CONTESTED),
            ~Dispute.has_evidence,
            Dispute.evidence_due_at.is_not(None),
        )
        .order_by(Dispute.evidence_due_at)
    )
    return Due(
        list(session.scalars(runs.limit(5))),
        session.scalar(months),
        list(session.scalars(evidence.limit(5))),
    )
