"""Rate limits on a real Redis, and without one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from marketplace import limits
from marketplace.errors import TooOften
from marketplace.limits import Bucket, Limiter
from marketplace.settings import Settings

THREE = Bucket("three", "3/minute")
BUCKETS = [one for one in vars(limits).values() if isinstance(one, Bucket)]
CLOSED = {"sign-in-address", "sign-in-email", "second-factor"}


@pytest.fixture
def limiter(settings: Settings, redis: Redis) -> Limiter:
    """A limiter with nothing counted yet."""
    return Limiter(settings.redis_url)


@pytest.fixture(params=["refuses", "is silent"])
def away(request: pytest.FixtureRequest) -> Iterator[Limiter]:
    """A limiter whose Redis refuses connections, or takes them and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            server.listen(8)
        yield Limiter(f"redis://127.0.0.1:{server.getsockname()[1]}/0")


def passes(limiter: Limiter, bucket: Bucket, key: str = "key") -> bool:
    try:
        limiter.hit(bucket, key)
    except TooOften:
        return False
    return True


def test_a_bucket_is_full_for_one_key_only(limiter: Limiter) -> None:
    assert [True, True, True, False] == [passes(limiter, THREE) for _ in range(4)]
    assert passes(limiter, THREE, "another")
    assert passes(limiter, Bucket("another", "3/minute"))


def test_the_refusal_says_when_to_come_again(limiter: Limiter) -> None:
    for _ in range(3):
        limiter.hit(THREE, "key")
    with pytest.raises(TooOften, match=r"Try again in .* seconds") as refusal:
        limiter.hit(THREE, "key")

    assert 1 <= refusal.value.retry_after_seconds <= 60


def test_the_window_moves(limiter: Limiter) -> None:
    one = Bucket("one", "1/second")
    assert [True, False] == [passes(limiter, one), passes(limiter, one)]
    time.sleep(1.05)
    assert passes(limiter, one)


def test_two_processes_count_together(limiter: Limiter, settings: Settings) -> None:
    other = Limiter(settings.redis_url)

    assert [True, True, True, False] == [
        passes(asked, THREE) for asked in (limiter, other, limiter, other)
    ]


def test_every_rule_can_be_read(limiter: Limiter) -> None:
    assert all(passes(limiter, bucket) for bucket in BUCKETS)
    assert len(BUCKETS) == len({bucket.name for bucket in BUCKETS})


def test_without_redis_only_signing_in_is_closed(away: Limiter) -> None:
    began = time.monotonic()
    open_still = {bucket.name for bucket in (limits.API, limits.SIGN_UP) if passes(away, bucket)}
    closed = {bucket.name for bucket in (limits.SIGN_IN_BY_EMAIL,) if not passes(away, bucket)}

    assert ({"api", "sign-up"}, {"sign-in-email"}) == (open_still, closed)
    assert time.monotonic() - began < 6, "A page waits too long for a Redis that is away."
    assert CLOSED == {bucket.name for bucket in BUCKETS if bucket.closed_without_redis}


def test_a_process_takes_many_at_once_and_gives_out_no_more_than_the_rule(limiter: Limiter) -> None:
    ten = Bucket("ten", "10/minute", taken_at_once=4)

    assert 10 == sum(passes(limiter, ten) for _ in range(15))
