"""Performing one piece of work: the only place that catches every exception."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from marketplace import outbox
from marketplace.db import transaction
from marketplace.errors import GatewayError, Refused

RENEW_SECONDS = 20.0
GAVE_WAY = frozenset({"40001", "40P01"})  # A failed serialisation, a deadlock.
log = structlog.get_logger(__name__)


def perform(row_id: str) -> None:
    """Run the background function of an outbox row, unless it is done already.

    A failure puts the row back with a back-off; its kind is kept, its text only logged for
    faults of ours, since messages of refusals may name people.
    """
    with transaction() as session:
        work = outbox.open_work(session, UUID(row_id))
    if work is None:
        return
    bound_to = outbox.bound().get(work.name)
    if bound_to is None:
        _put_back(work, "no function is bound to this name")
        return
    try:
        # A time limit strikes anywhere, also where a context variable was just set; in a context
        # of its own, what one function leaves behind does not reach the next.
        with _renewed(work, bound_to.time_limit_seconds):
            copy_context().run(_called, bound_to, work)
    except (GatewayError, DBAPIError, Refused) as failed:
        log.warning("work_waits", name=work.name, attempt=work.attempt, kind=type(failed).__name__)
        _put_back(work, type(failed).__name__)
    except Exception as failed:
        log.exception("work_failed", name=work.name, attempt=work.attempt)
        _put_back(work, type(failed).__name__)


def _called(bound_to: outbox.Background, work: outbox.Work) -> None:
    """Run a function, and once more where the database ended it in favour of another transaction:
    every function is safe to run twice, and who won is done soon."""
    try:
        bound_to.call(work, **work.arguments)
    except DBAPIError as lost:
        if getattr(lost.orig, "sqlstate", None) not in GAVE_WAY:
            raise
        log.warning("work_gave_way", name=work.name, attempt=work.attempt)
        bound_to.call(work, **work.arguments)


@contextmanager
def _renewed(work: outbox.Work, time_limit_seconds: int) -> Iterator[None]:
    """Keep the lease of work in hand while it runs, and no longer than it may run."""
    ended = threading.Event()

    def renew() -> None:
        for _ in range(int(time_limit_seconds / RENEW_SECONDS)):
            if ended.wait(RENEW_SECONDS) or not _renew_once(work):
                return

    thread = threading.Thread(target=renew, name="renew", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _renew_once(work: outbox.Work) -> bool:
    try:
        with transaction() as session:
            return outbox.renew(session, work)
    except DBAPIError as away:
        log.warning("lease_not_renewed", name=work.name, cause=type(away).__name__)
        return True  # The database may be back in time for the next try.


def _put_back(work: outbox.Work, error: str) -> None:
    with transaction() as session:
        outbox.again(session, work, error=error)
