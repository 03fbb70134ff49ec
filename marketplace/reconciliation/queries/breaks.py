"""Breaks for pages and for the close: lists, one with all that was said, and their ages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.money import Money
from marketplace.reconciliation.models import Break, BreakEvent, BreakProposal
from marketplace.reconciliation.models.matches import Reconciliation
from marketplace.reconciliation.rules.breaks import (
    HIGH_AFTER_DAYS,
    MEDIUM_AFTER_DAYS,
    UNDECIDED,
    BreakKind,
    BreakState,
    Bucket,
    Decision,
    Severity,
)

PAGE = 50
PAGE_MAX = 500
HISTORY_MAX = 500
# The youngest that is too old for a bucket, in days: each takes what is younger than its end.
_ENDS = (
    (Bucket.FRESH, 2),
    (Bucket.WEEK, MEDIUM_AFTER_DAYS + 1),
    (Bucket.MONTH, HIGH_AFTER_DAYS + 1),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which breaks to list; None takes all. live: everything but the resolved."""

    state: BreakState | None = None
    kind: BreakKind | None = None
    severity: Severity | None = None
    bucket: Bucket | None = None
    source: str | None = None
    owner_id: UUID | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class Aged:
    """How many breaks of one age are not resolved, and their sum without signs, in a currency."""

    bucket: Bucket
    currency: str
    count: int
    high: int
    amount: Money


@dataclass(frozen=True, slots=True)
class BreakView:
    """One break with its proposals, newest first, and its history, oldest first."""

    row: Break
    proposals: tuple[BreakProposal, ...]
    history: tuple[BreakEvent, ...]

    @property
    def open_proposal(self) -> BreakProposal | None:
        """What waits for a decision."""
        return next((one for one in self.proposals if one.decision is None), None)

    @property
    def approved_proposal(self) -> BreakProposal | None:
        """What was approved last."""
        approved = (one for one in self.proposals if one.decision is Decision.APPROVED)
        return next(approved, None)


def breaks(
    session: Session, viewer: Actor, wanted: Wanted, after: UUID | None = None, limit: int = PAGE
) -> list[Break]:
    """Breaks, the oldest difference first; resolved ones, the last resolved first."""
    viewer.require(Permission.FINANCE_VIEW)
    page = select(Break).where(*_conditions(wanted, clock.now()))
    resolved = wanted.state is BreakState.RESOLVED
    key = tuple_(Break.resolved_at, Break.id) if resolved else tuple_(Break.since, Break.id)
    if after is not None:
        mark = session.get(Break, after)
        if mark is None:
            raise Faulty("The cursor is none of ours; start from the first page.")
        if resolved:
            page = page.where(key < tuple_(mark.resolved_at, mark.id))
        else:
            page = page.where(key > tuple_(mark.since, mark.id))
    order = (Break.resolved_at.desc(), Break.id.desc()) if resolved else (Break.since, Break.id)
    return list(session.scalars(page.order_by(*order).limit(min(limit, PAGE_MAX))))


def _conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(Break.state == wanted.state)
    elif wanted.live:
        found.append(Break.state != BreakState.RESOLVED)
    if wanted.kind is not None:
        found.append(Break.kind == wanted.kind)
    if wanted.severity is not None:
        found.append(Break.severity == wanted.severity)
    if wanted.source is not None:
        found.append(Break.source == wanted.source)
    if wanted.owner_id is not None:
        found.append(Break.owner_id == wanted.owner_id)
    if wanted.bucket is not None:
        found.append(_bucket(now) == wanted.bucket.value)
    return found


def _bucket(now: datetime) -> ColumnElement[str]:
    cases = [(Break.since > now - timedelta(days=days), name.value) for name, days in _ENDS]
    return case(*cases, else_=Bucket.OLD.value)


def counts_by_state(session: Session, viewer: Actor) -> dict[BreakState, int]:
    """How many breaks are in each state that has any."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = session.execute(select(Break.state, func.count()).group_by(Break.state))
    return {state: number for state, number in rows}  # noqa: C416 - rows are no pairs to mypy.


def ageing(session: Session, viewer: Actor) -> list[Aged]:
    """The ageing report: what is not resolved, by age and currency, in that order."""
    viewer.require(Permission.FINANCE_VIEW)
    bucket = _bucket(clock.now())
    rows = session.execute(
        select(
            bucket,
            Break.currency,
            func.count(),
            func.count().filter(Break.severity == Severity.HIGH),
            func.sum(func.abs(Break.difference_minor)),
        )
        .where(Break.state != BreakState.RESOLVED)
        .group_by(bucket, Break.currency)
    )
    aged = [
        Aged(Bucket(name), currency, count, high, Money(int(amount), currency))
        for name, currency, count, high, amount in rows
    ]
    order = list(Bucket)
    return sorted(aged, key=lambda one: (one.currency, order.index(one.bucket)))


def last_look(session: Session, viewer: Actor) -> datetime | None:
    """When everything was last compared; None before the first time."""
    viewer.require(Permission.FINANCE_VIEW)
    return session.scalar(select(func.max(Reconciliation.made_at)))


def break_view(session: Session, viewer: Actor, break_id: UUID) -> BreakView:
    """One break with everything about it; Missing where there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    row = session.get(Break, break_id)
    if row is None:
        raise Missing("There is no such break.")
    proposals = session.scalars(
        select(BreakProposal)
        .where(BreakProposal.break_id == break_id)
        .order_by(BreakProposal.id.desc())
        .limit(HISTORY_MAX)
    )
    history = session.scalars(
        select(BreakEvent)
        .where(BreakEvent.break_id == break_id)
        .order_by(BreakEvent.id)
        .limit(HISTORY_MAX)
    )
    return BreakView(row, tuple(proposals), tuple(history))


def proposals_of(
    session: Session, viewer: Actor, breaks_shown: Sequence[Break]
) -> dict[UUID, BreakProposal]:
    """What waits for a decision, by the ids of these breaks."""
    viewer.require(Permission.FINANCE_VIEW)
    found = session.scalars(
        select(BreakProposal).where(
            BreakProposal.break_id.in_([row.id for row in breaks_shown]),
            BreakProposal.decision.is_(None),
        )
    )
    return {one.break_id: one for one in found}


def proposal_of(
    session: Session, viewer: Actor, break_id: UUID, proposal_id: UUID
) -> BreakProposal:
    """One proposal of a break, for its evidence; Missing where there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    found = session.get(BreakProposal, proposal_id)
    if found is None or found.break_id != break_id or found.evidence_reference is None:
        raise Missing("There is no such evidence.")
    return found


def owners(session: Session, viewer: Actor) -> list[identity.Addressee]:
    """Who can answer for a break."""
    viewer.require(Permission.FINANCE_VIEW)
    return identity.platform_addressees(session, Permission.RECONCILIATION_WORK)


def high_undecided(by: datetime) -> Select[Break]:
    """Breaks that a month which ended at `by` cannot be closed over: high, and nobody decided.

    A break turns high with its age, also where no comparison ran since.
    """
    old = clock.now() - timedelta(days=HIGH_AFTER_DAYS + 1)
    return (
        select(Break)
        .where(
            Break.state.in_(UNDECIDED),
            or_(Break.severity == Severity.HIGH, Break.since <= old),
            Break.since < by,
        )
        .order_by(Break.since, Break.id)
    )
