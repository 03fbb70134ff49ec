"""Rows of background work: enqueued, leased, done, put back, purged."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.outbox import OutboxRow, Work
from tests.kernel.conftest import Bind

NAME = "test.work"


def lease(limit: int = 100) -> list[Work]:
    with transaction() as session:
        return outbox.lease_due(session, limit=limit)


def put(session: Session, name: str = NAME, **facts: Any) -> UUID:
    row_id = outbox.enqueue(session, name, **facts)
    session.flush()  # Other sessions see what this one has written.
    return row_id


def nothing(work: Work) -> None:
    """A background function that is never called."""
    raise AssertionError(work)


def row_of(session: Session, row_id: UUID) -> OutboxRow:
    row = session.get(OutboxRow, row_id, populate_existing=True)
    assert row is not None
    return row


def test_work_is_leased_once_and_done_for_good(session: Session) -> None:
    row_id = put(session, NAME, count=3)

    (work,) = lease()
    assert (row_id, NAME, {"count": 3}, 1) == (work.id, work.name, work.arguments, work.attempt)
    assert [] == lease()
    with transaction() as inner:
        outbox.done(inner, work)
    assert outbox.open_work(session, row_id) is None
    with clock.shifted(timedelta(days=1)):
        assert [] == lease()


def test_work_waits_for_its_time_and_goes_in_order(session: Session) -> None:
    now = clock.now()
    later = put(session, NAME, not_before=now + timedelta(minutes=5))
    second = put(session, NAME, not_before=now)
    first = put(session, NAME, not_before=now - timedelta(minutes=5))

    assert [first, second] == [work.id for work in lease()]
    with clock.shifted(timedelta(minutes=6)):
        assert later in [work.id for work in lease()]


def test_a_lease_ends_with_the_functions_own_time(session: Session, bind: Bind) -> None:
    bind(NAME, nothing, seconds=600)
    put(session, NAME)
    lease()

    with clock.shifted(timedelta(seconds=600)):
        assert [] == lease()
    with clock.shifted(timedelta(seconds=631)):
        assert [2] == [work.attempt for work in lease()]


def test_the_lease_counts_anew_when_the_work_begins(session: Session, bind: Bind) -> None:
    bind(NAME, nothing, seconds=60)
    row_id = put(session, NAME)
    lease()

    with clock.shifted(timedelta(seconds=80)), transaction() as inner:
        assert outbox.open_work(inner, row_id) is not None
    with clock.shifted(timedelta(seconds=135)):
        assert [] == lease()


def test_what_a_killed_worker_had_in_hand_is_soon_handed_out_again(
    session: Session, bind: Bind
) -> None:
    bind(NAME, nothing, seconds=3_600)
    row_id = put(session, NAME)
    lease()

    work = outbox.open_work(session, row_id)
    assert work is not None
    with clock.shifted(timedelta(seconds=50)):
        assert outbox.renew(session, work)
    with clock.shifted(timedelta(seconds=105)):
        assert [] == lease()
    with clock.shifted(timedelta(seconds=115)):
        (again,) = lease()
        assert not outbox.renew(session, work)
    outbox.done(session, again)
    assert not outbox.renew(session, again)


def test_what_failed_waits_twice_as_long_each_time(session: Session) -> None:
    row_id = put(session, NAME)
    (work,) = lease()
    waits = []
    for attempt in (1, 2, 5, 11, 12, 400):
        now = clock.now()
        outbox.again(session, Work(work.id, NAME, {}, attempt), error="Broken")
        waits.append(round((row_of(session, row_id).not_before - now).total_seconds()))

    assert [2, 4, 32, 2048, 3600, 3600] == waits
    assert ("Broken", None) == (
        row_of(session, row_id).last_error,
        row_of(session, row_id).leased_until,
    )
    outbox.again(session, work, error="Broken", after=timedelta(seconds=7))
    with clock.shifted(timedelta(seconds=8)):
        assert [2] == [found.attempt for found in lease()]


def test_recurring_work_is_tried_again_by_its_next_slot(session: Session, bind: Bind) -> None:
    bind(NAME, nothing, every=60)
    row_id = put(session, NAME)
    now = clock.now()
    outbox.again(session, Work(row_id, NAME, {}, 11), error="Broken")

    assert 60 == round((row_of(session, row_id).not_before - now).total_seconds())


def test_what_is_done_cannot_be_put_back(session: Session) -> None:
    row_id = put(session, NAME)
    (work,) = lease()
    outbox.done(session, work)
    outbox.again(session, work, error="Too late")

    assert row_of(session, row_id).done_at is not None
    assert row_of(session, row_id).last_error is None


def test_one_key_is_one_row_however_many_ask(kept: Engine) -> None:
    gate = threading.Barrier(8)
    firsts: list[bool] = []

    def ask() -> None:
        gate.wait()
        with transaction() as session:
            firsts.append(outbox.enqueue_once(session, "stripe:evt_1", NAME, event="evt_1"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [False] * 7 + [True] == sorted(firsts)
    with transaction() as session:
        assert 1 == session.scalar(select(func.count()).select_from(OutboxRow))


def test_a_key_stays_taken_when_its_work_is_done(session: Session) -> None:
    assert outbox.enqueue_once(session, "key", NAME)
    (work,) = lease()
    outbox.done(session, work)

    assert not outbox.enqueue_once(session, "key", NAME)
    assert outbox.enqueue_once(session, "other", NAME)


def test_two_relays_never_lease_the_same_row_and_never_wait(kept: Engine) -> None:
    with transaction() as session:
        for _ in range(6):
            outbox.enqueue(session, NAME)
    held, let_go = threading.Event(), threading.Event()
    first: list[Work] = []

    def one_relay() -> None:
        with transaction() as session:
            first.extend(outbox.lease_due(session, limit=4))
            session.flush()
            held.set()
            assert let_go.wait(10)

    thread = threading.Thread(target=one_relay)
    thread.start()
    assert held.wait(10)
    second = lease()  # While the other relay's transaction is open.
    let_go.set()
    thread.join()

    assert (4, 2) == (len(first), len(second))
    assert 6 == len({work.id for work in first + second})
    assert [] == lease()


def test_all_leases_can_be_let_go_at_once(session: Session) -> None:
    for _ in range(3):
        put(session, NAME)
    (ended, *_) = lease()
    outbox.done(session, ended)

    assert 2 == outbox.release_leases(session)
    session.expire_all()
    assert [2, 2] == [work.attempt for work in lease()]


@pytest.mark.parametrize(("key", "kept_days"), [(None, 7), ("once", 67)])
def test_what_was_done_is_deleted_in_its_time(
    session: Session, key: str | None, kept_days: int
) -> None:
    if key is None:
        put(session, NAME)
    else:
        outbox.enqueue_once(session, key, NAME)
    put(session, "test.open")
    (work,) = [found for found in lease() if found.name == NAME]
    outbox.done(session, work)

    def purged(days: float) -> int:
        with clock.shifted(timedelta(days=days)):
            return outbox.purge(session, before=clock.now() - timedelta(days=7))

    assert 0 == purged(kept_days - 0.1)
    assert 1 == purged(kept_days + 0.1)
    assert 0 == purged(10_000)  # What is open stays.


def test_the_backlog_is_what_is_due(session: Session) -> None:
    now = clock.now()
    put(session, NAME, not_before=now + timedelta(hours=1))
    assert (0, 0.0) == (outbox.backlog(session).due, outbox.backlog(session).oldest_seconds)

    put(session, NAME, not_before=now - timedelta(seconds=90))
    put(session, NAME)
    backlog = outbox.backlog(session)

    assert 2 == backlog.due
    assert 90 <= backlog.oldest_seconds < 120


def test_a_name_is_bound_by_one_module(bind: Bind) -> None:
    bind(NAME, nothing)
    elsewhere = type("Elsewhere", (), {"__module__": "elsewhere"})

    with pytest.raises(RuntimeError, match="bound twice"):
        bind(NAME, elsewhere)
