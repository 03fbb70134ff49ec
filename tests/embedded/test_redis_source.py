"""The Redis that is fetched on its own is the one that the lock file names."""

from pathlib import Path

import marketplace
from marketplace.embedded import redis_source

LOCK = Path(marketplace.__file__).parents[1] / "requirements.lock"


def test_the_fetched_redis_has_the_version_and_hashes_of_the_lock_file() -> None:
    locked = LOCK.read_text(encoding="utf-8")
    _, _, after = locked.partition(f"\n{redis_source.VERSION} ")
    hashes, _, _ = after.partition("\nrequests==")

    assert f"sha256:{redis_source.WHEEL_SHA256}" in hashes
    assert f"sha256:{redis_source.SOURCE_SHA256}" in hashes
