"""Postings a second by 1, 8 and 32 clients, beside pgbench writing the same rows.

Run `python -m bench.money_postings [--seconds N]`. Each client is a process of its own with one
connection to a PostgreSQL that does not wait for the disk, so that our own share shows most. A
posting takes money from one account and gives it to another and to the platform: `spread` clients
use accounts of their own, `hot` clients all take from one job's reserve, which must queue; the
platform's account is everybody's, and nobody waits for it. `pgbench` writes the same rows in one
prepared statement, and `driver` by psycopg, both under the same guards of the database and with
no check of ours before them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from uuid import UUID

import psycopg

from bench.load.limit import measured
from marketplace import db, settings
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import temporary
from marketplace.ids import JobId, OrganisationId, PersonId, SubmissionId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.rules import book
from marketplace.money import Money
from marketplace.settings import Settings

CLIENTS = (1, 8, 32)
PLENTY = Money(10**13, "USD")
REWARD, FEE = Money(8_00, "USD"), Money(1_60, "USD")
Step = Callable[[], None]


def funded() -> tuple[JobId, PersonId]:
    """A job with plenty of money, and a specialist who has been paid once."""
    lab, job, who = OrganisationId(new_id()), JobId(new_id()), PersonId(new_id())
    with db.transaction() as session:
        service.record_top_up(
            session,
            lab_id=lab,
            gross=PLENTY,
            fee=Money(0, "USD"),
            balance_transaction_id=f"txn_{lab}",
            effective_on=service.book_today(),
        )
        service.reserve_for_job(session, lab_id=lab, job_id=job, amount=PLENTY, source_id=str(job))
    by_service(job, who)()
    return job, who


def by_service(job: JobId, who: PersonId) -> Step:
    """One posting of rule 7 through the ledger's own way in."""

    def step() -> None:
        with db.transaction() as session:
            service.accept_work(
                session,
                job_id=job,
                specialist_id=who,
                submission_id=SubmissionId(new_id()),
                round_number=1,
                reward=REWARD,
                fee=FEE,
            )

    return step


def by_plain_sql(url: str, job: JobId, who: PersonId) -> Step:
    """The same rows, by the driver alone."""
    connection = psycopg.connect(url.replace("+psycopg", "", 1))
    example = book.acceptance(
        job_id=job,
        specialist_id=who,
        submission_id=SubmissionId(new_id()),
        round_number=1,
        reward=REWARD,
        fee=FEE,
    )
    codes = [leg.account.code for leg in example.legs]
    accounts = connection.execute(
        "SELECT code, id FROM ledger_account WHERE code = ANY (%s)", (codes,)
    )
    found: dict[str, UUID] = dict(accounts.fetchall())
    connection.commit()
    rows = [(found[leg.account.code], leg.amount.minor) for leg in example.legs]

    def step() -> None:
        header = new_id()
        connection.execute(
            """INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count,
                 facts, happened_on, effective_on, posted_at)
               VALUES (%s, 'accept', %s, sha256(''), %s, '{}', current_date, current_date,
                 now())""",
            (header, f"{new_id()}:1", len(rows)),
        )
        _insert_legs(connection, header, rows)
        connection.commit()

    return step


def _insert_legs(
    connection: psycopg.Connection[tuple[object, ...]], header: UUID, rows: list[tuple[UUID, int]]
) -> None:
    connection.execute(
        """INSERT INTO ledger_entry (transaction_id, leg, account_id, amount, currency)
           SELECT %s, leg, account, amount, 'USD'
           FROM unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS row(account, amount, leg)""",
        (header, [account for account, _ in rows], [amount for _, amount in rows]),
    )


def client(way: str, ids: tuple[JobId, PersonId], seconds: float, gate: Barrier) -> int:
    """Post until the time is over; how many were posted."""
    db.disconnect()  # The parent's connections are not ours to close.
    found = settings.current()
    db.connect(found.database_url, pool_size=1)
    step = by_service(*ids) if way == "service" else by_plain_sql(found.database_url, *ids)
    step()
    gate.wait()
    ends = time.monotonic() + seconds
    count = 0
    while time.monotonic() < ends:
        step()
        count += 1
    return count


def _client(
    way: str, ids: tuple[JobId, PersonId], seconds: float, gate: Barrier, counts: Queue[int]
) -> None:
    counts.put(client(way, ids, seconds, gate))


def rate(way: str, pairs: list[tuple[JobId, PersonId]], seconds: float) -> float:
    """Postings a second by one client for each pair of accounts."""
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(len(pairs))
    counts: Queue[int] = context.Queue()
    clients = [
        context.Process(target=_client, args=(way, ids, seconds, gate, counts)) for ids in pairs
    ]
    for one in clients:
        one.start()
    total = sum(counts.get() for _ in clients)
    for one in clients:
        one.join()
    return total / seconds


ROWS = """CREATE TABLE IF NOT EXISTS bench_money (n int PRIMARY KEY, reserve uuid, pending uuid,
  fee uuid); TRUNCATE bench_money; GRANT SELECT ON bench_money TO PUBLIC"""
FILLED = """INSERT INTO bench_money SELECT %s, r.id, p.id, f.id
  FROM ledger_account r, ledger_account p, ledger_account f
  WHERE r.code = %s AND p.code = %s AND f.code = 'I:platform_fee:USD'"""
SCRIPT = f"""WITH header AS (
  INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count, facts,
    happened_on, effective_on, posted_at)
  VALUES (uuidv7(), 'accept', gen_random_uuid() || ':1', sha256(''), 4, '{{}}', current_date,
    current_date, now()) RETURNING id)
INSERT INTO ledger_entry (transaction_id, leg, account_id, amount, currency)
SELECT header.id, legs.leg, legs.account, legs.amount, 'USD' FROM header, bench_money m,
  LATERAL (VALUES (1, m.reserve, {REWARD.minor}::bigint), (2, m.pending, -{REWARD.minor}),
    (3, m.reserve, {FEE.minor}), (4, m.fee, -{FEE.minor})) AS legs(leg, account, amount)
WHERE m.n = :client_id + 1;
"""


def by_pgbench(pairs: list[tuple[JobId, PersonId]], seconds: float) -> float:
    """Postings a second by pgbench, with the accounts of each client in a table."""
    found = settings.current()
    owner = found.owner_database_url.replace("+psycopg", "", 1)
    with psycopg.connect(owner) as connection:
        connection.execute(ROWS)
        for number, (job, who) in enumerate(pairs, start=1):
            reserve, pending = f"L:job:{job}:reserved:USD", f"L:spec:{who}:pending:USD"
            connection.execute(FILLED, (number, reserve, pending))
    url = found.database_url.replace("+psycopg", "", 1)
    return measured(url, SCRIPT, len(pairs), seconds)[0]


def table(seconds: float) -> None:
    """Print the rates, and that the book is sound after all of it."""
    heads = ("ledger/s", "pgbench/s", "driver/s", "ledger/pgbench", "of 1 client")
    print(f"{'clients':>8} {'accounts':>9}" + "".join(f"{head:>16}" for head in heads))
    alone: dict[str, float] = {}
    for accounts in ("spread", "hot"):
        for clients in CLIENTS:
            pairs = [funded() for _ in range(clients if accounts == "spread" else 1)]
            pairs = (pairs * clients)[:clients]
            ours = rate("service", pairs, seconds)
            limit = by_pgbench(pairs, seconds)
            plain = rate("plain", pairs, seconds)
            first = alone.setdefault(accounts, ours)
            print(
                f"{clients:>8} {accounts:>9}{ours:>16.0f}{limit:>16.0f}{plain:>16.0f}"
                f"{ours / limit:>16.2f}{ours / first:>16.2f}"
            )
    with db.transaction() as session:
        # The rows that no verb wrote have no hash of their content, and their sources no rule.
        broken = [line for line in queries.broken_invariants(session) if line[:2] != "I4"]
    print("The book is sound." if not broken else "\n".join(broken))


def main() -> None:
    """Start a stack of its own in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure")
    arguments = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with temporary() as stack:
        os.environ.update(stack.environment)
        found = Settings.from_environ(os.environ)
        settings.use(found)
        upgrade(found.owner_database_url, app_role=role_of(found.database_url))
        engine = db.connect(found.database_url)
        try:
            table(arguments.seconds)
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
