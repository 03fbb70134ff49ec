"""What a close keeps of a month besides the book: its breaks, and what two people decided."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.payouts.models import PayoutRun
from marketplace.reconciliation.models import Break, BreakProposal
from marketplace.reconciliation.rules.breaks import Decision
from marketplace.reconciliation.rules.closing import last_day

BREAKS_MAX = 5_000


def break_facts(session: Session, month: date, end: datetime) -> list[dict[str, Any]]:
    """The break list of a month's close: what began by its end and was not resolved before it
    began, as it stands now; plain facts, by reference.
    """
    rows = session.scalars(
        select(Break)
        .where(Break.since < end)
        .where(or_(Break.resolved_at.is_(None), Break.resolved_at >= _begin(month, end)))
        .order_by(Break.year, Break.number)
        .limit(BREAKS_MAX)
    )
    return [
        {
            "reference": row.reference,
            "kind": row.kind.value,
            "source": row.source,
            "key": row.key,
            "difference_minor": row.difference_minor,
            "currency": row.currency,
            "since": _moment(row.since),
            "severity": row.severity.value,
            "state": row.state.value,
            "owner": str(row.owner_id or ""),
            "wait_until": row.wait_until.isoformat() if row.wait_until else "",
            "resolution": row.resolution.value if row.resolution else "",
            "resolved_at": _moment(row.resolved_at),
        }
        for row in rows
    ]


def approval_facts(session: Session, month: date, end: datetime) -> list[dict[str, Any]]:
    """What two people decided from the beginning of a month until now: proposals for breaks, and
    payout runs; ids of people, never names, in the order of the decisions.
    """
    begin = _begin(month, end)
    decided = session.execute(
        select(BreakProposal, Break.reference)
        .join(Break, Break.id == BreakProposal.break_id)
        .where(BreakProposal.decision == Decision.APPROVED, BreakProposal.decided_at >= begin)
        .order_by(BreakProposal.decided_at, BreakProposal.id)
        .limit(BREAKS_MAX)
    )
    found = [
        {
            "kind": "break",
            "reference": reference,
            "what": f"{row.action.value}: {row.reason.value}",
            "proposed_by": str(row.proposed_by),
            "approved_by": str(row.decided_by),
            "at": _moment(row.decided_at),
            "content_sha256": row.content_sha256,
            "transaction_id": str(row.transaction_id or ""),
        }
        for row, reference in decided
    ]
    runs = session.scalars(
        select(PayoutRun)
        .where(PayoutRun.approved_at >= begin, PayoutRun.approved_at < end)
        .order_by(PayoutRun.approved_at, PayoutRun.id)
        .limit(BREAKS_MAX)
    )
    found += [
        {
            "kind": "payout run",
            "reference": run.reference,
            "what": f"{run.line_count} lines, {run.total}",
            "proposed_by": str(run.prepared_by),
            "approved_by": str(run.approved_by),
            "at": _moment(run.approved_at),
            "content_sha256": run.approved_sha256 or "",
            "transaction_id": "",
        }
        for run in runs
    ]
    return sorted(found, key=lambda one: (one["at"], one["reference"]))


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _begin(month: date, end: datetime) -> datetime:
    """The moment at which a month began, from the one at which it ended."""
    # Close enough at a change of clocks: the lists are of people's deeds, never of money.
    return end - (last_day(month) - month + timedelta(days=1))
