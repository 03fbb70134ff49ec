"""S5 to S7 on the bank's side: its lines, our postings, and Stripe's payouts to us."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.money import Money
from marketplace.reconciliation.models import StatementSource
from marketplace.reconciliation.queries.candidates import BANK_KINDS, PAYOUT_DAYS_AFTER, SETTLED
from marketplace.reconciliation.queries.completeness import bank_gaps
from marketplace.reconciliation.rules.breaks import BreakKind, Found

FOUND_MAX = 50_000
BANK = "bank"
# A payout that should have arrived so many days ago and is still on its way is stuck.
STUCK_AFTER = timedelta(days=5)

# Lines that nothing explains. `other_payout`: a payout whose trace id stands on the line, with
# another amount; `told_before`: an equal line with the same reference of its payer stands already.
_UNEXPLAINED = text(  # Only constants of ours are put in.
    f"""
    SELECT entry.natural_id, entry.amount_minor, entry.currency, entry.booked_on,
           entry.bank_reference, entry.end_to_end, entry.code, entry.reversal,
           entry.return_reason, wanted.payout_id AS other_payout, wanted.amount AS other_amount,
           before.natural_id AS told_before
    FROM statement_entry entry
    LEFT JOIN LATERAL (
      SELECT p.payout_id, p.amount FROM stripe_payout_seen p
      WHERE p.account = '' AND p.trace_id IS NOT NULL AND p.currency = entry.currency
        AND upper(p.trace_id) = ANY(entry.tokens)
      ORDER BY p.id DESC LIMIT 1) wanted ON true
    LEFT JOIN LATERAL (
      SELECT b.natural_id FROM statement_entry b
      WHERE b.source_id = entry.source_id AND b.id <> entry.id AND b.end_to_end <> ''
        AND b.end_to_end = entry.end_to_end AND b.amount_minor = entry.amount_minor
        AND (b.booked_on, b.id) < (entry.booked_on, entry.id)
      ORDER BY b.booked_on, b.id LIMIT 1) before ON true
    WHERE entry.source_id = :source AND NOT ({SETTLED})
    ORDER BY entry.booked_on, entry.id LIMIT :most"""  # noqa: S608 - constants of ours.
)
# Lines that were posted with another amount or into another account than the line says.
_POSTED_OTHERWISE = text(
    f"""
    SELECT entry.natural_id, entry.amount_minor, entry.currency, entry.booked_on,
           entry.bank_reference, t.id AS transaction_id, t.source_kind, t.posted_at,
           coalesce(sum(e.amount) FILTER (WHERE a.code = :account), 0) AS our_amount
    FROM statement_entry entry
    JOIN ledger_transaction t ON (t.source_id = entry.natural_id AND t.source_kind IN {BANK_KINDS})
      OR t.balance_transaction_id = entry.natural_id
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account a ON a.id = e.account_id
    WHERE entry.source_id = :source
    GROUP BY entry.id, t.id
    HAVING coalesce(sum(e.amount) FILTER (WHERE a.code = :account), 0) <> entry.amount_minor
    ORDER BY entry.natural_id LIMIT :most"""  # noqa: S608 - constants of ours.
)
# What the ledger says moved on the account, and no line of a statement that covers its day does.
_NOT_AT_BANK = text(
    f"""
    SELECT t.id AS transaction_id, t.source_kind, t.source_id, t.posted_at, t.effective_on,
           e.amount, e.currency
    FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
    JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE a.code = :account AND t.happened_on >= :from_on
      AND t.happened_on <= CAST(:to_on AS date) - {PAYOUT_DAYS_AFTER}
      AND NOT EXISTS (SELECT FROM statement_entry entry WHERE entry.source_id = :source
                      AND entry.natural_id = t.source_id)
      AND NOT EXISTS (SELECT FROM statement_entry entry WHERE entry.source_id = :source
                      AND entry.natural_id = t.balance_transaction_id)
      AND NOT EXISTS (SELECT FROM statement_match m WHERE m.transaction_id = t.id)
      AND NOT EXISTS (SELECT FROM ledger_transaction o WHERE t.source_kind = 'bank_arrival'
                      AND o.source_kind = 'bank_arrival' AND o.id <> t.id
                      AND o.facts ->> 'payout_id' = t.facts ->> 'payout_id')
    ORDER BY t.id LIMIT :most"""  # noqa: S608 - constants of ours.
)
_SPAN = text(
    "SELECT min(from_on) AS from_on, max(to_on) AS to_on FROM bank_statement"
    " WHERE source_id = :source"
)
_PAYOUTS = text(
    """
    WITH payout AS (
      SELECT DISTINCT ON (payout_id) * FROM stripe_payout_seen
      WHERE account = '' ORDER BY payout_id, id DESC)
    SELECT payout.*, cover.from_on, cover.to_on, next.payout_id AS followed_by,
           EXISTS (SELECT FROM statement_entry entry WHERE payout.trace_id IS NOT NULL
                   AND entry.currency = payout.currency
                   AND upper(payout.trace_id) = ANY(entry.tokens)) AS named
    FROM payout
    LEFT JOIN LATERAL (
      SELECT min(s.from_on) AS from_on, max(s.to_on) AS to_on FROM bank_statement s
      WHERE s.currency = payout.currency) cover ON true
    LEFT JOIN LATERAL (
      SELECT p.payout_id FROM payout p
      WHERE p.currency = payout.currency AND p.created_at > payout.created_at
        AND p.status NOT IN ('failed', 'canceled') LIMIT 1) next ON true
    WHERE NOT EXISTS (SELECT FROM statement_match m WHERE m.payout_id = payout.payout_id)
      AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.source_kind = 'bank_arrival'
                      AND t.facts ->> 'payout_id' = payout.payout_id)
    ORDER BY payout.payout_id LIMIT :most"""
)
_ARRIVED_TWICE = text(
    """
    SELECT t.facts ->> 'payout_id' AS payout_id, count(*) AS times, max(t.posted_at) AS posted_at,
           max(e.amount) AS amount, max(e.currency) AS currency, max(t.id::text) AS again
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.amount > 0
    WHERE t.source_kind = 'bank_arrival' AND NOT EXISTS (
      SELECT FROM ledger_transaction r WHERE r.reverses_id = t.id)
    GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT :most"""
)


def sources(session: Session) -> list[StatementSource]:
    """Every account that sends statements."""
    return list(session.scalars(select(StatementSource).order_by(StatementSource.id)))


def bank_breaks(session: Session, source: StatementSource) -> list[Found]:
    """Every difference between one account's statements and the ledger."""
    asked = {"source": source.id, "account": source.ledger_account, "most": FOUND_MAX}
    found = [_unexplained(source, row) for row in session.execute(_UNEXPLAINED, asked)]
    found += [_otherwise(source, row) for row in session.execute(_POSTED_OTHERWISE, asked)]
    span = session.execute(_SPAN, {"source": source.id}).one()
    if span.from_on is not None:
        days = {"from_on": span.from_on, "to_on": span.to_on}
        found += [_not_there(source, row) for row in session.execute(_NOT_AT_BANK, asked | days)]
    return found + [
        Found(
            kind=BreakKind.FILE_GAP,
            key=gap.key,
            source=source.break_source,
            difference=gap.missing or Money(0, source.currency),
            since=_morning(gap.since),
            theirs={"says": gap.sentence},
        )
        for gap in bank_gaps(session, source, None, None)
    ]


def _morning(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def _theirs(row: Any) -> dict[str, Any]:
    return {
        "line": row.natural_id,
        "reference": row.bank_reference,
        "amount_minor": int(row.amount_minor),
        "currency": row.currency,
        "on": row.booked_on.isoformat(),
    }


def _unexplained(source: StatementSource, row: Any) -> Found:
    kind, minor = BreakKind.MISSING_IN_LEDGER, int(row.amount_minor)
    ours: dict[str, Any] = {"ledger_account": source.ledger_account}
    more = {"end_to_end": row.end_to_end, "type": row.code}
    if row.told_before is not None:
        kind = BreakKind.DUPLICATE_EXTERNAL
        more["first"] = row.told_before
    elif row.reversal or row.return_reason:
        kind = BreakKind.RETURNED
        more["reason"] = row.return_reason
    elif row.other_payout is not None and row.other_amount != row.amount_minor:
        kind, minor = BreakKind.AMOUNT_MISMATCH, int(row.amount_minor - row.other_amount)
        ours |= {
            "reference": row.other_payout,
            "amount_minor": int(row.other_amount),
            "currency": row.currency,
        }
    return Found(
        kind=kind,
        key=row.natural_id,
        source=source.break_source,
        difference=Money(minor, row.currency),
        since=_morning(row.booked_on),
        theirs=_theirs(row) | more,
        ours=ours,
        balance_transaction_id=row.natural_id,
    )


def _otherwise(source: StatementSource, row: Any) -> Found:
    return Found(
        kind=BreakKind.AMOUNT_MISMATCH,
        key=row.natural_id,
        source=source.break_source,
        difference=Money(int(row.amount_minor - row.our_amount), row.currency),
        since=_morning(row.booked_on),
        theirs=_theirs(row),
        ours={
            "ledger_account": source.ledger_account,
            "kind": row.source_kind,
            "amount_minor": int(row.our_amount),
            "currency": row.currency,
            "on": row.posted_at.date().isoformat(),
        },
        transaction_id=row.transaction_id,
    )


def _not_there(source: StatementSource, row: Any) -> Found:
    return Found(
        kind=BreakKind.MISSING_AT_BANK,
        key=str(row.transaction_id),
        source=source.break_source,
        difference=Money(-int(row.amount), row.currency),
        since=_morning(row.effective_on),
        ours={
            "ledger_account": source.ledger_account,
            "kind": row.source_kind,
            "reference": row.source_id,
            "amount_minor": int(row.amount),
            "currency": row.currency,
            "on": row.effective_on.isoformat(),
        },
        transaction_id=row.transaction_id,
    )


def payout_breaks(session: Session, as_of: datetime) -> list[Found]:
    """S5 from Stripe's side: payouts to us that failed, are stuck, or are not at the bank."""
    found = []
    for row in session.execute(_PAYOUTS, {"most": FOUND_MAX}):
        kind = _payout_kind(row, as_of)
        if kind is not None:
            found.append(_of_payout(kind, row))
    for row in session.execute(_ARRIVED_TWICE, {"most": FOUND_MAX}):
        found.append(
            Found(
                kind=BreakKind.DUPLICATE_INTERNAL,
                key=row.payout_id,
                source=BANK,
                difference=Money(-int(row.amount), row.currency),
                since=row.posted_at,
                ours={"reference": row.payout_id, "times": int(row.times), "again": row.again},
            )
        )
    return found


def _payout_kind(row: Any, as_of: datetime) -> BreakKind | None:
    """What is wrong with a payout that no line of a bank answers; None while it may yet come."""
    if row.status in {"failed", "canceled"}:
        return None if row.followed_by or row.status == "canceled" else BreakKind.RETURNED
    if row.status != "paid":
        stuck = as_of - _morning(row.arrival_on) > STUCK_AFTER
        return BreakKind.STUCK_IN_TRANSIT if stuck else None
    if row.named or row.to_on is None or row.from_on > row.arrival_on:
        return None
    waited = (row.to_on - row.arrival_on).days
    if waited < 1:
        return None
    return BreakKind.MISSING_AT_BANK if waited > PAYOUT_DAYS_AFTER else BreakKind.LATE


def _of_payout(kind: BreakKind, row: Any) -> Found:
    return Found(
        kind=kind,
        key=row.payout_id,
        source=BANK,
        difference=Money(-int(row.amount), row.currency),
        since=_morning(row.arrival_on),
        ours={
            "reference": row.payout_id,
            "trace_id": row.trace_id,
            "status": row.status,
            "reason": row.failure_code,
            "amount_minor": int(row.amount),
            "currency": row.currency,
            "on": row.arrival_on.isoformat(),
        },
    )


def altered_breaks(session: Session, altered: Collection[Any]) -> list[Found]:
    """Files of banks that are not what was uploaded any more, or are gone."""
    rows = session.execute(
        text("SELECT id, name, taken_at FROM statement_file WHERE id = ANY(:ids) ORDER BY id"),
        {"ids": list(altered)},
    )
    return [
        Found(
            kind=BreakKind.FILE_TAMPER,
            key=str(row.id),
            source="files",
            difference=Money(0, "USD"),
            since=row.taken_at,
            theirs={"file": row.name, "says": "The stored file is not what was uploaded."},
        )
        for row in rows
    ]
