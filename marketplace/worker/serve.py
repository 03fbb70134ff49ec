"""The worker process: takes rows from RQ one after the other, in the process itself."""

from __future__ import annotations

import threading
from types import FrameType

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from marketplace.worker import heartbeat
from marketplace.worker.courier import Courier
from marketplace.worker.relay import QUEUE

BEAT_SECONDS = 5.0
log = structlog.get_logger(__name__)


class TimeUp(JobTimeoutException, KeyboardInterrupt):
    """A background function used up its time.

    It is an interrupt too, since that is what the database's driver cancels a statement for; at
    any other exception the server would go on with it, and keep its locks.
    """


class TimeLimit(UnixSignalDeathPenalty):
    """RQ's alarm, which raises TimeUp where RQ asks for its own exception."""

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> None:
        """The alarm rang."""
        if self._exception is JobTimeoutException:
            raise TimeUp(f"Its {self._timeout} seconds are over.")
        super().handle_death_penalty(signum, frame)  # type: ignore[no-untyped-call]


class Worker(SimpleWorker):
    """RQ's in-process worker: no fork for each row, so connections stay and starts are quick."""

    death_penalty_class = TimeLimit
    max_connection_wait_time = 5.0
    was_asked_to_stop = False

    def handle_warm_shutdown_request(self) -> None:
        """Remember that somebody asked; RQ also returns, as if asked, from what it cannot mend."""
        self.was_asked_to_stop = True


def _beat(redis: Redis, stop: threading.Event) -> None:
    while not stop.wait(BEAT_SECONDS):
        try:
            heartbeat.beat(redis, "worker")
        except RedisError:
            continue


def serve(redis_url: str) -> None:
    """Work until SIGTERM, and tell webhooks meanwhile; the row in hand is finished first.

    An idle worker waits for a lost Redis. One that loses it with a row in hand ends with 1, to be
    started again: the row is done, or it is handed out again.
    """
    signs = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=5)
    stop = threading.Event()
    threading.Thread(target=_beat, args=(signs, stop), daemon=True).start()
    try:
        heartbeat.beat(signs, "worker")
    except RedisError:
        stop.wait(1)
    connection = Redis.from_url(redis_url)
    was_asked = False
    courier = Courier()
    try:
        worker = Worker([Queue(QUEUE, connection=connection)], connection=connection)
        courier.start()
        worker.work(with_scheduler=False, logging_level="WARNING")
        was_asked = worker.was_asked_to_stop
    except RedisError as away:
        log.warning("worker_ends", cause=type(away).__name__)
    finally:
        stop.set()
        courier.stop()
    if not was_asked:
        raise SystemExit(1)
