"""Events: announced, numbered and chained, read from a feed, delivered to a webhook.

Run `python -m bench.delivery_events [--events N] [--delivered N] [--live N]`. The sequencer stands
beside one that writes row by row with the ORM, as ours did before, and beside PostgreSQL setting
the same columns of the same rows in one statement without any chain. The webhook is a server on
loopback in this process. Latency is from the commit of an announcement to its arrival, with the
relay's and the courier's own pauses.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import threading
import time
from collections.abc import Callable
from statistics import quantiles
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bench.load.world import world
from marketplace import db, outbox
from marketplace.actor import Actor
from marketplace.delivery.queries.events import events_after
from marketplace.embedded import temporary
from marketplace.ids import new_id
from marketplace.outbox import ChainHead, Event, linked
from marketplace.secrets import chain_hash
from marketplace.worker.courier import Courier
from marketplace.worker.relay import PAUSE_SECONDS, number_facts
from tests.make import identity
from tests.make import webhooks as make

ROUND = 500
JOBS = 50
LINKS = (
    ("event", None, "number", None),
    ("organisation:{}", "organisation_id", "organisation_number", "organisation_hash"),
    ("job:{}", "job_id", "job_number", "job_hash"),
)


def announce(lab: Actor, count: int, *, at_once: int = 50, first: int = 0) -> None:
    """So many facts over fifty jobs, so many in each transaction."""
    jobs = [UUID(int=at + 1) for at in range(JOBS)]
    for start in range(first, first + count, at_once):
        with db.transaction() as session:
            for at in range(start, min(start + at_once, first + count)):
                facts = {"task_id": new_id(), "round": 1, "at": at}
                outbox.announce(
                    session, "task.accepted", new_id(), facts,
                    organisation_id=lab.organisation_id, job_id=jobs[at % JOBS],
                )  # fmt: skip


def row_by_row(session: Session, limit: int) -> int:
    """The sequencer as it was: each fact a row of the ORM, each head an object."""
    pending = select(Event).where(Event.number.is_(None)).order_by(Event.id).limit(limit)
    events = session.scalars(pending).all()
    heads: dict[str, ChainHead] = {}
    for event in events:
        for scope, key, number, link in LINKS:
            of = getattr(event, key) if key else ""
            name = scope.format(of)
            head = heads.get(name) or session.get(ChainHead, name)
            if head is None:
                head = ChainHead(scope=name, number=0, hash=b"")
                session.add(head)
            heads[name] = head
            head.number += 1
            head.hash = chain_hash(head.hash, {"number": head.number, **linked(event)})
            setattr(event, number, head.number)
            if link:
                setattr(event, link, head.hash)
    return len(events)


def bare(session: Session, limit: int) -> int:
    """PostgreSQL's own work: the columns set in one statement, with nothing in them to prove."""
    statement = text(
        """WITH todo AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM event
          WHERE number IS NULL ORDER BY id LIMIT :limit),
        base AS (SELECT coalesce(max(number), 0) AS top FROM event)
        UPDATE event SET number = base.top + todo.n, organisation_number = base.top + todo.n,
          organisation_hash = decode(md5('x') || md5('x'), 'hex'),
          job_number = base.top + todo.n, job_hash = decode(md5('x') || md5('x'), 'hex')
        FROM todo, base WHERE event.id = todo.id RETURNING event.id"""
    )
    return len(session.execute(statement, {"limit": limit}).all())


def drained(number: Callable[[Session, int], int]) -> tuple[int, float]:
    """(how many, seconds) until nothing waits for its number."""
    begun, done, more = time.perf_counter(), 0, 1
    while more:
        with db.transaction() as session:
            more = number(session, ROUND)
        done += more
    return done, time.perf_counter() - begun


def shown(what: str, count: int, seconds: float, beside: float | None = None) -> float:
    """A line of the table; the rate."""
    rate = count / seconds
    ratio = f"{rate / beside:10.2f}" if beside else " " * 10
    print(f"{what:<46}{count:>10,}{rate:>12,.0f}{ratio}")
    return rate


class _Undone(Exception):
    """What was measured is taken back."""


def bare_and_back() -> tuple[int, float]:
    """What `bare` takes, which leaves no trace."""
    begun = time.perf_counter()
    done, more = 0, 1
    with contextlib.suppress(_Undone), db.transaction() as session:
        while more:
            more = bare(session, ROUND)
            done += more
        raise _Undone
    return done, time.perf_counter() - begun


def sequencers(lab: Actor, count: int) -> None:
    """Three ways to number; the chains that came of it are checked in the end."""
    few = max(ROUND, count // 5)
    announce(lab, few)
    limit = bare_and_back()
    former = drained(row_by_row)
    announce(lab, count, first=few)
    now = drained(lambda session, most: outbox.number_events(session, limit=most))
    with db.transaction() as session:
        assert outbox.broken_chains(session) == []
    peak = shown("numbered by PostgreSQL, no chain", *limit)
    shown("numbered and chained row by row (before)", *former, peak)
    shown("numbered and chained in batches (now)", *now, peak)


def read(lab: Actor) -> None:
    """The whole feed, in pages of 200."""
    begun, after, found = time.perf_counter(), 0, 0
    while True:
        with db.transaction() as session:
            feed = events_after(session, lab, after=after, limit=200)
        found += len(feed.items)
        after = feed.reached
        if feed.next is None:
            break
    shown("read from the feed", found, time.perf_counter() - begun)


def delivered(lab: Actor, count: int) -> None:
    """A backlog that one endpoint takes, signed, and recorded."""
    with make.receiver() as server:
        with db.transaction() as session:
            make.webhook(session, lab, server.address)
        announce(lab, count, first=10**6)
        drained(lambda session, limit: outbox.number_events(session, limit=limit))
        courier = Courier()
        begun = time.perf_counter()
        courier.start()
        while len(server.got) < count and time.perf_counter() - begun < 300:
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        courier.stop()
    assert len(set(server.ids())) == count, (len(server.got), count)
    shown("delivered to one webhook", count, seconds)


def live(lab: Actor, count: int) -> None:
    """Latency of single events, fifty a second, through the relay's loop and the courier's."""
    stop = threading.Event()
    arrived: dict[int, float] = {}
    sent: dict[int, float] = {}

    def relay() -> None:
        while not stop.is_set():
            stop.wait(0.0 if number_facts() else PAUSE_SECONDS)

    with make.receiver() as server:
        with db.transaction() as session:
            make.webhook(session, lab, server.address)

        def says(got: make.Got) -> make.Answer:
            facts = json.loads(got.body)["data"]
            arrived.setdefault(facts["round"], time.perf_counter())
            return make.Answer()

        server.says = says
        courier = Courier()
        courier.start()
        sequencer = threading.Thread(target=relay)
        sequencer.start()
        for at in range(count):
            with db.transaction() as session:
                outbox.announce(
                    session, "task.accepted", new_id(), {"round": 10**7 + at},
                    organisation_id=lab.organisation_id,
                )  # fmt: skip
            sent[10**7 + at] = time.perf_counter()
            time.sleep(0.02)
        until = time.perf_counter() + 30
        while len(arrived) < count and time.perf_counter() < until:
            time.sleep(0.05)
        stop.set()
        courier.stop()
        sequencer.join()
    taken = sorted((arrived[at] - sent[at]) * 1_000 for at in sent if at in arrived)
    cut = quantiles(taken, n=100)
    print(f"\nfrom commit to arrival, {len(taken):,} events at up to 50 a second: "
          f"p50 {cut[49]:.0f} ms, p95 {cut[94]:.0f} ms, p99 {cut[98]:.0f} ms")  # fmt: skip


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=20_000)
    asked.add_argument("--delivered", type=int, default=3_000)
    asked.add_argument("--live", type=int, default=300)
    given = asked.parse_args()
    with temporary() as stack, world(stack, {}, ""):
        with db.transaction() as session:
            lab = identity.lab_owner(session)
            server = session.scalar(select(func.current_setting("server_version")))
        print(f"Python {platform.python_version()}, PostgreSQL {server}")
        print(f"{'work':<46}{'events':>10}{'a second':>12}{'ratio':>10}")
        begun = time.perf_counter()
        announce(lab, 1_000, at_once=1, first=10**8)
        shown("announced, each in a transaction", 1_000, time.perf_counter() - begun)
        sequencers(lab, given.events)
        read(lab)
        delivered(lab, given.delivered)
        live(lab, given.live)


if __name__ == "__main__":
    main()
