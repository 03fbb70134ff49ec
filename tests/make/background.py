"""Background work, done here and now instead of by a worker."""

from __future__ import annotations

from typing import Any

from marketplace import outbox
from marketplace.db import transaction
from marketplace.worker import names, relay
from marketplace.worker.perform import perform

ROUNDS_MAX = 50


def run_all() -> int:
    """Do what is due, and what that causes, until nothing is due; how many rows were done."""
    names.bind_all()
    done = 0
    for _ in range(ROUNDS_MAX):
        with transaction() as session:
            leased = outbox.lease_due(session)
        if not leased:
            return done
        for work in leased:
            perform(str(work.id))
        done += len(leased)
    raise AssertionError("The outbox never runs empty.")


def run_some(most: int) -> int:
    """Do what is due, at most so many rows, and nothing that they cause; how many were done."""
    names.bind_all()
    with transaction() as session:
        leased = outbox.lease_due(session, limit=most)
    for work in leased:
        perform(str(work.id))
    return len(leased)


def run(name: str, **arguments: Any) -> None:
    """Do one background function now."""
    names.bind_all()
    with transaction() as session:
        row_id = outbox.enqueue(session, name, **arguments)
    perform(str(row_id))


def number_facts() -> None:
    """Number and chain everything that was announced, recorded and posted."""
    while relay.number_facts():
        continue
