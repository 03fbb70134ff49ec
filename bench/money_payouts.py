"""A payout run of many lines against the sandbox: bounded by Stripe's rate, and as fast as it goes.

Run `python -m bench.money_payouts [--lines N] [--per-second 25] [--senders 8]`. The run is
prepared, approved and released by two people, and sent by one worker in batches, through the
official SDK over HTTP. It says how long each step takes, how many calls Stripe answered for a
line, and that nothing was sent twice; `--per-second 0` leaves out the token bucket.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from sqlalchemy import select

from marketplace import db, limits, outbox, secrets, settings
from marketplace.cli.migrate import role_of, upgrade
from marketplace.embedded import temporary
from marketplace.ids import AccrualId, PersonId, new_id
from marketplace.ledger import queries as book
from marketplace.ledger import service as ledger
from marketplace.outbox import OutboxRow
from marketplace.payouts import background, queries, service
from marketplace.payouts.models import PayoutRun
from marketplace.settings import Settings
from tests.make import ledger as make_ledger
from tests.make import payouts as make
from tests.make.billing import Stripe, stripe_sandbox, work
from tests.make.ledger import usd

PAY = usd(50_00)
CLONES_AT_ONCE = 500
PEOPLE = """INSERT INTO person (id, email, name, password_hash, timezone, state, is_specialist,
  email_verified_at, created_at)
SELECT %(id)s::text::uuid, %(id)s::text || '@example.org', name, password_hash, timezone, state,
  is_specialist, email_verified_at, created_at FROM person WHERE id = %(like)s::text::uuid"""
PAYEES = """INSERT INTO payee_account
SELECT (jsonb_populate_record(p, jsonb_build_object('person_id', %(id)s::text,
  'account_key', %(id)s::text, 'stripe_account_id', %(account)s::text,
  'changed_by', %(id)s::text))).* FROM payee_account p WHERE person_id = %(like)s::text::uuid"""
ACCOUNTS = """INSERT INTO sandbox_objects
SELECT (jsonb_populate_record(o, jsonb_build_object('id', %(account)s::text,
  'body', replace(o.body::text, o.id, %(account)s::text)::jsonb))).*
FROM sandbox_objects o WHERE id = %(like_account)s::text"""


@contextmanager
def product(per_second: int, senders: int) -> Iterator[Stripe]:
    """A stack of our own with a sandbox, and the settings that the bench asks for."""
    with temporary() as stack:
        environment = {**os.environ, **stack.environment, "PAYOUT_SENDERS": str(senders)}
        environment["PAYOUT_TRANSFERS_PER_SECOND"] = str(per_second)
        here = Settings.from_environ(environment)
        nobody = (("USD", 10**12),)
        here = replace(
            here,
            payout_two_approvers_from=nobody,
            payout_new_payee_two_from=nobody,
            payout_approver_day_limits=nobody,
        )
        settings.use(here)
        secrets.use_keys(here.encryption_keys, here.pseudonym_key)
        upgrade(here.owner_database_url, app_role=role_of(here.database_url))
        db.connect(here.database_url, pool_size=senders + 4)
        limits.use(here.redis_url)
        with stripe_sandbox(stack) as stripe:
            stripe.empty()
            yield stripe
        db.disconnect()


def fill(stripe: Stripe, lines: int) -> None:
    """Specialists with pay and accounts, all like the first one, which the services made."""
    like = make.a_specialist_to_pay(stripe, PAY)
    like_account = make.account_of(like)
    people = [PersonId(new_id()) for _ in range(lines - 1)]
    facts = [
        {
            "id": str(person),
            "account": f"acct_{person.hex[-16:]}",
            "like": str(like),
            "like_account": like_account,
        }
        for person in people
    ]
    owner = settings.current().owner_database_url.replace("+psycopg", "", 1)
    with psycopg.connect(owner) as connection, connection.cursor() as cursor:
        cursor.executemany(PEOPLE, facts)
        cursor.executemany(PAYEES, facts)
    sandbox = stripe.database_url.replace("+psycopg", "", 1)
    with psycopg.connect(sandbox) as connection, connection.cursor() as cursor:
        cursor.executemany(ACCOUNTS, facts)
    for first in range(0, len(people), CLONES_AT_ONCE):
        with db.transaction() as session:
            some = people[first : first + CLONES_AT_ONCE]
            job = make_ledger.funded_job(session, usd(PAY.minor * len(some)))
            for person in some:
                make_ledger.accepted(session, job, person, PAY, usd(0))
                ledger.clear_pay(
                    session, specialist_id=person, accrual_id=AccrualId(new_id()), amount=PAY
                )
    stripe.fund(usd(PAY.minor * lines * 2))


@contextmanager
def timed(what: str, lines: int) -> Iterator[None]:
    """Say how long it took."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    print(f"{what:<10}{seconds:>9.1f} s{lines / seconds:>10.0f} lines/s", flush=True)


def pay(lines: int) -> PayoutRun:
    """The whole way of a run."""
    with db.transaction() as session:
        finance = make.finance(session)
    with timed("prepare", lines):
        run = finance.prepared()
    with db.transaction() as session:
        code = finance.approver.code()
        with timed("approve", lines):
            service.approve_run(session, finance.approver.actor, run.id, run.content_sha256, code)
    with db.transaction() as session, timed("release", lines):
        service.release_run(session, finance.preparer.actor, run.id)
    with timed("send", lines):
        while send_waiting():
            pass
    return run


def send_waiting() -> int:
    """What the relay and one worker do with what is due; how many pieces of work there were."""
    with db.transaction() as session:
        due = select(OutboxRow).where(
            OutboxRow.done_at.is_(None), OutboxRow.name.startswith("payouts.send")
        )
        rows = list(session.scalars(due.order_by(OutboxRow.not_before).limit(1_000)))
    for row in rows:
        bound = outbox.bound()[row.name]
        bound.call(outbox.Work(row.id, row.name, row.arguments, 1), **row.arguments)
    return len(rows)


def report(stripe: Stripe, run: PayoutRun, lines: int) -> None:
    """That everybody was paid, once, and what the book says."""
    made = Counter(transfer.metadata.to_dict()["line_id"] for transfer in stripe.transfers())
    ended = make.run_now(run)
    with db.transaction() as session:
        broken = [*book.broken_invariants(session), *queries.broken_invariants(session)]
    twice = sum(number > 1 for number in made.values())
    told = f"{len(made)} of {lines} transfers, {twice} twice, {len(broken)} broken"
    print(f"run {ended.state}, {told}")
    assert (len(made), twice, broken) == (lines, 0, []), broken


def main() -> None:
    """Fill, pay, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--per-second", type=int, default=25)
    parser.add_argument("--senders", type=int, default=8)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} CPUs; {asked.senders} lines at once")
    print(f"at most {asked.per_second or 'any number of'} transfers a second")
    with product(asked.per_second, asked.senders) as stripe:
        with timed("fill", asked.lines):
            fill(stripe, asked.lines)
        background.check_gate(work("payouts.check_gate"))
        run = pay(asked.lines)
        report(stripe, run, asked.lines)


if __name__ == "__main__":
    main()
