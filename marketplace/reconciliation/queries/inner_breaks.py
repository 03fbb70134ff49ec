"""S4 and S7 inside: connected accounts, payout lines, cash, holds, and what covers what we owe."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.ledger.queries import money_by_state
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
# What payouts met at specialists' banks, where Stripe's own list of payouts told nothing of it.
_TROUBLED = text(
    """
    SELECT payout_id, stripe_account_id, stripe_status, trouble, amount_minor, currency, since,
           state IN ('failed', 'returned', 'reversed') AS returned
    FROM connected_payout WHERE trouble IS NOT NULL ORDER BY payout_id LIMIT :most"""
)
# Transfers that name a line which we do not know, until the pull has brought their own line.
_STRAYS = text(
    """
    SELECT transfer_id, stripe_account_id, line_id, amount_minor, currency, found_at
    FROM stray_transfer WHERE settled_at IS NULL AND NOT EXISTS (
      SELECT FROM stripe_statement_line line
      WHERE line.account = '' AND line.source_id = stray_transfer.transfer_id)
    ORDER BY transfer_id LIMIT :most"""
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
    told = {one.key for one in found}
    return found + [one for one in _told_by_payouts(session) if one.key not in told]


def _told_by_payouts(session: Session) -> list[Found]:
    """What payouts know of connected accounts: banks that sent money back, and stray transfers."""
    most = {"most": FOUND_MAX}
    returned = [
        Found(
            kind=BreakKind.RETURNED if row.returned else BreakKind.STUCK_IN_TRANSIT,
            key=row.payout_id,
            source=CUSTODY,
            difference=Money(int(row.amount_minor), row.currency),
            since=row.since,
            theirs={
                "reference": row.payout_id,
                "account": row.stripe_account_id,
                "status": row.stripe_status,
                "reason": row.trouble,
                "amount_minor": int(row.amount_minor),
                "currency": row.currency,
            },
        )
        for row in session.execute(_TROUBLED, most)
    ]
    return returned + [
        Found(
            kind=BreakKind.ORPHAN_TRANSFER,
            key=row.transfer_id,
            source=CUSTODY,
            difference=Money(-int(row.amount_minor), row.currency),
            since=row.found_at,
            theirs={
                "reference": row.transfer_id,
                "account": row.stripe_account_id,
                "names_line": row.line_id,
                "amount_minor": -int(row.amount_minor),
                "currency": row.currency,
            },
        )
        for row in session.execute(_STRAYS, most)
    ]


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
    return [
        *_unknown_lines(session, as_of),
        *_unapplied_cash(session, as_of),
        *_stale_holds(session, as_of),
        *_long_in_transit(session, as_of),
        *_coverage_breaks(session, as_of),
    ]


def _unknown_lines(session: Session, as_of: datetime) -> list[Found]:
    asked = {"most": FOUND_MAX, "before": as_of - UNKNOWN_AFTER}
    return [
        _book_found(
            BreakKind.UNRESOLVED_UNKNOWN,
            str(row.id),
            Money(-row.amount_minor, row.currency),
            row.since,
            {"run": row.reference, "line": str(row.id), "account": row.stripe_account_id},
        )
        for row in session.execute(_UNKNOWN_LINES, asked)
    ]


def _unapplied_cash(session: Session, as_of: datetime) -> list[Found]:
    asked = {"most": FOUND_MAX, "before": as_of - UNAPPLIED_AFTER}
    return [
        _book_found(
            BreakKind.UNAPPLIED_CASH,
            row.source_id,
            Money(row.left_minor, row.currency),
            row.received_at,
            {"reference": row.source_id, "received": str(row.id), "on": row.booked_on.isoformat()},
        )
        for row in session.execute(_CASH, asked)
    ]


def _stale_holds(session: Session, as_of: datetime) -> list[Found]:
    asked = {"most": FOUND_MAX, "now": as_of, "named_before": as_of - NAMES_HELD_FOR}
    return [
        _book_found(
            BreakKind.STALE_HOLD,
            row.key,
            Money(int(row.amount_minor), row.currency),
            row.since,
            {"hold": row.key.partition(":")[2], "reason": row.why},
        )
        for row in session.execute(_HOLDS, asked)
    ]


def _long_in_transit(session: Session, as_of: datetime) -> list[Found]:
    before = as_of - IN_TRANSIT_AFTER
    return [
        _book_found(
            BreakKind.STUCK_IN_TRANSIT,
            row.source_id,
            Money(int(row.amount), row.currency),
            before,
            {"reference": row.source_id, "on": row.happened_on.isoformat()},
        )
        for row in session.execute(_TRANSIT, {"most": FOUND_MAX, "before": before})
    ]


def _coverage_breaks(session: Session, as_of: datetime) -> list[Found]:
    """I13 by currency: cash, and what disputes took, is less than what we owe. The fees that we
    earned lie in the same cash, so what is missing is what Stripe kept beyond them."""
    return [
        _book_found(
            BreakKind.COVERAGE_SHORTFALL,
            currency,
            each.cover,
            as_of,
            {
                "cash_minor": each.cash.minor,
                "taken_by_disputes_minor": each.disputed.minor,
                "owed_minor": each.owed.minor,
                "kept_by_stripe_minor": each.processing_paid.minor,
                "fees_earned_minor": each.fees_earned.minor,
            },
        )
        for currency, each in sorted(money_by_state(session, SYSTEM).items())
        if each.cover.minor < 0
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
