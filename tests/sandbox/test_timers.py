"""Timers of the sandbox, which its worker and whoever moves the clock both run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing

from psycopg import sql

from marketplace.sandbox.payouts import ARRIVE_TIMER
from marketplace.sandbox.settings import SandboxSettings
from marketplace.sandbox.store import Store
from marketplace.sandbox.worker import run_due_timers
from tests.sandbox.conftest import until

PAYOUT = "po_waits"
IN_TRANSIT = {
    "object": "payout",
    "status": "in_transit",
    "automatic": False,
    "trace_id": {},
    "amount": 100,
    "currency": "usd",
}


def test_who_moves_the_clock_waits_for_what_the_worker_has_begun(
    sandbox: str, sandbox_settings: SandboxSettings
) -> None:
    with closing(Store(sandbox_settings.database_url)) as store, ThreadPoolExecutor(1) as pool:
        with store.transaction() as tx:
            tx.insert({"id": PAYOUT, "created": tx.now, **IN_TRANSIT})
        with store.transaction() as holder:
            holder.need("payout", PAYOUT, lock=True)
            with store.transaction() as tx:
                tx.schedule(ARRIVE_TIMER, PAYOUT, tx.now)
            until(lambda: waits(store))
            mover = pool.submit(run_due_timers, store)
            assert {mover} == wait([mover], timeout=0.3).not_done
        mover.result(timeout=10)
        with store.transaction() as tx:
            assert "paid" == tx.need("payout", PAYOUT)["status"]


def waits(store: Store) -> bool:
    """Whether somebody, here the worker, waits for a row."""
    asked = "SELECT 1 AS one FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with store.transaction() as tx:
        return bool(tx.rows(sql.SQL(asked)))
