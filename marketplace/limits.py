"""Rate limits in Redis. A lost Redis lets everything pass but sign-in, which it closes."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from redis.exceptions import RedisError

from marketplace.errors import TooOften


@dataclass(frozen=True, slots=True)
class Bucket:
    """A named limit. rule: such as `10/minute`; closed_without_redis: refuse when Redis is away;
    taken_at_once: how many a process takes from Redis at a time, to hand them out by itself."""

    name: str
    rule: str
    closed_without_redis: bool = False
    taken_at_once: int = 1


SIGN_IN_BY_ADDRESS = Bucket("sign-in-address", "60/10 minutes", closed_without_redis=True)
SIGN_IN_BY_EMAIL = Bucket("sign-in-email", "10/10 minutes", closed_without_redis=True)
SIGN_UP = Bucket("sign-up", "20/hour")
MAIL_TO = Bucket("mail-to", "10/hour")
SECOND_FACTOR = Bucket("second-factor", "10/10 minutes", closed_without_redis=True)
MODEL_TEST = Bucket("model-test", "30/10 minutes")
API = Bucket("api", "60000/minute", taken_at_once=50)
# What a process took and did not hand out by then is lost to its key.
KEPT_SECONDS = 5.0
KEYS_MAX = 10_000


@dataclass(slots=True)
class _Taken:
    """Hits of a key that Redis has counted and nobody has made yet. until: time.monotonic()."""

    left: int
    until: float


class Limiter:
    """Counts hits of a key in a bucket over a moving window."""

    def __init__(self, redis_url: str) -> None:
        self._storage = RedisStorage(
            redis_url, wrap_exceptions=True, socket_connect_timeout=1, socket_timeout=1
        )
        self._strategy = MovingWindowRateLimiter(self._storage)
        self._rules: dict[str, RateLimitItem] = {}
        self._taken: dict[tuple[str, str], _Taken] = {}
        self._lock = threading.Lock()

    def hit(self, bucket: Bucket, key: str) -> None:
        """Count one; raise TooOften when the bucket is full for this key."""
        if bucket.taken_at_once > 1 and self._has_taken(bucket, key):
            return
        rule = self._rules.get(bucket.rule) or self._rules.setdefault(
            bucket.rule, parse(bucket.rule)
        )
        try:
            if bucket.taken_at_once > 1 and self._takes(bucket, key, rule):
                return
            if self._strategy.hit(rule, bucket.name, key):
                return
            reset = self._strategy.get_window_stats(rule, bucket.name, key).reset_time
        except (RedisError, StorageError):
            if bucket.closed_without_redis:
                raise TooOften(
                    "Sign-in is closed for a moment while a part of the service restarts. "
                    "Try again in a minute.",
                    retry_after_seconds=60,
                ) from None
            return
        wait = max(1, math.ceil(reset - time.time()))
        raise TooOften(
            f"That was tried too often. Try again in {_in_words(wait)}.", retry_after_seconds=wait
        )

    def _has_taken(self, bucket: Bucket, key: str) -> bool:
        """Hand out one that was taken before, if one is left."""
        with self._lock:
            taken = self._taken.get((bucket.name, key))
            if taken is None or taken.left == 0 or taken.until < time.monotonic():
                return False
            taken.left -= 1
            return True

    def _takes(self, bucket: Bucket, key: str, rule: RateLimitItem) -> bool:
        """Take several at once, the first for now; False where so many are not left."""
        if not self._strategy.hit(rule, bucket.name, key, cost=bucket.taken_at_once):
            return False
        until = time.monotonic() + KEPT_SECONDS
        with self._lock:
            if len(self._taken) >= KEYS_MAX:
                self._taken.clear()
            self._taken[bucket.name, key] = _Taken(bucket.taken_at_once - 1, until)
        return True


def _in_words(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{seconds} seconds" if seconds < 90 else f"{minutes} minutes"


class _Here:
    limiter: Limiter | None = None
    redis: Redis | None = None


def use(redis_url: str) -> None:
    """Set this process's limiter and Redis connection pool; no connection is made yet."""
    _Here.limiter = Limiter(redis_url)
    _Here.redis = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=5)


def current() -> Limiter:
    """This process's limiter."""
    if _Here.limiter is None:
        raise RuntimeError("limits.use() has not been called.")
    return _Here.limiter


def for_process(redis_url: str) -> Limiter:
    """This process's limiter, made for a worker, which nobody has told where Redis is."""
    if _Here.limiter is None:
        _Here.limiter = Limiter(redis_url)
    return _Here.limiter


def redis() -> Redis:
    """This process's Redis client, for heartbeats and readiness; work goes through the outbox."""
    if _Here.redis is None:
        raise RuntimeError("limits.use() has not been called.")
    return _Here.redis
