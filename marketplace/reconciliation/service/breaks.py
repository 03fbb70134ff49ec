"""Breaks as comparisons find them: recorded once, refreshed, and resolved when evidence comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import PersonId, new_id, reference
from marketplace.ledger.service import book_today
from marketplace.money import Money
from marketplace.reconciliation.models.breaks import Break, BreakEvent, BreakProposal
from marketplace.reconciliation.rules.breaks import (
    MOVING,
    BreakKind,
    BreakState,
    Decision,
    Found,
    Resolution,
    age_days,
    severity_of,
    still_said,
)

NUMBER_LOCK = 7_312  # The advisory lock that makes breaks' numbers follow each other.
BY_PEOPLE = (Resolution.ADJUSTED, Resolution.WRITTEN_OFF)
Name = tuple[BreakKind, str, str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a comparison changed. opened: new breaks, or such as came back; resolved: those whose
    evidence arrived; standing: found again; settled: found, but settled by people before.
    """

    opened: int
    resolved: int
    standing: int
    settled: int


def record_breaks(
    session: Session,
    found: Sequence[Found],
    *,
    source: str,
    kinds: Collection[BreakKind] | None = None,
) -> Recorded:
    """Store what a whole comparison of one source found.

    A break found before is refreshed, whoever works on it; one of this source and these kinds
    (all, for None) that is no longer found is resolved by evidence; a wait that is over opens
    again; what people settled stays settled while its difference is the same. Call it only with
    everything that the comparison found: what is left out counts as explained.
    """
    if any(one.source != source for one in found):
        raise ValueError(f"These are not all breaks of {source}.")
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": NUMBER_LOCK})
    now = clock.now()
    live = {_name(row): row for row in session.scalars(_live(source))}
    named = {(one.kind, one.source, one.key): one for one in found}
    new = [one for name, one in named.items() if name not in live]
    settled = _settled(session, source) if new else {}
    fresh = [one for one in new if not _is_settled(one, settled)]
    _open(session, fresh, now)
    again = [(live[name], one) for name, one in named.items() if name in live]
    for row, one in again:
        _refresh(session, row, one, now)
    looked_at = frozenset(BreakKind if kinds is None else kinds)
    gone = [row for name, row in live.items() if name not in named and row.kind in looked_at]
    for row in gone:
        _resolve(session, row, now)
    session.flush()  # A later comparison in this transaction must see them.
    return Recorded(len(fresh), len(gone), len(again), len(new) - len(fresh))


def _name(row: Break) -> Name:
    return row.kind, row.source, row.key


def _live(source: str) -> Any:
    # Locked, so that nobody decides about what is being resolved; in one order, so none waits
    # for another in a ring.
    return (
        select(Break)
        .where(Break.source == source, Break.state != BreakState.RESOLVED)
        .order_by(Break.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _settled(session: Session, source: str) -> Mapping[Name, set[tuple[int, str]]]:
    """The differences that people settled, by the names of their breaks."""
    rows = session.execute(
        select(Break.kind, Break.key, Break.difference_minor, Break.currency).where(
            Break.source == source, Break.resolution.in_(BY_PEOPLE)
        )
    )
    known: dict[Name, set[tuple[int, str]]] = {}
    for kind, key, minor, currency in rows:
        known.setdefault((kind, source, key), set()).add((minor, currency))
    return known


def _is_settled(one: Found, settled: Mapping[Name, set[tuple[int, str]]]) -> bool:
    difference = (one.difference.minor, one.difference.currency)
    return difference in settled.get((one.kind, one.source, one.key), set())


def _open(session: Session, fresh: Sequence[Found], now: datetime) -> None:
    if not fresh:
        return
    last = select(func.coalesce(func.max(Break.number), 0)).where(Break.year == now.year)
    last_number = session.scalars(last).one()
    oldest_first = sorted(fresh, key=lambda each: each.since)
    rows = [_row(one, now, number) for number, one in enumerate(oldest_first, last_number + 1)]
    session.execute(insert(Break), rows)
    session.execute(insert(BreakEvent), [_found_event(row, now) for row in rows])


def _row(one: Found, now: datetime, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "year": now.year,
        "number": number,
        "reference": reference("BR", now.year, number),
        "kind": one.kind,
        "source": one.source,
        "key": one.key,
        "found_at": now,
        "state": BreakState.OPEN,
        "version": 1,
        **_said(one, now),
    }


def _said(one: Found, now: datetime) -> dict[str, Any]:
    """What a comparison may change of a break."""
    return {
        "difference_minor": one.difference.minor,
        "currency": one.difference.currency,
        "theirs": dict(one.theirs),
        "ours": dict(one.ours),
        "transaction_id": one.transaction_id,
        "balance_transaction_id": one.balance_transaction_id,
        "since": one.since,
        "seen_at": now,
        "severity": severity_of(one.kind, one.difference, age_days(one.since, now)),
    }


def _found_event(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "break_id": row["id"],
        "at": now,
        "person_id": None,
        "verb": "found",
        "state": BreakState.OPEN,
        "note": None,
        "facts": {"difference_minor": row["difference_minor"], "currency": row["currency"]},
    }


def _refresh(session: Session, row: Break, one: Found, now: datetime) -> None:
    """Keep what the comparison says now; a proposal for another difference is void."""
    was, becomes = row.difference, one.difference
    # What has stood all along is as old as when it was first found, whatever it amounts to now.
    found = replace(one, since=min(one.since, row.since)) if row.kind in MOVING else one
    for name, value in _said(found, now).items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    holds = was == becomes or still_said(row.kind, _said_about(session, row, was), becomes)
    if was != becomes:
        row.version += 1
        if row.state is BreakState.PROPOSED and not holds:
            row.state = BreakState.INVESTIGATING
            _withdraw(session, row, now)
        facts = {"was_minor": was.minor, "is_minor": becomes.minor, "currency": becomes.currency}
        if row.kind not in MOVING or not holds:
            leave_event(session, row, "found with another difference", facts=facts)
    over = row.wait_until is not None and row.wait_until < book_today()
    if row.state is BreakState.APPROVED and (over or not holds):
        row.state, row.version = BreakState.OPEN, row.version + 1
        row.wait_until = None
        leave_event(session, row, "waited in vain")


def _said_about(session: Session, row: Break, was: Money) -> Money:
    """The difference that the newest proposal was made about."""
    if row.state not in {BreakState.PROPOSED, BreakState.APPROVED}:
        return was
    told = session.scalars(
        select(BreakEvent)
        .where(BreakEvent.break_id == row.id, BreakEvent.verb == "proposed")
        .order_by(BreakEvent.id.desc())
        .limit(1)
    ).first()
    minor = told.facts.get("difference_minor") if told else None
    return was if minor is None else Money(int(minor), was.currency)


def _resolve(session: Session, row: Break, now: datetime) -> None:
    if row.state is BreakState.PROPOSED:
        _withdraw(session, row, now)
    row.state, row.resolution, row.resolved_at = BreakState.RESOLVED, Resolution.EVIDENCE, now
    row.version += 1
    leave_event(session, row, "resolved by evidence")


def _withdraw(session: Session, row: Break, now: datetime) -> None:
    """What was proposed no longer fits; nobody decided about it."""
    session.execute(
        update(BreakProposal)
        .where(BreakProposal.break_id == row.id, BreakProposal.decision.is_(None))
        .values(decision=Decision.WITHDRAWN, decided_at=now)
    )


def leave_event(
    session: Session,
    row: Break,
    verb: str,
    *,
    by: PersonId | None = None,
    note: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Add to a break's history. verb: what happened, in the past tense; by: None for us."""
    session.add(
        BreakEvent(
            id=new_id(),
            break_id=row.id,
            at=clock.now(),
            person_id=by,
            verb=verb,
            state=row.state,
            note=note,
            facts=dict(facts or {}),
        )
    )
