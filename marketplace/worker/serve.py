"""The worker process: takes rows from RQ one after the other, in the process itself."""

from __future__ import annotations

import threading

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker

from marketplace.worker import heartbeat
from marketplace.worker.relay import QUEUE

BEAT_SECONDS = 5.0


class Worker(SimpleWorker):
    """RQ's in-process worker: no fork for each row, so connections stay and starts are quick."""


def _beat(redis: Redis, stop: threading.Event) -> None:
    while not stop.wait(BEAT_SECONDS):
        try:
            heartbeat.beat(redis, "worker")
        except RedisError:
            continue


def serve(redis_url: str) -> None:
    """Work until SIGTERM; the row in hand is finished first."""
    signs = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=5)
    stop = threading.Event()
    threading.Thread(target=_beat, args=(signs, stop), daemon=True).start()
    try:
        heartbeat.beat(signs, "worker")
    except RedisError:
        stop.wait(1)
    connection = Redis.from_url(redis_url)
    worker = Worker([Queue(QUEUE, connection=connection)], connection=connection)
    try:
        worker.work(with_scheduler=False, logging_level="WARNING")
    finally:
        stop.set()
