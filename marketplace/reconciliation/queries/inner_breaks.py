"""S4 and S7 inside: connected accounts, payout lines, cash, holds, and what covers what we owe."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.ledger.queries import coverage
from marketplace.money import Money
from marketplace.reconciliation.rules.breaks import BreakKind, Found

CUSTODY, BOOK = "custody", "book"
FOUND_MAX = 50_000
UNKNOWN_AFTER = timedelta(hours=1)
UNAPPLIED_AFTER = timedelta(days=1)
NAMES_HELD_FOR = timedelta(days=14)
STUCK_AFTER = timedelta(days=5)
IN_TRANSIT_AFTER = timedelta(days=10)

_NEGATIVE = text(
    """
    SELECT account, key AS currency, (value ->> 'available')::bigint + (value ->> 'pending')::bigint
             AS balance, taken_at
    FROM (SELECT DISTINCT ON (account) account, balances, taken_at FROM stripe_statement
          WHERE account <> '' ORDER BY account, id DESC) newest,
         jsonb_each(newest.balances)
    WHERE (value ->> 'available')::bigint + (value ->> 'pending')::bigint < 0
    ORDER BY account, key LIMIT :most"""
)
# S7 in custody: what Stripe says is on each account beside what the ledger says is there.
_CUSTODY = text(
    """
    SELECT s.account, s.currency, s.balance, coalesce(a.balance, 0) AS ours, s.taken_at
    FROM (SELECT newest.account, newest.taken_at, key AS currency,
                 (value ->> 'available')::bigint + (value ->> 'pending')::bigint AS balance
          FROM (SELECT DISTINCT ON (account) account, balances, taken_at FROM stripe_statement
                WHERE account <> '' ORDER BY account, id DESC) newest,
               jsonb_each(newest.balances)) s
    LEFT JOIN ledger_account a ON a.code = 'C:A:connected:' || s.account || ':' || s.currency
    WHERE s.balance >= 0 AND s.balance <> coalesce(a.balance, 0) AND NOT EXISTS (
      SELECT FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE e.account_id = a.id AND t.posted_at > s.taken_at)
    ORDER BY s.account, s.currency LIMIT :most"""
)
_CONNECTED_PAYOUTS = text(
    """
    WITH payout AS (
      SELECT DISTINCT ON (payout_id) * FROM stripe_payout_seen
      WHERE account <> '' ORDER BY payout_id, id DESC)
    SELECT payout.* FROM payout
    WHERE (status IN ('pending', 'in_transit') AND arrival_on < :stuck_before)
       OR (status = 'failed' AND NOT EXISTS (
             SELECT FROM payout p WHERE p.account = payout.account
             AND p.currency = payout.currency AND p.created_at > payout.created_at
             AND p.status NOT IN ('failed', 'canceled')))
    ORDER BY payout_id LIMIT :most"""
)
_UNKNOWN_LINES = text(
    """
    SELECT p.id, p.amount_minor, p.currency, p.since, r.reference, p.stripe_account_id
    FROM payout_line p JOIN payout_run r ON r.id = p.run_id
    WHERE p.state = 'unknown' AND p.since <= :before ORDER BY p.id LIMIT :most"""
)
_CASH = text(
    """
    SELECT id, source_id, left_minor, amount_minor, currency, received_at, booked_on
    FROM cash_receipt WHERE left_minor > 0 AND received_at <= :before ORDER BY id LIMIT :most"""
)
_HOLDS = text(
    """
    SELECT 'pay:' || id AS key, amount_minor, currency, look_due_at AS since, reason::text AS why
    FROM pay_hold WHERE state = 'open' AND look_due_at <= :now
    UNION ALL
    SELECT 'name:' || h.id, coalesce((
             SELECT sum(a.balance) FROM ledger_account a WHERE a.owner_id = h.person_id
             AND a.code LIKE 'L:spec:%:available:' || p.currency), 0),
           p.currency, h.opened_at, 'name_differs'
    FROM payee_hold h JOIN payee_account p ON p.person_id = h.person_id
    WHERE h.state = 'open' AND h.opened_at <= :named_before
    ORDER BY 1 LIMIT :most"""
)
_TRANSIT = text(
    """
    SELECT t.id, t.source_id, t.happened_on, e.amount, e.currency
    FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id AND e.amount > 0
    JOIN ledger_transaction t ON t.id = e.transaction_id AND t.source_kind = 'fund_stripe'
    WHERE a.code LIKE 'A:stripe:topup_in_transit:%' AND t.posted_at <= :before
      AND NOT EXISTS (
        SELECT FROM statement_match m JOIN statement_entry entry ON entry.id = m.entry_id
        JOIN ledger_transaction f ON f.balance_transaction_id = m.stripe_line_id
        WHERE entry.natural_id = t.source_id)
    ORDER BY t.id LIMIT :most"""
)
_ACCOUNTS = text(
    "SELECT stripe_account_id FROM payee_account WHERE stripe_account_id IS NOT NULL"
    " ORDER BY stripe_account_id"
)


def connected_accounts(session: Session) -> list[str]:
    """Every account at Stripe that a specialist of ours is paid to."""
    return list(session.scalars(_ACCOUNTS))


def custody_breaks(session: Session, as_of: datetime) -> list[Found]:
    """S4 and S7 of connected accounts: below zero, another balance, payouts stuck or sent back."""
    found = [
        _account_found(BreakKind.NEGATIVE_CONNECTED, row, int(row.balance), {})
        for row in session.execute(_NEGATIVE, {"most": FOUND_MAX})
    ]
    for row in session.execute(_CUSTODY, {"most": FOUND_MAX}):
        ours = {"amount_minor": int(row.ours), "currency": row.currency}
        apart = int(row.balance - row.ours)
        found.append(_account_found(BreakKind.AMOUNT_MISMATCH, row, apart, ours))
    before = (as_of - STUCK_AFTER).date()
    for row in session.execute(_CONNECTED_PAYOUTS, {"most": FOUND_MAX, "stuck_before": before}):
        failed = row.status == "failed"
        found.append(
            Found(
                kind=BreakKind.RETURNED if failed else BreakKind.STUCK_IN_TRANSIT,
                key=row.payout_id,
                source=CUSTODY,
                difference=Money(int(row.amount), row.currency),
                since=row.seen_at if failed else row.created_at,
                theirs={
                    "reference": row.payout_id,
                    "account": row.account,
                    "status": row.status,
                    "reason": row.failure_code,
                    "amount_minor": int(row.amount),
                    "currency": row.currency,
                    "on": row.arrival_on.isoformat(),
                },
            )
        )
    return found


def _account_found(kind: BreakKind, row: Any, minor: int, ours: dict[str, Any]) -> Found:
    return Found(
        kind=kind,
        key=f"{row.account}:{row.currency}",
        source=CUSTODY,
        difference=Money(minor, row.currency),
        since=row.taken_at,
        theirs={
            "account": row.account,
            "amount_minor": int(row.balance),
            "currency": row.currency,
            "on": row.taken_at.date().isoformat(),
        },
        ours=ours,
    )


def book_breaks(session: Session, as_of: datetime) -> list[Found]:
    """What waits inside the book for longer than it should, and coverage."""
    most = {"most": FOUND_MAX}
    found = [
        _book_found(
            BreakKind.UNRESOLVED_UNKNOWN,
            str(row.id),
            Money(-row.amount_minor, row.currency),
            row.since,
            {"run": row.reference, "line": str(row.id), "account": row.stripe_account_id},
        )
        for row in session.execute(_UNKNOWN_LINES, most | {"before": as_of - UNKNOWN_AFTER})
    ]
    found += [
        _book_found(
            BreakKind.UNAPPLIED_CASH,
            row.source_id,
            Money(row.left_minor, row.currency),
            row.received_at,
            {"reference": row.source_id, "received": str(row.id), "on": row.booked_on.isoformat()},
        )
        for row in session.execute(_CASH, most | {"before": as_of - UNAPPLIED_AFTER})
    ]
    holds = most | {"now": as_of, "named_before": as_of - NAMES_HELD_FOR}
    found += [
        _book_found(
            BreakKind.STALE_HOLD,
            row.key,
            Money(int(row.amount_minor), row.currency),
            row.since,
            {"hold": row.key.partition(":")[2], "reason": row.why},
        )
        for row in session.execute(_HOLDS, holds)
    ]
    found += [
        _book_found(
            BreakKind.STUCK_IN_TRANSIT,
            row.source_id,
            Money(int(row.amount), row.currency),
            as_of - IN_TRANSIT_AFTER,
            {"reference": row.source_id, "on": row.happened_on.isoformat()},
        )
        for row in session.execute(_TRANSIT, most | {"before": as_of - IN_TRANSIT_AFTER})
    ]
    return found + [
        _book_found(
            BreakKind.COVERAGE_SHORTFALL,
            currency,
            -each.shortfall,
            as_of,
            {"missing_minor": each.shortfall.minor},
        )
        for currency, each in sorted(coverage(session, SYSTEM).items())
        if each.shortfall
    ]


def _book_found(
    kind: BreakKind, key: str, amount: Money, since: datetime, ours: dict[str, Any]
) -> Found:
    return Found(
        kind=kind,
        key=key,
        source=BOOK,
        difference=amount,
        since=since,
        ours=ours | {"amount_minor": amount.minor, "currency": amount.currency},
    )
