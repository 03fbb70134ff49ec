"""What happens by itself: timers that fall due on the virtual clock, and webhook deliveries."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import httpx
import psycopg
from psycopg import sql

from marketplace.sandbox import (
    charges,
    checkout,
    disputes,
    identity,
    intents,
    onboarding,
    payouts,
    refunds,
    reports,
    top_ups,
    webhooks,
)
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Store, Tx

IDLE_SECONDS = 0.5
log = logging.getLogger(__name__)
_TIMERS = threading.Lock()

HANDLERS: dict[str, Callable[[Tx, str], None]] = {
    charges.TIMER: charges.settle,
    charges.DISPUTE_TIMER: disputes.open_by_card,
    checkout.TIMER: checkout.time_out,
    identity.REDACTED_TIMER: identity.redacted,
    identity.VERIFIED_TIMER: identity.verified,
    onboarding.TIMER: onboarding.verified,
    intents.TIMER: checkout.confirm_delayed,
    payouts.PLAN_TIMER: payouts.pay_out_available,
    payouts.LEAVE_TIMER: payouts.leave,
    payouts.ARRIVE_TIMER: payouts.arrive,
    refunds.FAIL_TIMER: refunds.fail,
    refunds.FINISH_TIMER: refunds.finish,
    refunds.RETRY_TIMER: refunds.retry,
    reports.TIMER: reports.finish,
    top_ups.TIMER: top_ups.land,
}


def run_next_timer(store: Store) -> bool:
    """Run the timer that fell due first, at the virtual time it was due; whether there was one."""
    with store.transaction() as tx:
        rows = tx.rows(
            sql.SQL(
                "DELETE FROM sandbox_timers WHERE id = (SELECT id FROM sandbox_timers"
                " WHERE due <= %s ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
            ),
            (tx.now,),
        )
        if not rows:
            return False
        timer = rows[0]
        there = tx.acting_for(timer["account"])
        there.now = timer["due"]
        try:
            with there.savepoint():
                HANDLERS[timer["kind"]](there, timer["subject"])
        except ApiError as gone:
            # The subject was deleted since; the timer has nothing left to do.
            log.info("timer %s of %s: %s", timer["kind"], timer["subject"], gone.message)
    return True


def run_due_timers(store: Store) -> int:
    """Run every timer that is due, in order; how many there were.

    Whoever calls while another thread runs them waits for it, so that all are done afterwards.
    """
    count = 0
    with _TIMERS:
        while run_next_timer(store):
            count += 1
    return count


class Worker:
    """One thread that runs timers and delivers webhooks; `nudge` wakes it at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.http = httpx.Client(timeout=webhooks.TIMEOUT_SECONDS, trust_env=False)

    def start(self) -> None:
        """Begin; the thread ends with `stop`, or with the process."""
        self._thread = threading.Thread(target=self._run, name="sandbox-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is doing, and close its connections."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(webhooks.TIMEOUT_SECONDS + 1)
        self.http.close()

    def nudge(self) -> None:
        """There is something new to do."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work_once()
            except psycopg.OperationalError as fault:
                # The database restarts or is away; everything due is still in it.
                log.warning("the sandbox's database is away: %s", fault)
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()

    def _work_once(self) -> None:
        run_due_timers(self._store)
        while not self._stopping.is_set() and webhooks.deliver_next(self._store, self.http):
            run_due_timers(self._store)
