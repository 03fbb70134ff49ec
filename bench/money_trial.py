"""Balances of a book of ten million entries: now, at any instant, and as any book day ended.

Run `python -m bench.money_trial [--entries N] [--owners N]`. The rows are made by SQL with the
guards asked to look away, 500 days of them; turnovers and caches are then made by the statements
that the migration has for it. Beside ours stands the same question asked of all entries.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import db, settings
from marketplace.actor import SYSTEM
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import temporary
from marketplace.ledger import queries
from marketplace.settings import Settings

DAYS = 500
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
TABLES = ("account", "transaction", "entry")
# A tenth of the owners are jobs, whose reserves pay; the rest are specialists.
ACCOUNTS = (
    """INSERT INTO ledger_account (id, code, kind, currency, side, floor, balance, stem)
    SELECT gen_random_uuid(), code, kind, 'USD', side, floor, CASE WHEN floor THEN 0 END, stem
    FROM (
      SELECT 'L:job:' || gen_random_uuid() || ':reserved:USD' AS code, 'liability' AS kind,
             -1 AS side, true AS floor, 'L:job:reserved' AS stem
      FROM generate_series(1, {jobs})
      UNION ALL SELECT 'L:spec:' || gen_random_uuid() || ':pending:USD', 'liability', -1, true,
             'L:spec:pending' FROM generate_series(1, {people})
      UNION ALL VALUES ('I:platform_fee:USD', 'income', -1, false, 'I:platform_fee')) each""",
    """CREATE TEMP TABLE job_n AS SELECT row_number() OVER () AS n, id FROM ledger_account
    WHERE stem = 'L:job:reserved'""",
    """CREATE TEMP TABLE person_n AS SELECT row_number() OVER () AS n, id FROM ledger_account
    WHERE stem = 'L:spec:pending'""",
    "CREATE INDEX ON job_n (n)",
    "CREATE INDEX ON person_n (n)",
    "ANALYZE job_n, person_n",
)
# Four legs each, as accepted work has; posted evenly over the days, numbered in that order.
TRANSACTIONS = """INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash,
      leg_count, facts, happened_on, effective_on, posted_at, number, chain_hash)
    SELECT gen_random_uuid(), 'accept', 'bench:' || n, sha256(''), 4, '{{}}', at::date, at::date,
           at, n, sha256('')
    FROM (SELECT n, timestamptz '2025-01-01Z' + interval '{days} days' * (n::float8 / {count})
            - interval '1 second' AS at FROM generate_series({first}, {last}) n) each"""
ENTRIES = """INSERT INTO ledger_entry (transaction_id, leg, account_id, amount, currency)
    SELECT t.id, leg.n, leg.account, leg.amount, 'USD' FROM ledger_transaction t
    JOIN job_n j ON j.n = 1 + t.number * 7919 % {jobs}
    JOIN person_n p ON p.n = 1 + t.number * 104729 % {people}
    CROSS JOIN (SELECT id FROM ledger_account WHERE stem = 'I:platform_fee') fee
    CROSS JOIN LATERAL (VALUES (1, j.id, 800 + t.number % 100), (2, p.id, -800 - t.number % 100),
      (3, j.id, 160), (4, fee.id, -160)) AS leg(n, account, amount)
    WHERE t.number BETWEEN {first} AND {last}"""
TURNOVERS = (
    """INSERT INTO ledger_turnover (account_id, basis, on_day, amount, entry_count, closing)
    SELECT account_id, basis, on_day, amount, entries,
           sum(amount) OVER (PARTITION BY account_id, basis ORDER BY on_day)
    FROM (
      SELECT e.account_id, (t.posted_at AT TIME ZONE 'UTC')::date AS on_day,
             sum(e.amount) AS amount, count(*) AS entries
      FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id GROUP BY 1, 2) each
    CROSS JOIN (VALUES ('posted'), ('effective')) AS calendar(basis)""",
    """UPDATE ledger_account a SET balance = a.side * s.amount FROM (
      SELECT account_id, sum(amount) AS amount FROM ledger_entry GROUP BY 1) s
    WHERE a.id = s.account_id AND a.floor""",
)
PLAIN = text(
    """SELECT a.code, a.kind, a.currency, a.side, sum(e.amount) FROM ledger_account a
    JOIN ledger_entry e ON e.account_id = a.id JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE t.posted_at <= :at GROUP BY a.id ORDER BY a.code"""
)
BATCH = 500_000


def filled(url: str, entries: int, owners: int) -> None:
    """Write the book."""
    jobs = max(1, owners // 10)
    sizes = {"jobs": jobs, "people": max(1, owners - jobs), "days": DAYS, "count": entries // 4}
    with psycopg.connect(url, autocommit=True) as owner:
        for table in TABLES:
            owner.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
        # Nobody funded these jobs first, which changes no time that is taken here.
        owner.execute("ALTER TABLE ledger_account DROP CONSTRAINT ck_ledger_account_no_overdraft")
        for statement in ACCOUNTS:
            owner.execute(statement.format(**sizes).encode())
        for first in range(1, sizes["count"] + 1, BATCH):
            last = min(first + BATCH - 1, sizes["count"])
            for statement in (TRANSACTIONS, ENTRIES):
                owner.execute(statement.format(first=first, last=last, **sizes).encode())
        for statement in TURNOVERS:
            owner.execute(statement.encode())
        for table in TABLES:
            owner.execute(f"ALTER TABLE ledger_{table} ENABLE TRIGGER USER")
        owner.execute("VACUUM ANALYZE ledger_account, ledger_transaction, ledger_entry")
        owner.execute("VACUUM ANALYZE ledger_turnover")


def timed(call: Callable[[Session], object], times: int) -> tuple[float, float]:
    """(median, most) milliseconds of a call, each in a transaction of its own, warmed up."""
    taken = []
    for turn in range(times + 1):
        with db.transaction() as session:
            start = time.perf_counter()
            call(session)
            if turn:
                taken.append((time.perf_counter() - start) * 1_000)
    return median(taken), max(taken)


def whole(session: Session, at: datetime | None) -> int:
    """Every row of a trial balance, page after page; how many."""
    after, count = "", 0
    while page := queries.trial_balance(session, SYSTEM, at, after=after, limit=1_000):
        after, count = page[-1].code, count + len(page)
    return count


def table() -> None:
    """Print how long each question takes."""
    noon = BEGAN + timedelta(days=DAYS // 2, hours=12)
    day = noon.date()
    fee = "I:platform_fee:USD"
    asked: list[tuple[str, Callable[[Session], object], int]] = [
        ("totals, now", lambda s: queries.trial_totals(s, SYSTEM), 5),
        ("totals, an instant within a day", lambda s: queries.trial_totals(s, SYSTEM, noon), 5),
        ("totals, end of a book day", lambda s: queries.trial_totals(s, SYSTEM, on=day), 5),
        ("a page of 100 accounts, an instant",
         lambda s: queries.trial_balance(s, SYSTEM, noon, limit=100), 5),
        ("all accounts by pages of 1,000, an instant", lambda s: whole(s, noon), 1),
        ("the platform's fees, an instant", lambda s: queries.balance_at(s, SYSTEM, fee, noon), 5),
        ("the platform's fees, now", lambda s: queries.balance(s, fee), 5),
        ("money by state, now", lambda s: queries.money_by_state(s, SYSTEM), 5),
        ("money by state, an instant", lambda s: queries.money_by_state(s, SYSTEM, noon), 5),
        ("roll-forward of a month", lambda s: queries.roll_forward(s, SYSTEM, day), 3),
        ("a posting by its source", lambda s: queries.find(s, SYSTEM, reference="bench:77"), 5),
        ("all entries summed (the plain way)",
         lambda s: s.execute(PLAIN, {"at": noon}).all(), 1),
    ]  # fmt: skip
    print(f"{'question':<46}{'median ms':>12}{'most ms':>12}")
    for words, call, times in asked:
        middle, most = timed(call, times)
        print(f"{words:<46}{middle:>12.1f}{most:>12.1f}", flush=True)


def main() -> None:
    """Start a stack of its own in a temporary folder, fill it, and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--owners", type=int, default=20_000, help="jobs and specialists")
    given = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with temporary() as stack:
        os.environ.update(stack.environment)
        found = Settings.from_environ(os.environ)
        settings.use(found)
        upgrade(found.owner_database_url, app_role=role_of(found.database_url))
        start = time.monotonic()
        filled(found.owner_database_url.replace("+psycopg", "", 1), given.entries, given.owners)
        print(f"{given.entries:,} entries of {given.owners:,} owners over {DAYS} days, made in "
              f"{time.monotonic() - start:.0f} s")  # fmt: skip
        engine = db.connect(found.database_url)
        try:
            table()
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
