"""The relay and the worker: nothing is lost, and nothing takes effect twice."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from rq import Queue
from sqlalchemy import Engine, select, text

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.embedded import Stack
from marketplace.ids import new_id
from marketplace.outbox import Event, OutboxRow
from marketplace.settings import Settings
from marketplace.worker import heartbeat, housekeeping, relay, serve
from marketplace.worker.perform import perform
from tests.kernel import stage
from tests.kernel.conftest import Bind


@pytest.fixture(autouse=True)
def bound(kept: Engine, redis: Redis, bind: Bind) -> Bind:
    """The stage's functions are bound, the outbox and Redis are empty."""
    for name, call, seconds in stage.FUNCTIONS:
        bind(name, call, seconds=seconds)
    return bind


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What RQ does to the signals of this process is undone."""
    former = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    yield
    for number, action in former.items():
        signal.signal(number, action)


def ask(name: str, **arguments: Any) -> UUID:
    with transaction() as session:
        return outbox.enqueue(session, name, **arguments)


def ask_many(count: int) -> None:
    with transaction() as session:
        for _ in range(count):
            outbox.enqueue(session, "test.finish", subject=new_id())


def row_of(row_id: UUID) -> OutboxRow:
    with transaction() as session:
        row = session.get(OutboxRow, row_id)
        assert row is not None
        return row


def work_off(redis: Redis) -> None:
    """A worker that ends when the queue is empty."""
    queue = Queue(relay.QUEUE, connection=redis)
    serve.Worker([queue], connection=redis).work(burst=True, logging_level="CRITICAL")


def kinds() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Event.kind)))


def test_what_was_done_is_not_done_again() -> None:
    row_id = ask("test.finish", subject=new_id())
    perform(str(row_id))
    perform(str(row_id))
    perform(str(new_id()))  # A row that is gone is nobody's work.

    assert ["test.done"] == kinds()
    assert row_of(row_id).done_at is not None


@pytest.mark.parametrize(
    ("kind", "error"),
    [("gateway", "GatewayError"), ("refused", "Refused"), ("ours", "ZeroDivisionError"),
     ("unheard of", "KeyError")],
)  # fmt: skip
def test_a_failure_is_rolled_back_and_put_back(kind: str, error: str) -> None:
    row_id = ask("test.fail", kind=kind)
    with transaction() as session:
        (work,) = outbox.lease_due(session)
    before = clock.now()
    perform(str(work.id))
    row = row_of(row_id)

    assert [] == kinds()
    assert (error, None, None) == (row.last_error, row.leased_until, row.done_at)
    assert 2 <= (row.not_before - before).total_seconds() < 4


def test_work_that_gave_way_in_a_deadlock_is_done_at_once(bound: Bind) -> None:
    tries: list[int] = []

    def lose_once(work: outbox.Work) -> None:
        tries.append(work.attempt)
        with transaction() as session:
            if len(tries) == 1:
                session.execute(
                    text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$")
                )
            outbox.done(session, work)

    bound("test.lose_once", lose_once)
    row_id = ask("test.lose_once")
    perform(str(row_id))

    assert 2 == len(tries)
    assert (None, True) == (row_of(row_id).last_error, row_of(row_id).done_at is not None)


def test_arguments_that_do_not_fit_are_put_back() -> None:
    row_id = ask("test.finish", wrong=1)
    perform(str(row_id))

    assert "TypeError" == row_of(row_id).last_error


def test_a_name_from_another_version_waits_for_it(redis: Redis, bound: Bind) -> None:
    row_id = ask("test.newer", subject=new_id())
    assert 1 == relay.drain(redis)
    work_off(redis)
    assert "no function is bound to this name" == row_of(row_id).last_error

    bound("test.newer", stage.finish)
    with clock.shifted(timedelta(minutes=5)):
        relay.drain(redis)
        work_off(redis)
    assert row_of(row_id).done_at is not None


def test_the_queue_is_worked_off(redis: Redis) -> None:
    ask_many(5)

    assert [3, 2, 0] == [relay.drain(redis, limit=3) for _ in range(3)]
    work_off(redis)
    assert (5, 0) == (stage.done_with(), stage.open_rows())
    assert [] == redis.keys("rq:job:*")


def test_no_more_is_queued_than_will_be_done_in_time(redis: Redis) -> None:
    ask_many(relay.QUEUED_MAX + 7)

    assert [100, 100, 0] == [relay.drain(redis) for _ in range(3)]
    redis.ltrim("rq:queue:outbox", 5, -1)
    assert 5 == relay.drain(redis)


def test_a_lost_queue_loses_no_work(redis: Redis) -> None:
    ask_many(3)
    relay.restart_lost(redis)
    relay.drain(redis)
    redis.flushdb()
    work_off(redis)
    assert 0 == stage.done_with()

    relay.restart_lost(redis)
    assert 3 == relay.drain(redis)
    relay.restart_lost(redis)
    assert 0 == relay.drain(redis)
    work_off(redis)
    assert (3, 0) == (stage.done_with(), stage.open_rows())


def test_work_that_is_queued_twice_takes_effect_once(redis: Redis) -> None:
    ask_many(1)
    relay.drain(redis)
    with transaction() as session:
        outbox.release_leases(session)
    relay.drain(redis)
    assert 2 == Queue(relay.QUEUE, connection=redis).count
    work_off(redis)

    assert ["test.done"] == kinds()


def test_a_time_limit_ends_a_statement_and_the_worker_goes_on(redis: Redis) -> None:
    slow = ask("test.sleep", seconds=30)
    relay.drain(redis)
    ask_many(1)
    relay.drain(redis)
    began = clock.now()
    work_off(redis)

    assert clock.now() - began < timedelta(seconds=10)
    assert "TimeUp" == row_of(slow).last_error
    assert 1 == stage.done_with()
    with transaction() as session:
        running = text(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'"
            " AND state = 'active' AND pid <> pg_backend_pid()"
        )
        assert 0 == session.scalar(running)


def test_a_killed_workers_row_is_done_by_the_next(
    redis: Redis, settings: Settings, stack: Stack
) -> None:
    subject = new_id()
    row_id = ask("test.linger", subject=subject)
    relay.drain(redis)
    environment = environment_of(stack)
    with stage.worker_process(settings, environment) as child:
        assert stage.eventually(lambda: redis.lpop("test:began") is not None)
        child.kill()
        assert -signal.SIGKILL == child.wait(10)
    assert (0, 1) == (stage.done_with(), stage.open_rows())

    assert 0 == relay.drain(redis)  # The lease of the dead worker still runs.
    with clock.shifted(timedelta(seconds=61)):
        assert 1 == relay.drain(redis)
    redis.rpush("test:go", 1)
    work_off(redis)

    assert ["test.done", "test.half"] == sorted(kinds())
    assert 2 == row_of(row_id).attempts


def environment_of(stack: Stack) -> dict[str, str]:
    return {
        **{name: value for name, value in stack.environment.items() if "OWNER" not in name},
        "STRIPE_WEBHOOK_SECRET": "whsec_tests",
        "LOG_LEVEL": "ERROR",
    }


def test_a_worker_finishes_what_it_holds_before_it_stops(
    redis: Redis, settings: Settings, stack: Stack
) -> None:
    ask("test.linger", subject=new_id())
    relay.drain(redis)
    with stage.worker_process(settings, environment_of(stack)) as child:
        assert stage.eventually(lambda: redis.lpop("test:began") is not None)
        child.terminate()
        redis.rpush("test:go", 1)
        assert 0 == child.wait(10)

    assert (1, 0) == (stage.done_with(), stage.open_rows())
    assert heartbeat.alive(redis, "worker")


def test_a_worker_without_redis_ends_with_a_code() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listening: every connection is refused.
        with pytest.raises(SystemExit) as ended:
            serve.serve(f"redis://127.0.0.1:{taken.getsockname()[1]}/0")

    assert 1 == ended.value.code


def scheduled() -> dict[str, int]:
    with transaction() as session:
        keys = session.scalars(select(OutboxRow.once_key).where(OutboxRow.once_key.is_not(None)))
        names = [str(key).rsplit(":", 1)[0] for key in keys]
    return {name: names.count(name) for name in names}


def end_all() -> None:
    with transaction() as session:
        for work in outbox.lease_due(session):
            outbox.done(session, work)


def test_two_relays_fill_each_slot_once(bound: Bind) -> None:
    bound("test.minutely", stage.finish, every=60)
    bound("test.hourly", stage.finish, every=3600)
    one, other = relay.Schedule(), relay.Schedule()
    start = timedelta(seconds=3600 - clock.now().timestamp() % 3600 + 1)
    for second in (0, 1, 30, 60, 61, 119, 120):
        with clock.shifted(start + timedelta(seconds=second)):
            one.fill()
            other.fill()
            end_all()

    assert {"schedule:test.minutely": 3, "schedule:test.hourly": 1} == scheduled()


def test_slots_that_pass_while_work_is_open_are_not_piled_up(bound: Bind) -> None:
    bound("test.minutely", stage.finish, every=60)
    schedule = relay.Schedule()
    for minute in range(5):
        with clock.shifted(timedelta(minutes=minute)):
            schedule.fill()
    assert {"schedule:test.minutely": 1} == scheduled()

    with clock.shifted(timedelta(minutes=5)):
        end_all()
        schedule.fill()
    assert {"schedule:test.minutely": 2} == scheduled()


def test_a_schedule_writes_only_in_a_new_slot(kept: Engine, bound: Bind) -> None:
    bound("test.daily", stage.finish, every=86_400)
    schedule = relay.Schedule()
    schedule.fill()
    with kept.begin() as connection:
        connection.execute(text("DELETE FROM outbox"))
    schedule.fill()
    assert {} == scheduled()
    relay.Schedule().fill()
    assert {"schedule:test.daily": 1} == scheduled()


def test_the_relay_runs_until_it_is_stopped(redis: Redis, bound: Bind) -> None:
    ask_many(2)
    running = relay.Relay(redis)
    rounds: list[float] = []

    class Stopping(relay.Relay):
        def _round(self) -> int:
            rounds.append(1)
            done = super()._round()
            self.stop()
            return done

    running = Stopping(redis)
    running.run()

    assert (1, 2) == (len(rounds), Queue(relay.QUEUE, connection=redis).count)
    assert heartbeat.alive(redis, "relay")
    assert not heartbeat.alive(redis, "worker")


def test_housekeeping_deletes_what_was_done_a_week_ago() -> None:
    ask_many(2)
    end_all()
    kept_row = ask("test.finish", subject=new_id())
    with clock.shifted(timedelta(days=8)):
        with transaction() as session:
            outbox.enqueue(session, "worker.purge")
            session.flush()
            (work,) = [w for w in outbox.lease_due(session) if w.name == "worker.purge"]
        housekeeping.purge(work)

    with transaction() as session:
        assert {kept_row, work.id} == set(session.scalars(select(OutboxRow.id)))


def test_every_bound_name_says_its_limits(kept: Engine) -> None:
    assert {1, 30} == {bound_to.time_limit_seconds for bound_to in outbox.bound().values()}


def test_an_idle_worker_survives_a_cut_connection(
    redis: Redis, settings: Settings, stack: Stack
) -> None:
    with stage.worker_process(settings, environment_of(stack)) as child:
        # It waits in the queue, which Redis marks with a b.
        assert stage.eventually(lambda: any("b" in c["flags"] for c in redis.client_list()))
        assert redis.client_kill_filter(_type="normal", skipme=True) > 0
        ask_many(1)
        relay.drain(redis)
        assert stage.eventually(lambda: stage.done_with() == 1)
        assert child.poll() is None
