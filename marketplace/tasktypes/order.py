"""The order in which responses are shown: seeded, stored, and never part of a judgement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence


def permuted(slots: Sequence[str], seed: int | str) -> list[str]:
    """The slots in an order that depends on the seed and the names only.

    Sorting by a hash gives the same order on every machine and Python version, which
    `random.shuffle` does not promise, and it does not matter in which order the slots came.
    """
    return sorted(slots, key=lambda slot: (_digest(seed, slot), slot))


def _digest(seed: int | str, slot: str) -> bytes:
    return hashlib.sha256(json.dumps([str(seed), slot]).encode()).digest()
