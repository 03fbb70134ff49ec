"""The months of the book: each step is marked for ever, with who took it and why."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Refused
from marketplace.ids import PersonId
from marketplace.ledger.models import LedgerPeriod, LedgerPeriodMark
from marketplace.ledger.rules.periods import NEXT_PERIOD, PeriodState
from marketplace.ledger.service.posting import PeriodClosed, book_today


def begin_closing(session: Session, actor: Actor, month: date) -> None:
    """Let a month take adjustments only, while it is being looked at. month: any day of it.

    What happened in it and is posted from now on takes effect in the open month.
    """
    _step(session, actor, month, PeriodState.CLOSING, "began closing month")


def resume_month(session: Session, actor: Actor, month: date, *, reason: str = "") -> None:
    """Stop closing a month: it takes everything again."""
    _step(session, actor, month, PeriodState.OPEN, "stopped closing month", reason=reason)


def close_period(session: Session, actor: Actor, month: date, *, reason: str = "") -> None:
    """Let a month take no more postings; waits for those under way. month: any day of it."""
    _step(session, actor, month, PeriodState.CLOSED, "closed month", reason=reason)


def reopen_period(
    session: Session,
    actor: Actor,
    month: date,
    *,
    asked_by: PersonId,
    approved_by: PersonId,
    reason: str,
) -> None:
    """Let a closed month take postings again: two people and a reason; its mark stays for ever."""
    if asked_by == approved_by:
        raise Refused("A month is reopened by two people.", code="same_person")
    if not reason.strip():
        raise Refused("Say why the month is reopened.", code="reason_missing")
    _step(
        session,
        actor,
        month,
        PeriodState.REOPENED,
        "reopened month",
        person_id=asked_by,
        second=approved_by,
        reason=reason.strip(),
    )


def _step(
    session: Session,
    actor: Actor,
    month: date,
    step: PeriodState,
    verb: str,
    *,
    person_id: PersonId | None = None,
    second: PersonId | None = None,
    reason: str = "",
) -> None:
    actor.require("periods.close")
    first = month.replace(day=1)
    if first >= book_today().replace(day=1):
        raise Refused("A month can be closed once it is over.", code="month_not_over")
    period = _locked(session, first)
    if step not in NEXT_PERIOD[period.state]:
        _refuse(first, period.state)
    at = clock.now()  # Read after the lock: nothing that was under way is later than this.
    nth = session.scalar(
        select(func.coalesce(func.max(LedgerPeriodMark.nth), 0)).where(
            LedgerPeriodMark.month == first
        )
    )
    session.add(
        LedgerPeriodMark(
            month=first,
            nth=(nth or 0) + 1,
            step=step,
            at=at,
            person_id=person_id or actor.person_id,
            second_person_id=second,
            reason=reason,
        )
    )
    session.flush()  # The database wants the mark before the step.
    period.state = step
    period.closed_at = at if step is PeriodState.CLOSED else None
    session.flush()  # What the database refuses is refused here, not at the end.
    # A month has no id of its own; its digits make one.
    month_id = UUID(int=int(f"{first:%Y%m}"))
    audit.record(session, actor, verb, month_id, month=f"{first:%Y-%m}")


def _locked(session: Session, first: date) -> LedgerPeriod:
    session.execute(
        insert_or_not(LedgerPeriod)
        .values(month=first, state=PeriodState.OPEN)
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(LedgerPeriod)
        .where(LedgerPeriod.month == first)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _refuse(first: date, state: PeriodState) -> None:
    if state is PeriodState.CLOSED:
        raise PeriodClosed(f"{first:%Y-%m} is closed already.")
    raise Conflict(f"{first:%Y-%m} is {state.value}; look at it again.", code="period_state")
