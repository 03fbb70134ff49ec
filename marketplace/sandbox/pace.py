"""A rate limit on request: so many calls a second to each kind of thing, as Stripe allows."""

from __future__ import annotations

import threading
import time

from marketplace.sandbox.errors import ApiError


class Pace:
    """Counts the calls of each second, in real time; 0 a second means no limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._per_second = 0
        self._second = 0
        self._counts: dict[str, int] = {}
        self.refused = 0

    def limit(self, per_second: int) -> None:
        """Allow so many calls a second to each endpoint from now on."""
        with self._lock:
            self._per_second = per_second
            self._counts.clear()
            self.refused = 0

    def check(self, path: str) -> None:
        """Raise the 429 of a limit that is reached, before anything else is looked at."""
        if self._per_second == 0:
            return
        with self._lock:
            second = int(time.monotonic())
            if second != self._second:
                self._second = second
                self._counts.clear()
            # "/v1/transfers/tr_1" counts as "/v1/transfers".
            kind = "/".join(path.split("/")[:3])
            self._counts[kind] = self._counts.get(kind, 0) + 1
            if self._counts[kind] <= self._per_second:
                return
            self.refused += 1
        raise ApiError("Request rate limit exceeded.", status=429, code="rate_limit")
