"""Storing what Stripe told, and comparing it with the book."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import new_id
from marketplace.reconciliation import queries
from marketplace.reconciliation.models import (
    StripeAccountPull,
    StripeLineAltered,
    StripePayoutSeen,
    StripeStatement,
    StripeStatementLine,
)
from marketplace.reconciliation.queries import Report
from marketplace.reconciliation.service.treasury import wake_owners
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine, RawPayout, body_sha256

OVERLAP = timedelta(days=7)
# A bank may send a payout back five business days after it was paid; holidays come on top.
PAYOUT_OVERLAP = timedelta(days=21)


def pull_since(session: Session) -> datetime | None:
    """From when on lines are listed: a week before the last statement's newest, else from ever."""
    newest = select(StripeStatement.lines_through).where(StripeStatement.account == "")
    through = session.scalar(newest.order_by(StripeStatement.id.desc()).limit(1))
    return None if through is None else through - OVERLAP


def record_lines(session: Session, lines: Sequence[RawLine], account: str = "") -> int:
    """Store lines once, and wake who posts the new ones of our own; how many were new.

    account: the connected account that they moved, "" for ours. A stored line that Stripe now
    tells otherwise is kept as it was; what it reads now is kept beside it and becomes a break.
    """
    if not lines:
        return 0
    now = clock.now()
    rows = [_row(raw, account, now) for raw in lines]
    added = set(
        session.scalars(
            insert(StripeStatementLine)
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(StripeStatementLine.id),
            rows,
        )
    )
    _note_altered(session, [raw for raw in lines if raw.line.id not in added], now)
    if not account:
        wake_owners(
            session, [(raw.line.id, raw.line.kind) for raw in lines if raw.line.id in added]
        )
    return len(added)


def _note_altered(session: Session, again: Sequence[RawLine], now: datetime) -> None:
    by_id = {raw.line.id: raw for raw in again}
    stored = session.execute(
        select(StripeStatementLine.id, StripeStatementLine.body_sha256).where(
            StripeStatementLine.id.in_(by_id)
        )
    )
    altered = [
        {
            "id": new_id(),
            "line_id": line_id,
            "body": by_id[line_id].body,
            "body_sha256": body_sha256(by_id[line_id].body),
            "seen_at": now,
        }
        for line_id, former in stored
        if bytes(former) != body_sha256(by_id[line_id].body)
    ]
    if altered:
        session.execute(insert(StripeLineAltered).on_conflict_do_nothing(), altered)


def _row(raw: RawLine, account: str, now: datetime) -> dict[str, object]:
    line = raw.line
    return {
        "id": line.id,
        "account": account,
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


def record_statement(session: Session, balance: RawBalance, account: str = "") -> StripeStatement:
    """Store the balance of an account, behind which every line is stored by now."""
    through = select(func.max(StripeStatementLine.created_at))
    statement = StripeStatement(
        id=new_id(),
        account=account,
        taken_at=clock.now(),
        lines_through=session.scalar(through.where(StripeStatementLine.account == account)),
        balances=balance.balances,
        body=balance.body,
        body_sha256=body_sha256(balance.body),
    )
    session.add(statement)
    return statement


def record_payouts(session: Session, payouts: Sequence[RawPayout], account: str = "") -> int:
    """Store each telling of a payout that was not heard before; how many were new."""
    if not payouts:
        return 0
    now = clock.now()
    rows = [_payout_row(raw, account, now) for raw in payouts]
    added = session.scalars(
        insert(StripePayoutSeen)
        .on_conflict_do_nothing(index_elements=["payout_id", "body_sha256"])
        .returning(StripePayoutSeen.id),
        rows,
    ).all()
    return len(added)


def _payout_row(raw: RawPayout, account: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "payout_id": raw.id,
        "account": account,
        "amount": raw.amount.minor,
        "currency": raw.amount.currency,
        "status": raw.status,
        "automatic": raw.automatic,
        "arrival_on": raw.arrival_on,
        "trace_id": raw.trace_id,
        "descriptor": raw.descriptor,
        "reconciled": raw.reconciled,
        "balance_transaction_id": raw.balance_transaction_id,
        "failure_transaction_id": raw.failure_transaction_id,
        "failure_code": raw.failure_code,
        "created_at": raw.created_at,
        "seen_at": now,
        "body": raw.body,
        "body_sha256": body_sha256(raw.body),
    }


def accounts_to_pull(
    session: Session, known: Collection[str], *, before: datetime, limit: int
) -> list[tuple[str, datetime | None]]:
    """The connected accounts that were not read since `before`, the longest ago first, with the
    moment from which on their lines are listed. known: all accounts of ours at Stripe."""
    if known:
        rows = [{"account": each, "failed": 0} for each in sorted(known)]
        session.execute(insert(StripeAccountPull).on_conflict_do_nothing(), rows)
    due = (
        select(StripeAccountPull.account, StripeAccountPull.lines_through)
        .where((StripeAccountPull.pulled_at.is_(None)) | (StripeAccountPull.pulled_at < before))
        .order_by(StripeAccountPull.pulled_at.asc().nulls_first(), StripeAccountPull.account)
        .limit(limit)
    )
    return [
        (account, None if through is None else through - OVERLAP)
        for account, through in session.execute(due)
    ]


def record_account_pull(session: Session, account: str, *, failed: bool = False) -> None:
    """Note that an account was read, or could not be; either way others are next."""
    row = session.get_one(StripeAccountPull, account, with_for_update=True)
    row.pulled_at = clock.now()
    row.failed = row.failed + 1 if failed else 0
    if not failed:
        newest = select(func.max(StripeStatementLine.created_at))
        row.lines_through = session.scalar(newest.where(StripeStatementLine.account == account))


def payouts_since(session: Session, account: str) -> datetime | None:
    """From when on payouts are listed: long enough back to see one that fails after it was paid."""
    newest = select(func.max(StripePayoutSeen.created_at))
    through = session.scalar(newest.where(StripePayoutSeen.account == account))
    return None if through is None else through - PAYOUT_OVERLAP


def compare(session: Session, viewer: Actor) -> Report | None:
    """The book against the newest statement, now; None before the first one."""
    return queries.latest_report(session, viewer)
