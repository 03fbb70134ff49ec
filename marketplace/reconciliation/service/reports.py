"""Stripe's own reports: what each day counts and sums, kept beside the lines that we hold."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import Actor
from marketplace.reconciliation.models import StripeReportDay
from marketplace.reconciliation.rules.stripe_report import ReportDay
from marketplace.reconciliation.service.statements import SealedStatement, Taken, record_file


def record_report(
    session: Session, actor: Actor, sealed: SealedStatement, days: Sequence[ReportDay]
) -> Taken:
    """Keep a report and its days; the newest report that covers a day counts for it."""
    row = record_file(session, actor, sealed)
    rows = [
        {
            "file_id": row.id,
            "on_day": day.on_day,
            "currency": day.currency,
            "line_count": day.line_count,
            "gross": day.gross,
            "fee": day.fee,
            "net": day.net,
        }
        for day in days
    ]
    session.execute(insert(StripeReportDay), rows)
    lines = sum(day.line_count for day in days)
    audit.record(session, actor, "took a report of Stripe", row.id, lines=lines)
    return Taken(row.id, (), lines, 0)
