"""Moments at which a process may die: before and after every network call and every commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from sqlalchemy import event
from sqlalchemy.orm import Session


class Killed(BaseException):
    """The process is gone: nothing in the product may catch this, so it unwinds like a kill."""


class Crashes:
    """Counts the moments at which a process may die, and dies at the one that was asked for."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.passed = 0

    def arm(self, after: int) -> None:
        """Die at the moment that comes after so many others."""
        self._left = after

    def disarm(self) -> None:
        """Live on."""
        self._left = None

    @contextmanager
    def spared(self) -> Iterator[None]:
        """What happens inside is the test's own looking, at which nobody dies."""
        left, self._left = self._left, None
        try:
            yield
        finally:
            self._left = left

    def moment(self, *_: Any) -> None:
        """One such moment."""
        self.passed += 1
        if self._left is None:
            return
        if self._left == 0:
            self.disarm()
            raise Killed
        self._left -= 1


@contextmanager
def moments_of(crashes: Crashes) -> Iterator[None]:
    """Have every call of the SDK and every commit of the product be two moments each."""
    plain = stripe.RequestsClient.request

    def request(client: Any, *args: Any, **kwargs: Any) -> Any:
        crashes.moment()
        answer = plain(client, *args, **kwargs)
        crashes.moment()
        return answer

    stripe.RequestsClient.request = request  # type: ignore[method-assign, assignment]
    for name in ("before_commit", "after_commit"):
        event.listen(Session, name, crashes.moment)
    try:
        yield
    finally:
        stripe.RequestsClient.request = plain  # type: ignore[method-assign]
        for name in ("before_commit", "after_commit"):
            event.remove(Session, name, crashes.moment)
