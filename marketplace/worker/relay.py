"""The relay: drains the outbox into RQ, fills the schedule's slots, and numbers facts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from sqlalchemy.exc import DBAPIError

from marketplace import audit, clock, outbox
from marketplace.db import transaction
from marketplace.ledger import service as ledger
from marketplace.worker import heartbeat

QUEUE = "outbox"
QUEUED_MAX = 200
PAUSE_SECONDS = 0.2
AWAY_SECONDS = 1.0
log = structlog.get_logger(__name__)


def drain(redis: Redis, *, limit: int = 100) -> int:
    """Lease what is due and push it to RQ; how many rows were pushed.

    The lease is committed first: a crash before the push only delays the row by its lease. No
    more is pushed than the queue should hold: what waited there longer than its lease would be
    pushed again and again.
    """
    queue = Queue(QUEUE, connection=redis)
    room = min(limit, QUEUED_MAX - queue.count)
    if room <= 0:
        return 0
    with transaction() as session:
        leased = outbox.lease_due(session, limit=room)
    for work in leased:
        bound_to = outbox.bound().get(work.name)
        queue.enqueue(
            "marketplace.worker.perform.perform",
            str(work.id),
            job_id=f"{work.id}-{work.attempt}",
            job_timeout=bound_to.time_limit_seconds if bound_to else 60,
            result_ttl=0,
            failure_ttl=3600,
        )
    return len(leased)


class Schedule:
    """Enqueues each recurring function once in each of its slots, however many relays do so."""

    def __init__(self) -> None:
        self._filled: dict[str, int] = {}

    def fill(self) -> None:
        """Fill the present slots; the database is asked only about those that are new."""
        seconds_now = int(clock.now().timestamp())
        slots = {
            bound_to.name: seconds_now // bound_to.every_seconds
            for bound_to in outbox.bound().values()
            if bound_to.every_seconds is not None
        }
        new = {name: slot for name, slot in slots.items() if self._filled.get(name) != slot}
        if new:
            with transaction() as session:
                outbox.enqueue_slots(session, new)
            self._filled |= new


def number_facts() -> int:
    """Number and chain what was committed: events, audit lines, ledger transactions."""
    numbered = 0
    for number in (outbox.number_events, audit.number_rows, ledger.number_transactions):
        with transaction() as session:
            numbered += number(session, limit=500)
    return numbered


def restart_lost(redis: Redis) -> None:
    """When the queue has lost its memory, hand out again what was leased into it."""
    if redis.get("relay:mark") is None:
        with transaction() as session:
            released = outbox.release_leases(session)
        redis.set("relay:mark", "1")
        if released:
            log.warning("queue_was_empty", released=released)


class Relay:
    """The loop, until `stop` is called or a signal arrives."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._schedule = Schedule()
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        """Finish the present round and return."""
        self._stop.set()

    def run(self) -> None:
        """Drain, schedule and number until stopped; a lost database or Redis is waited for."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        next_fill = clock.now()
        while not self._stop.is_set():
            if clock.now() >= next_fill:
                self._step(self._schedule.fill)
                next_fill = clock.now() + timedelta(seconds=1)
            busy = self._step(self._round)
            self._stop.wait(0.0 if busy else PAUSE_SECONDS)

    def _round(self) -> int:
        numbered = number_facts()
        heartbeat.beat(self._redis, "relay")
        restart_lost(self._redis)
        return numbered + drain(self._redis)

    def _step(self, step: Callable[[], int | None]) -> int:
        try:
            return step() or 0
        except (RedisError, DBAPIError) as away:
            log.warning("relay_waits", cause=type(away).__name__)
            self._stop.wait(AWAY_SECONDS)
            return 0
