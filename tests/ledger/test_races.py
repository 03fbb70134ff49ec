"""Real threads and real commits: what happens when two want the same thing at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from marketplace import db
from marketplace.actor import SYSTEM
from marketplace.ids import PayoutLineId
from marketplace.ledger import queries, service
from tests.make import ledger as make
from tests.make.ledger import usd

A_DAY = date(2026, 5, 3)


def at_once(count: int, call: Callable[[int], object]) -> list[object]:
    """What `call` returned or raised in each of `count` threads that start together."""
    gate = threading.Barrier(count)

    def one(number: int) -> object:
        gate.wait()
        try:
            return call(number)
        except (service.InsufficientFunds, service.SourceReused) as refused:
            return type(refused)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_scenario_29_two_jobs_race_for_the_last_ten_dollars(committed: Engine) -> None:
    with db.transaction() as session:
        lab = make.topped_up(session, usd(10_00))

    def reserve(number: int) -> str:
        with db.transaction() as session:
            make.funded_job(session, usd(10_00), lab_id=lab)
        return "reserved"

    outcomes = Counter(at_once(2, reserve))

    assert {"reserved": 1, service.InsufficientFunds: 1} == dict(outcomes)
    with db.transaction() as session:
        found = queries.lab_balance(session, lab, "USD")
        assert (usd(0), usd(10_00)) == (found.available, found.reserved_total)
        assert [] == queries.broken_invariants(session)


def test_twenty_identical_posts_are_one(committed: Engine) -> None:
    lab = make.a_lab()

    def top_up(number: int) -> object:
        with db.transaction() as session:
            make.topped_up(
                session, usd(10_00), fee=usd(59), lab_id=lab, balance_transaction_id="txn_1"
            )
            return "posted"

    assert ["posted"] * 20 == at_once(20, top_up)

    with db.transaction() as session:
        assert usd(10_00) == queries.lab_balance(session, lab, "USD").available
        assert usd(9_41) == queries.balance(session, "A:stripe:balance:USD")
        assert 3 == len(queries.trial_balance(session, SYSTEM))


def test_many_payers_cross_without_a_deadlock(committed: Engine) -> None:
    with db.transaction() as session:
        specialists = [make.a_specialist() for _ in range(3)]
        jobs = [make.funded_job(session, usd(100_00)) for _ in range(3)]

    def accept(number: int) -> None:
        for turn in range(6):
            who, job = specialists[(number + turn) % 3], jobs[(number * turn) % 3]
            with db.transaction() as session:
                make.accepted(session, job, who, usd(1_00), usd(10))

    at_once(6, accept)

    with db.transaction() as session:
        assert usd(3_60) == queries.balance(session, "I:platform_fee:USD")
        assert [] == queries.broken_invariants(session)


def test_cancelling_and_sending_one_line_race(committed: Engine) -> None:
    with db.transaction() as session:
        specialist = make.a_specialist()
        line = make.payout_line(session, specialist, usd(5_00))
        make.payout_line(session, specialist, usd(5_00))

    def end(number: int) -> str:
        with db.transaction() as session:
            if number:
                make.sent(session, specialist, line, usd(5_00))
                return "sent"
            service.cancel_payout(
                session, specialist_id=specialist, line_id=PayoutLineId(line), amount=usd(5_00)
            )
            return "cancelled"

    outcomes = at_once(2, end)

    assert 1 == outcomes.count(service.SourceReused)
    with db.transaction() as session:
        found = queries.specialist_balances(session, specialist)["USD"]
        assert usd(5_00) == found.sent + found.available
        assert [] == queries.broken_invariants(session)


def someone_waits(session: Session) -> bool:
    """Whether another transaction queues for a lock, within some seconds."""
    for _ in range(500):
        if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            return True
        time.sleep(0.01)
    return False


def test_a_close_waits_for_a_posting_that_is_under_way(committed: Engine) -> None:
    posted = threading.Event()

    def post() -> bool:
        with db.transaction() as session:
            make.topped_up(session, usd(1_00), effective_on=date(2026, 5, 3))
            posted.set()
            return someone_waits(session)

    def close() -> bool:
        posted.wait(10)
        with db.transaction() as session:
            service.close_period(session, SYSTEM, date(2026, 5, 3))
        return True

    assert [True, True] == at_once(2, lambda number: close() if number else post())

    with db.transaction() as session:
        assert [] == queries.broken_invariants(session)
        state = session.scalar(text("SELECT state FROM ledger_period WHERE month = '2026-05-01'"))
        assert "closed" == state


def test_cash_that_is_applied_as_it_comes_and_cash_of_before_do_not_block_each_other(
    committed: Engine,
) -> None:
    with db.transaction() as session:
        lab = make.topped_up(session, usd(1_00))
        service.receive_cash(session, amount=usd(5_00), source_id="before", effective_on=A_DAY)
    received = threading.Event()

    def apply(session: Session, source: str) -> None:
        service.apply_cash(session, lab_id=lab, amount=usd(5_00), source_id=source)

    def comes() -> bool:
        with db.transaction() as session:
            service.receive_cash(session, amount=usd(5_00), source_id="now", effective_on=A_DAY)
            received.set()
            waits = someone_waits(session)
            apply(session, "now")
            return waits

    def decided() -> bool:
        received.wait(10)
        with db.transaction() as session:
            apply(session, "before")
        return True

    assert [True, True] == at_once(2, lambda number: decided() if number else comes())

    with db.transaction() as session:
        assert usd(11_00) == queries.lab_balance(session, lab, "USD").available
        assert usd(0) == queries.balance(session, "L:unapplied:USD")


def test_two_labs_top_up_without_waiting_for_each_other(committed: Engine) -> None:
    with db.transaction() as session:
        make.topped_up(session, usd(1_00), fee=usd(1))

    # The two overlap, which transaction() would refuse.
    with Session(committed) as one, Session(committed) as other:
        make.topped_up(one, usd(1_00), fee=usd(1))
        other.execute(text("SET LOCAL lock_timeout = '200ms'"))
        make.topped_up(other, usd(1_00), fee=usd(1))
        other.commit()
        one.commit()

    with db.transaction() as session:
        assert usd(2_97) == queries.balance(session, "A:stripe:balance:USD")


def test_two_sequencers_number_each_transaction_once(committed: Engine) -> None:
    with db.transaction() as session:
        for _ in range(9):
            make.topped_up(session, usd(1_00), fee=usd(1))

    def number_them(number: int) -> int:
        with db.transaction() as session:
            return service.number_transactions(session, limit=4)

    while any(at_once(3, number_them)):
        pass

    with db.transaction() as session:
        assert ([], []) == (queries.broken_invariants(session), queries.broken_links(session))
        assert usd(8_91) == queries.balance(session, "A:stripe:balance:USD")
        lines = queries.entries_of(session, SYSTEM, "A:stripe:balance:USD", limit=1_000)
        assert set(range(1, 10)) == {line.number for line in lines}


def test_a_rolled_back_posting_leaves_no_trace(committed: Engine) -> None:
    def post_and_fail() -> None:
        with db.transaction() as session:
            make.topped_up(session, usd(1_00), fee=usd(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post_and_fail()

    with db.transaction() as session:
        assert [] == queries.trial_balance(session, SYSTEM)
