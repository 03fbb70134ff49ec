"""Signs of life in Redis, for readiness: `heartbeat:<who>` with 15 seconds to live."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

LIVES_SECONDS = 15


def beat(redis: Redis, who: str) -> None:
    """Say that `who` (worker or relay) is alive."""
    redis.set(f"heartbeat:{who}", "1", ex=LIVES_SECONDS)


def alive(redis: Redis, who: str) -> bool:
    """Whether `who` gave a sign in the last 15 seconds; False also without Redis."""
    try:
        return bool(redis.exists(f"heartbeat:{who}"))
    except RedisError:
        return False
