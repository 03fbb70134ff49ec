"""Closing a month: the checklist, the lock, what the pack is made from, and opening it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import Actor
from marketplace.billing import queries as billing
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.ledger import queries as book
from marketplace.ledger import service as ledger
from marketplace.ledger.service import book_today
from marketplace.payouts import queries as payouts
from marketplace.reconciliation.models import MonthClose, MonthReopening
from marketplace.reconciliation.queries import breaks, closing, pack_facts
from marketplace.reconciliation.rules.breaks import STATE_LABELS
from marketplace.reconciliation.rules.closing import (
    Check,
    CheckCode,
    NotReady,
    OwnReopening,
    last_day,
)
from marketplace.reconciliation.service import statements
from marketplace.review import queries as review

log = structlog.get_logger(__name__)
SHOWN_MAX = 20
REASON_MAX = 1_000


def checklist(
    session: Session, viewer: Actor, month: date, complaints: Sequence[str] | None = None
) -> list[Check]:
    """What must be so before a month is closed, with what is in the way.

    complaints: what a check of the auditor's file said; None leaves out what takes long, the
    invariants and that file.
    """
    viewer.require(Permission.FINANCE_VIEW)
    quick = [
        _over(month),
        _sources(session, month),
        _breaks(session, month),
        _unknown(session, viewer, month),
        _suspense(session, month),
        _numbered(session, month),
    ]
    if complaints is None:
        return quick
    accepted = Check(CheckCode.BEANCOUNT, "Checked as a whole", tuple(complaints)[:SHOWN_MAX])
    return [*quick, _invariants(session), accepted]


def month_end(month: date) -> datetime:
    """The moment at which a month of the book is over."""
    zone = ZoneInfo(settings.current().book_timezone)
    return datetime.combine(last_day(month) + timedelta(days=1), time(), zone).astimezone(UTC)


def _over(month: date) -> Check:
    over = month < book_today().replace(day=1)
    missing = () if over else (f"{month:%B %Y} ends on {last_day(month):%-d %B}.",)
    return Check(CheckCode.OVER, f"It ends on {last_day(month):%-d %B %Y}", missing)


def _sources(session: Session, month: date) -> Check:
    gaps = statements.completeness(session, month)
    missing = tuple(gap.sentence for gap in gaps[:SHOWN_MAX])
    return Check(CheckCode.SOURCES, "Every day of every source is proven", missing)


def _breaks(session: Session, month: date) -> Check:
    rows = list(session.scalars(breaks.high_undecided(month_end(month)).limit(SHOWN_MAX)))
    missing = tuple(
        f"{row.reference} over {row.difference} is high and {STATE_LABELS[row.state].lower()}."
        for row in rows
    )
    return Check(CheckCode.BREAKS, "Those that began before its end", missing)


def _unknown(session: Session, viewer: Actor, month: date) -> Check:
    waiting = [
        (line, run)
        for line, run in payouts.unresolved(session, viewer)
        if line.since < month_end(month)
    ]
    missing = tuple(
        f"A line of {run.reference} over {line.amount} is {line.state.value}."
        for line, run in waiting[:SHOWN_MAX]
    )
    return Check(CheckCode.UNKNOWN, "Lines sent before its end", missing)


def _suspense(session: Session, month: date) -> Check:
    held = closing.suspense(session, month)
    missing = tuple(
        f"{one.code} has {one.balance}, of which approved breaks carry {one.carried}."
        for one in held
        if one.balance != one.carried
    )
    carried = ", ".join(f"{one.balance} in {one.code}" for one in held)
    said = f"Carried by approved breaks: {carried}" if carried else "Nothing in suspense"
    return Check(CheckCode.SUSPENSE, said, missing)


def _numbered(session: Session, month: date) -> Check:
    waiting = closing.unnumbered_by(session, month)
    sentence = f"{waiting:,} transactions wait for their numbers; that takes seconds."
    number, _ = closing.head_of(session, month)
    said = f"Up to number {number:,}" if number else "No transaction yet"
    return Check(CheckCode.NUMBERED, said, (sentence,) if waiting else ())


def _invariants(session: Session) -> Check:
    found = [
        *book.broken_invariants(session),
        *book.broken_links(session),
        *billing.broken_invariants(session),
        *review.broken_invariants(session),
        *payouts.broken_invariants(session),
    ]
    said = "The book, its chain, top-ups, earnings and payouts"
    return Check(CheckCode.INVARIANTS, said, tuple(found[:SHOWN_MAX]))


def close_month(
    session: Session, actor: Actor, month: date, complaints: Sequence[str]
) -> MonthClose:
    """Lock a month for which the whole checklist holds; its pack is made in the background.

    complaints: what a check of the auditor's file said just before. Raises NotReady with what is
    in the way, PeriodClosed when it is closed already.
    """
    actor.require(Permission.PERIODS_CLOSE)
    ledger.close_period(session, actor, month)
    checks = checklist(session, actor, month, complaints)
    in_the_way = [check for check in checks if not check.ok]
    if in_the_way:
        raise NotReady(in_the_way)
    former = closing.closes_of(session, actor, month)
    close = MonthClose(
        id=new_id(),
        month=month,
        round=former[0].round + 1 if former else 1,
        closed_by=actor.person(),
        closed_at=clock.now(),
        facts=_facts(session, actor, month, checks),
    )
    session.add(close)
    session.flush()  # Its id goes into the outbox.
    outbox.enqueue(session, "reconciliation.make_pack", close_id=close.id)
    return close


def _facts(session: Session, actor: Actor, month: date, checks: Sequence[Check]) -> dict[str, Any]:
    """What the pack says besides the book, as it is at this moment."""
    number, link = closing.head_of(session, month)
    return {
        "head": {"number": number, "hash": link.hex()},
        "zone": settings.current().book_timezone,
        "checklist": [check.as_json() for check in checks],
        "breaks": pack_facts.break_facts(session, month, month_end(month)),
        "approvals": pack_facts.approval_facts(session, month, month_end(month)),
        "late": [
            {
                "transaction_id": str(one.transaction_id),
                "kind": one.source_kind.value,
                "happened_on": one.happened_on.isoformat(),
                "effective_on": one.effective_on.isoformat(),
                "amount_minor": one.amount.minor,
                "currency": one.amount.currency,
            }
            for one in closing.late_items(session, actor, month)
        ],
        "reopenings": [
            {
                "reason": one.reason,
                "asked_by": str(one.asked_by),
                "approved_by": str(one.approved_by),
                "approved_at": one.approved_at.isoformat() if one.approved_at else None,
            }
            for one in closing.reopenings_of(session, actor, month)
            if one.approved_at is not None
        ],
    }


def ask_reopening(session: Session, actor: Actor, month: date, reason: str) -> MonthReopening:
    """Ask to open a closed month again; somebody else approves it."""
    actor.require(Permission.PERIODS_CLOSE)
    said = reason.strip().replace("\0", "")
    if not said or len(said) > REASON_MAX:
        advice = f"Say why the month must be opened again, in at most {REASON_MAX:,} characters."
        raise Faulty("There is no reason.", [Fault("/reason", advice)])
    close = _standing(session, month)
    if _asked(session, close) is not None:
        raise Conflict("Somebody has asked for this already; it waits for a second person.")
    asked = MonthReopening(
        id=new_id(),
        close_id=close.id,
        month=month,
        reason=said,
        asked_by=actor.person(),
        asked_at=clock.now(),
    )
    session.add(asked)
    audit.record(session, actor, "asked to reopen a month", close.id, month=f"{month:%Y-%m}")
    return asked


def approve_reopening(session: Session, actor: Actor, month: date) -> MonthReopening:
    """Open a closed month again, as somebody else asked; the mark stays on it for ever.

    Raises OwnReopening for who asked, Conflict when nobody asked or somebody was faster.
    """
    actor.require(Permission.PERIODS_CLOSE)
    close = _standing(session, month)
    asked = _asked(session, close)
    if asked is None:
        raise Conflict("Nobody has asked to open this month again.")
    if asked.asked_by == actor.person():
        log.warning("own_reopening_refused", month=f"{month:%Y-%m}")
        raise OwnReopening("You asked for this, so somebody else must approve it.")
    now = clock.now()
    ended = session.execute(
        update(MonthClose)
        .where(MonthClose.id == close.id, MonthClose.reopened_at.is_(None))
        .values(reopened_at=now)
        .returning(MonthClose.id)
    ).first()
    if ended is None:
        raise Conflict("Somebody was faster: this month is open again.")
    asked.approved_by, asked.approved_at = actor.person(), now
    ledger.reopen_period(
        session,
        actor,
        month,
        asked_by=asked.asked_by,
        approved_by=actor.person(),
        reason=asked.reason,
    )
    session.flush()  # The constraint of two people speaks here.
    return asked


def _standing(session: Session, month: date) -> MonthClose:
    found = session.scalars(
        select(MonthClose).where(MonthClose.month == month, MonthClose.reopened_at.is_(None))
    ).one_or_none()
    if found is None:
        raise Conflict(f"{month:%B %Y} is not closed.", code="period_open")
    return found


def _asked(session: Session, close: MonthClose) -> MonthReopening | None:
    return session.scalars(
        select(MonthReopening).where(MonthReopening.close_id == close.id)
    ).one_or_none()


def record_pack(
    session: Session, close_id: UUID, *, reference: str, size_bytes: int, sha256: bytes
) -> bool:
    """Keep where a close's pack lies, once; False when another one is kept already."""
    close = session.get(MonthClose, close_id, with_for_update=True, populate_existing=True)
    if close is None:
        raise Missing("There is no such close.")
    if close.pack_reference is not None:
        return False
    close.pack_reference, close.pack_bytes, close.pack_sha256 = reference, size_bytes, sha256
    return True
