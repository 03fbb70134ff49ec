"""Storing what Stripe told, and comparing it with the book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import new_id
from marketplace.reconciliation import queries
from marketplace.reconciliation.models import StripeStatement, StripeStatementLine
from marketplace.reconciliation.queries import Report
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine, body_sha256

OVERLAP = timedelta(days=7)


class LineAltered(AssertionError):
    """Stripe now tells a line otherwise than before: nothing may be concluded from it."""


def pull_since(session: Session) -> datetime | None:
    """From when on lines are listed: a week before the last statement's newest, else from ever."""
    newest = select(StripeStatement.lines_through).where(StripeStatement.account == "")
    through = session.scalar(newest.order_by(StripeStatement.id.desc()).limit(1))
    return None if through is None else through - OVERLAP


def record_lines(session: Session, lines: Sequence[RawLine]) -> int:
    """Store lines once; how many were new. LineAltered when a stored line reads otherwise now."""
    if not lines:
        return 0
    now = clock.now()
    rows = [_row(raw, now) for raw in lines]
    added = set(
        session.scalars(
            insert(StripeStatementLine)
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(StripeStatementLine.id),
            rows,
        )
    )
    again = {raw.line.id: body_sha256(raw.body) for raw in lines if raw.line.id not in added}
    stored = session.execute(
        select(StripeStatementLine.id, StripeStatementLine.body_sha256).where(
            StripeStatementLine.id.in_(again)
        )
    )
    for line_id, former in stored:
        if bytes(former) != again[line_id]:
            raise LineAltered(f"Stripe tells {line_id} otherwise than before.")
    return len(added)


def _row(raw: RawLine, now: datetime) -> dict[str, object]:
    line = raw.line
    return {
        "id": line.id,
        "kind": line.kind,
        "source_id": raw.source_id,
        "currency": line.amount.currency,
        "amount": line.amount.minor,
        "fee": line.fee.minor,
        "net": line.net.minor,
        "created_at": line.created_at,
        "available_at": raw.available_at,
        "seen_at": now,
        "body": raw.body,
        "body_sha256": body_sha256(raw.body),
    }


def record_statement(session: Session, balance: RawBalance) -> StripeStatement:
    """Store the balance, behind which every line is stored by now."""
    statement = StripeStatement(
        id=new_id(),
        taken_at=clock.now(),
        lines_through=session.scalar(select(func.max(StripeStatementLine.created_at))),
        balances=balance.balances,
        body=balance.body,
        body_sha256=body_sha256(balance.body),
    )
    session.add(statement)
    return statement


def compare(session: Session, viewer: Actor) -> Report | None:
    """The book against the newest statement, now; None before the first one."""
    return queries.latest_report(session, viewer)
