"""S0 to S3: Stripe's lines of our own balance beside the ledger, in sets; only what differs comes
out of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.orm import Session

from marketplace.money import Money
from marketplace.reconciliation.models import StripeStatement
from marketplace.reconciliation.queries.completeness import STRIPE, line_gaps, report_gaps
from marketplace.reconciliation.rules.breaks import BreakKind, Found
from marketplace.reconciliation.rules.categories import KNOWN, ONCE

# A line that was seen a moment ago is being posted; after a day it is missing.
POSTING_TAKES = timedelta(minutes=30)
LATE_UNTIL = timedelta(days=1)
REPORT_DAYS_BACK = timedelta(days=62)
FOUND_MAX = 50_000

# S1, the whole of it. `ours` is each transaction that moved our balance at Stripe; what Stripe
# kept of a movement is its fee, but a fee of the account (rule 20) is the movement itself. Each
# account's entries are summed in the order in which its index has them. Where several accounts
# share a fee, each part looks different at first; their sum, and all that is only shown, is taken
# for those few alone.
DIFFERENT = """
    WITH moved AS (
      SELECT a.currency, summed.transaction_id, summed.net
      FROM ledger_account a CROSS JOIN LATERAL (
        SELECT e.transaction_id, sum(e.amount)::bigint AS net FROM ledger_entry e
        WHERE e.account_id = a.id GROUP BY e.transaction_id) summed
      WHERE a.code LIKE 'A:stripe:balance:%'),
    part AS (
      SELECT summed.transaction_id, summed.fee
      FROM ledger_account a CROSS JOIN LATERAL (
        SELECT e.transaction_id, sum(e.amount)::bigint AS fee FROM ledger_entry e
        WHERE e.account_id = a.id GROUP BY e.transaction_id) summed
      WHERE a.code LIKE 'E:stripe:%'),
    ours AS (
      SELECT t.id, t.balance_transaction_id AS bt, t.posted_at, t.source_kind, moved.currency,
             moved.net, coalesce(part.fee, 0) AS fee
      FROM moved JOIN ledger_transaction t ON t.id = moved.transaction_id
      LEFT JOIN part ON part.transaction_id = moved.transaction_id),
    differ AS MATERIALIZED (
      SELECT ours.id AS transaction_id, ours.currency, ours.net, line.id AS line_id
      FROM ours FULL JOIN (SELECT id, currency, net, fee FROM stripe_statement_line
                           WHERE account = '') line ON line.id = ours.bt
      WHERE (line.id IS NULL AND ours.posted_at <= :taken_at)
         OR (ours.id IS NULL AND line.net <> 0)
         OR (line.id IS NOT NULL AND (line.currency <> ours.currency OR line.net <> ours.net
             OR (line.fee <> ours.fee AND ours.source_kind <> 'stripe_fee')))
      LIMIT :most)
    SELECT differ.transaction_id, differ.line_id, differ.currency AS our_currency,
           differ.net AS our_net, t.balance_transaction_id AS bt, t.posted_at, t.source_kind,
           t.source_id AS our_source, line.kind, line.source_id, line.currency, line.amount,
           line.fee, line.net, line.created_at, line.seen_at, coalesce((
             SELECT sum(e.amount) FROM ledger_entry e
             JOIN ledger_account a ON a.id = e.account_id
             WHERE e.transaction_id = t.id AND a.code LIKE 'E:stripe:%'), 0)::bigint AS our_fee
    FROM differ LEFT JOIN ledger_transaction t ON t.id = differ.transaction_id
    LEFT JOIN stripe_statement_line line ON line.id = differ.line_id"""
_DIFFERENT = text(DIFFERENT)
# The planner thinks little of an order that is there already, and hashes millions of sums.
_PLANNED = text(
    "SELECT set_config('work_mem', :memory, true), set_config('enable_hashagg', :hashing, true)"
)
_SETTINGS = text("SELECT current_setting('work_mem') AS m, current_setting('enable_hashagg') AS h")
WORK_MEMORY = "256MB"
# A line told twice: the same thing of Stripe's has a second line of a type that comes once.
_TWICE = text(
    """
    WITH again AS MATERIALIZED (
      SELECT source_id, kind FROM stripe_statement_line
      WHERE account = '' AND kind = ANY(:once) AND source_id IS NOT NULL
      GROUP BY source_id, kind HAVING count(*) > 1)
    SELECT id, kind, source_id, currency, net, created_at, first_id FROM (
      SELECT line.id, line.kind, line.source_id, line.currency, line.net, line.created_at,
             first_value(line.id) OVER same AS first_id, row_number() OVER same AS place
      FROM again JOIN stripe_statement_line line
        ON line.source_id = again.source_id AND line.kind = again.kind AND line.account = ''
      WINDOW same AS (PARTITION BY line.kind, line.source_id ORDER BY line.created_at, line.id)
    ) told WHERE place > 1 ORDER BY id LIMIT :most"""
).bindparams(bindparam("once", type_=ARRAY(Text())))
# S3: money that left to a connected account and no payout line of ours asked for.
_ORPHANS = text(
    """
    SELECT line.id, line.source_id, line.currency, line.net, line.created_at
    FROM stripe_statement_line line
    WHERE line.account = '' AND line.kind = 'transfer' AND line.seen_at <= :before
      AND NOT EXISTS (SELECT FROM payout_line p WHERE p.transfer_id = line.source_id)
    ORDER BY line.id LIMIT :most"""
)
_UNKNOWN = text(
    """
    SELECT line.id, line.kind, line.currency, line.net, line.created_at, t.id AS transaction_id
    FROM stripe_statement_line line
    LEFT JOIN ledger_transaction t ON t.balance_transaction_id = line.id
    WHERE line.account = '' AND line.kind <> ALL(:known) AND NOT EXISTS (
      SELECT FROM ledger_transaction c WHERE c.source_kind = 'fee_class' AND c.source_id = line.id)
      AND (t.id IS NULL OR t.source_kind = 'stripe_fee')
    ORDER BY line.id LIMIT :most"""
).bindparams(bindparam("known", type_=ARRAY(Text())))
_ALTERED = text(
    """
    SELECT DISTINCT ON (a.line_id) a.line_id, a.seen_at, a.body ->> 'amount' AS now_amount,
           a.body ->> 'fee' AS now_fee, line.currency, line.amount, line.fee
    FROM stripe_line_altered a JOIN stripe_statement_line line ON line.id = a.line_id
    ORDER BY a.line_id, a.id DESC LIMIT :most"""
)
_DOUBLE = text(
    """
    SELECT min(t.id::text) AS first, max(t.id::text) AS last, count(*) AS times,
           t.facts ->> 'transfer_id' AS transfer_id, max(t.posted_at) AS posted_at
    FROM ledger_transaction t WHERE t.source_kind = 'transfer' AND t.facts ? 'transfer_id'
    GROUP BY 4 HAVING count(*) > 1 ORDER BY 1 LIMIT :most"""
)


def stripe_breaks(session: Session, statement: StripeStatement, as_of: datetime) -> list[Found]:
    """Every difference between Stripe's lines of our balance and the ledger."""
    most = {"most": FOUND_MAX}
    with planned(session):
        twice = session.execute(_TWICE, most | {"once": list(ONCE)}).all()
    before = as_of - POSTING_TAKES
    orphans = session.execute(_ORPHANS, most | {"before": before}).all()
    unknown = session.execute(_UNKNOWN, most | {"known": sorted(KNOWN)}).all()
    doubled = _doubled(session)
    told = {row.id for row in (*twice, *orphans)}
    told |= {row.id for row in unknown if row.transaction_id is None}
    found = [_twice_found(row) for row in twice]
    found += [_orphan_found(row) for row in orphans if row.id not in {one.id for one in twice}]
    found += [_unknown_found(row) for row in unknown]
    found += [_altered_found(row) for row in session.execute(_ALTERED, most)]
    found += [each for _, each in doubled]
    told_of = {transaction for transaction, _ in doubled}
    rows = different(session, statement.taken_at)
    for row in rows:
        if row.line_id not in told and str(row.transaction_id) not in told_of:
            found += _compared(row, as_of)
    return [*found, *_gaps(session, statement, as_of)]


def different(session: Session, taken_at: datetime) -> Sequence[Any]:
    """S1: each line and transaction that have no equal; taken_at: what we posted after it is not
    asked for."""
    with planned(session, hashing="off"):
        rows = session.execute(_DIFFERENT, {"most": FOUND_MAX, "taken_at": taken_at}).all()
    return list({(row.line_id, row.transaction_id): row for row in rows}.values())


@contextmanager
def planned(session: Session, *, hashing: str = "on") -> Iterator[None]:
    """Memory for millions of rows while this lasts, and no hashed sums with `off`."""
    former = session.execute(_SETTINGS).one()
    session.execute(_PLANNED, {"memory": WORK_MEMORY, "hashing": hashing})
    yield
    session.execute(_PLANNED, {"memory": former.m, "hashing": former.h})


def _compared(row: Any, as_of: datetime) -> Iterator[Found]:
    """S1: at most one kind for what is missing, else one for each figure that differs."""
    if row.line_id is None:
        yield _found(BreakKind.MISSING_AT_STRIPE, row, -int(row.our_net), row.our_currency)
    elif row.transaction_id is None:
        age = as_of - row.seen_at
        if age > POSTING_TAKES:
            kind = BreakKind.LATE if age <= LATE_UNTIL else BreakKind.MISSING_IN_LEDGER
            yield _found(kind, row, int(row.net), row.currency)
    elif row.currency != row.our_currency:
        yield _found(BreakKind.CURRENCY_MISMATCH, row, int(row.net), row.currency)
    elif row.source_kind == "stripe_fee":
        yield _found(BreakKind.AMOUNT_MISMATCH, row, int(row.net - row.our_net), row.currency)
    else:
        apart = int(row.amount - (row.our_net + row.our_fee))
        if apart:
            yield _found(BreakKind.AMOUNT_MISMATCH, row, apart, row.currency)
        if row.fee != row.our_fee:
            yield _found(BreakKind.FEE_MISMATCH, row, int(row.our_fee - row.fee), row.currency)


def _found(kind: BreakKind, row: Any, minor: int, currency: str) -> Found:
    theirs: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    if row.line_id is not None:
        theirs = {
            "line": row.line_id,
            "type": row.kind,
            "reference": row.source_id,
            "amount_minor": int(row.amount),
            "fee_minor": int(row.fee),
            "currency": row.currency,
            "on": row.created_at.date().isoformat(),
        }
    if row.transaction_id is not None:
        ours = {
            "kind": row.source_kind,
            "reference": row.our_source,
            "amount_minor": int(row.our_net + row.our_fee),
            "fee_minor": int(row.our_fee),
            "currency": row.our_currency,
            "on": row.posted_at.date().isoformat(),
        }
    return Found(
        kind=kind,
        key=row.line_id or row.bt or str(row.transaction_id),
        source=STRIPE,
        difference=Money(minor, currency),
        since=row.posted_at if row.line_id is None else row.created_at,
        theirs=theirs,
        ours=ours,
        transaction_id=row.transaction_id,
        balance_transaction_id=row.line_id or row.bt,
    )


def _of_line(kind: BreakKind, row: Any, **theirs: Any) -> Found:
    return Found(
        kind=kind,
        key=row.id,
        source=STRIPE,
        difference=Money(int(row.net), row.currency),
        since=row.created_at,
        theirs={
            "line": row.id,
            "amount_minor": int(row.net),
            "currency": row.currency,
            "on": row.created_at.date().isoformat(),
            **theirs,
        },
        balance_transaction_id=row.id,
    )


def _twice_found(row: Any) -> Found:
    return _of_line(
        BreakKind.DUPLICATE_EXTERNAL,
        row,
        type=row.kind,
        reference=row.source_id,
        first=row.first_id,
    )


def _orphan_found(row: Any) -> Found:
    return _of_line(BreakKind.ORPHAN_TRANSFER, row, type="transfer", reference=row.source_id)


def _unknown_found(row: Any) -> Found:
    found = _of_line(BreakKind.UNKNOWN_CATEGORY, row, type=row.kind)
    if row.transaction_id is None:
        return found
    return Found(
        kind=found.kind,
        key=found.key,
        source=found.source,
        difference=found.difference,
        since=found.since,
        theirs=found.theirs,
        ours={"kind": "stripe_fee", "reference": row.id, "account": "E:stripe:unclassified"},
        transaction_id=row.transaction_id,
        balance_transaction_id=row.id,
    )


def _altered_found(row: Any) -> Found:
    return Found(
        kind=BreakKind.FILE_TAMPER,
        key=row.line_id,
        source=STRIPE,
        difference=Money(0, row.currency),
        since=row.seen_at,
        theirs={"line": row.line_id, "amount_now": row.now_amount, "fee_now": row.now_fee},
        ours={
            "amount_minor": int(row.amount),
            "fee_minor": int(row.fee),
            "currency": row.currency,
        },
        balance_transaction_id=row.line_id,
    )


def _doubled(session: Session) -> list[tuple[str, Found]]:
    """Transactions of ours that stand for the same transfer as an earlier one, with their break."""
    found = []
    for row in session.execute(_DOUBLE, {"most": FOUND_MAX}):
        moved = session.execute(
            text(
                "SELECT e.amount, e.currency FROM ledger_entry e JOIN ledger_account a"
                " ON a.id = e.account_id WHERE e.transaction_id = CAST(:id AS uuid)"
                " AND a.code LIKE 'A:stripe:balance:%'"
            ),
            {"id": row.last},
        ).one()
        one = Found(
            kind=BreakKind.DUPLICATE_INTERNAL,
            key=row.transfer_id,
            source=STRIPE,
            difference=Money(-int(moved.amount), moved.currency),
            since=row.posted_at,
            ours={"reference": row.transfer_id, "first": row.first, "again": row.last},
        )
        found.append((row.last, one))
    return found


def _gaps(session: Session, statement: StripeStatement, as_of: datetime) -> Iterator[Found]:
    """S0: lines that the balance or Stripe's own report says there must be."""
    since = (as_of - REPORT_DAYS_BACK).date()
    for gap in (*line_gaps(session, statement), *report_gaps(session, since, as_of.date())):
        yield Found(
            kind=BreakKind.FILE_GAP,
            key=gap.key,
            source=STRIPE,
            difference=gap.missing or Money(0, "USD"),
            since=statement.taken_at,
            theirs={"says": gap.sentence},
        )
