"""Matching Stripe's lines with the ledger's transactions, beside DuckDB joining the same files.

Run `python -m bench.money_matching [--rows N] [--runs N]`. A million lines stand beside a million
postings of four legs each, and one pair in a thousand is broken: missing here or there, another
amount, another fee. `S1` is the one statement that finds what differs; `S0-S3` is the whole of
Stripe's part of a comparison, with duplicates, orphans, unknown types and proof of completeness;
`DuckDB` reads both sides from CSV, already summed up for it, and joins them by the same condition.
Both must find the same breaks. Needs duckdb (the extra `bench`).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg

from marketplace import db, settings
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import temporary
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.reconciliation import service
from marketplace.reconciliation.models import StripeStatement
from marketplace.reconciliation.queries.stripe_breaks import different, stripe_breaks
from marketplace.reconciliation.stripe_gateway import RawBalance
from marketplace.settings import Settings

TABLES = ("ledger_transaction", "ledger_entry", "stripe_statement_line")
# Of each four thousand: a line nobody posted, a posting without line, an amount, a fee.
POSTINGS = """
INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count,
  balance_transaction_id, facts, happened_on, effective_on, posted_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'top_up', 'txn_' || n,
       sha256(''), 4, 'txn_' || n, '{{}}', date '2026-05-01', date '2026-05-01',
       timestamptz '2026-05-01' + n * interval '1 second'
FROM generate_series(1, {rows}) n WHERE n % 4000 <> 0
"""
LEGS = """
INSERT INTO ledger_entry (transaction_id, leg, account_id, amount, currency)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, leg.leg, leg.account_id,
       leg.amount, 'USD'
FROM generate_series(1, {rows}) n,
  LATERAL (VALUES
    (1, {stripe}, 10000 + n % 977), (2, {lab}, -(10000 + n % 977)),
    (3, {fee}, 300 + n % 7), (4, {stripe}, -(300 + n % 7))) leg (leg, account_id, amount)
WHERE n % 4000 <> 0
"""
LINES = """
INSERT INTO stripe_statement_line (id, kind, source_id, currency, amount, fee, net, created_at,
  available_at, seen_at, body, body_sha256, account)
SELECT 'txn_' || n, 'charge', 'ch_' || n, 'USD', amount, fee, amount - fee,
       timestamptz '2026-05-01' + n * interval '1 second', timestamptz '2026-05-08',
       timestamptz '2026-05-01' + n * interval '1 second', '{{}}', sha256(''), ''
FROM (SELECT n, 10000 + n % 977 + (n % 4000 = 2000)::int * 5 AS amount,
             300 + n % 7 + (n % 4000 = 3000)::int AS fee
      FROM generate_series(1, {rows}) n WHERE n % 4000 <> 1000) made
"""
JOIN = """
SELECT count(*) FROM read_csv('{lines}') line
FULL JOIN read_csv('{ours}') ours ON ours.bt = line.id
WHERE ours.bt IS NULL OR line.id IS NULL OR line.currency <> ours.currency
   OR line.net <> ours.net OR line.fee <> ours.fee
"""


def account_ids() -> dict[str, str]:
    """The ids of three accounts, opened by one true posting, as SQL."""
    with db.transaction() as session:
        ledger.record_top_up(
            session,
            lab_id=OrganisationId(new_id()),
            gross=Money(100, "USD"),
            fee=Money(3, "USD"),
            balance_transaction_id="txn_first",
            effective_on=ledger.book_today(),
        )
        rows = session.connection().exec_driver_sql("SELECT code, id FROM ledger_account")
        found = {}
        for code, account in rows:
            name = "lab" if code.startswith("L:lab") else "fee"
            name = "stripe" if code.startswith("A:stripe") else name
            found[name] = f"'{account}'::uuid"
    return found


def fill(owner_url: str, rows: int) -> None:
    """Write both sides as the owner, past the guards, which would take an hour."""
    ids = account_ids()
    with psycopg.connect(owner_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        connection.execute(POSTINGS.format(rows=rows))
        connection.execute(LEGS.format(rows=rows, **ids))
        connection.execute(LINES.format(rows=rows))
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute(f"VACUUM ANALYZE {table}")


def write_files(owner_url: str, folder: Path) -> tuple[Path, Path]:
    """Both sides as CSV; ours summed up for each transaction."""
    lines, ours = folder / "lines.csv", folder / "ours.csv"
    queries = {
        lines: "SELECT id, currency, amount, fee, net FROM stripe_statement_line",
        ours: """SELECT t.balance_transaction_id AS bt, e.currency,
              sum(e.amount) FILTER (WHERE a.code LIKE 'A:stripe:balance:%') AS net,
              sum(e.amount) FILTER (WHERE a.code LIKE 'E:stripe:%') AS fee
              FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
              JOIN ledger_account a ON a.id = e.account_id GROUP BY 1, 2""",
    }
    with psycopg.connect(owner_url.replace("+psycopg", "", 1)) as connection:
        for path, query in queries.items():
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as out:
                path.write_bytes(b"".join(out))
    return lines, ours


def by_sql(statement: StripeStatement) -> int:
    """S1 alone; how many differ."""
    with db.transaction() as session:
        return len(different(session, statement.taken_at))


def by_comparison(statement: StripeStatement) -> int:
    """S0 to S3; how many differ in one line."""
    with db.transaction() as session:
        found = stripe_breaks(session, statement, datetime.now(UTC) + timedelta(days=2))
        return len({each.key for each in found if each.kind != "file_gap"})


def by_duckdb(lines: Path, ours: Path) -> int:
    """The same join over the two files; how many differ."""
    with duckdb.connect() as connection:
        row = connection.execute(JOIN.format(lines=lines, ours=ours)).fetchone()
    assert row is not None
    return int(row[0])


def timed(work: Callable[[], int], runs: int) -> tuple[float, int]:
    """The median seconds of some runs, after one that does not count, and what they answered."""
    answer = work()
    seconds = []
    for _ in range(runs):
        begins = time.perf_counter()
        assert answer == work()
        seconds.append(time.perf_counter() - begins)
    return statistics.median(seconds), answer


def table(owner_url: str, rows: int, runs: int) -> None:
    """Fill, measure in turn, and print."""
    begins = time.perf_counter()
    fill(owner_url, rows)
    print(f"{rows:,} lines beside {rows:,} postings, made in {time.perf_counter() - begins:.0f} s")
    with db.transaction() as session:
        balance = {"USD": {"available": 0, "pending": 0}}
        statement = service.record_statement(session, RawBalance(balance, {}))
    with tempfile.TemporaryDirectory() as folder:
        lines, ours = write_files(owner_url, Path(folder))
        ways: dict[str, Callable[[], int]] = {
            "DuckDB, two CSV files": lambda: by_duckdb(lines, ours),
            "S1, one statement": lambda: by_sql(statement),
            "S0-S3, whole": lambda: by_comparison(statement),
        }
        print(f"{'way':<24} {'seconds':>8} {'found':>7} {'times DuckDB':>13}")
        limit = None
        for name, work in ways.items():
            seconds, found = timed(work, runs)
            limit = limit or seconds
            print(f"{name:<24} {seconds:>8.2f} {found:>7} {seconds / limit:>13.2f}")


def main() -> None:
    """Start a stack of its own in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with temporary() as stack:
        os.environ.update(stack.environment)
        found = Settings.from_environ(os.environ)
        settings.use(found)
        upgrade(found.owner_database_url, app_role=role_of(found.database_url))
        engine = db.connect(found.database_url)
        try:
            table(found.owner_database_url, arguments.rows, arguments.runs)
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
