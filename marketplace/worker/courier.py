"""The courier: tells labs' webhooks, on threads beside the worker's own work.

A worker does one thing at a time, and a server that never answers would hold it up; so deliveries
are no background functions. They are rows that the courier of any worker leases, sends without a
transaction, and records. One thread speaks with the database, the others only with the network. A
worker that is killed leaves leases behind, which run out.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from sqlalchemy.exc import DBAPIError

from marketplace import clock
from marketplace.db import transaction
from marketplace.delivery.gateway import webhooks as gateway
from marketplace.delivery.rules.parcels import Parcel
from marketplace.delivery.rules.webhooks import Answered, Outcome
from marketplace.delivery.service import webhook_queue as queue
from marketplace.delivery.service.webhook_records import record_attempts

THREADS = 16
# Endpoints that fail or are slow never get more than half of the threads.
FAILING_MAX = THREADS // 2
PAUSE_SECONDS = 0.2
AWAY_SECONDS = 2.0
ENDS_SECONDS = 5.0
log = structlog.get_logger(__name__)
InHand = dict[Future[Answered], Parcel]


class Courier:
    """The loop, on a thread of its own between `start` and `stop`."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._in_hand: InHand = {}

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, record what ends within five seconds, and leave the rest leased."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(ENDS_SECONDS + 1)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def step(self) -> int:
        """Record what has ended, and send what is due; how much there was to do."""
        ended = {each for each in self._in_hand if each.done()}
        # One transaction for all of it: a commit costs as much as several statements.
        with transaction() as session:
            record_attempts(session, self._answers(ended))
            looked_at = queue.make_deliveries(session)
            room = self._room(ended)
            taken = queue.lease_deliveries(session, room) if room.all > 0 else []
        self._let_go(ended)
        for parcel in taken:
            self._in_hand[self._pool.submit(gateway.send, parcel)] = parcel
        return len(ended) + looked_at + len(taken)

    def finish(self, seconds: float = ENDS_SECONDS) -> None:
        """Wait for what is in hand, and record it."""
        if self._in_hand:
            ended, _ = wait(self._in_hand, timeout=seconds)
            with transaction() as session:
                record_attempts(session, self._answers(ended))
            self._let_go(ended)

    def _room(self, ended: Collection[Future[Answered]]) -> queue.Room:
        held = [parcel for each, parcel in self._in_hand.items() if each not in ended]
        free = THREADS - len(held)
        failing = sum(each.failing for each in held)
        return queue.Room(free, max(0, min(free, FAILING_MAX - failing)))

    def _answers(self, ended: Collection[Future[Answered]]) -> list[tuple[Parcel, Answered]]:
        return [(self._in_hand[each], _answer_of(each)) for each in ended]

    def _let_go(self, ended: Collection[Future[Answered]]) -> None:
        for each in ended:
            del self._in_hand[each]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self.step():
                    self._pause()
            except DBAPIError as away:
                log.warning("courier_waits", cause=type(away).__name__)
                self._stop.wait(AWAY_SECONDS)
            except Exception:
                log.exception("courier_failed")
                self._stop.wait(AWAY_SECONDS)
        try:
            self.finish()
        except DBAPIError as away:
            log.warning("courier_ends", cause=type(away).__name__)

    def _pause(self) -> None:
        if self._in_hand:
            wait(self._in_hand, timeout=PAUSE_SECONDS, return_when=FIRST_COMPLETED)
        else:
            self._stop.wait(PAUSE_SECONDS)


def _answer_of(ended: Future[Answered]) -> Answered:
    """What came of an attempt; a fault of ours counts as one that got no answer."""
    try:
        return ended.result()
    except Exception:
        log.exception("webhook_failed")
        return Answered(Outcome.NO_ANSWER, clock.now(), 0)
