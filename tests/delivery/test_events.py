"""The feed of events: whoever follows it sees all of it, once, in order, as it happens."""

from __future__ import annotations

import random
import threading
import time

from flask import Flask
from sqlalchemy import Engine, select

from marketplace import outbox
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.delivery.queries.events import events_after
from marketplace.delivery.service import completion
from marketplace.ids import new_id
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.review.rules import Verdict
from tests.house.test_endpoints import Caller
from tests.make import identity, specialists, work

WRITERS, EACH = 4, 25


def write(lab: Actor, seed: int) -> None:
    """Announce now and commit later, in an order that nobody foresees."""
    chance = random.Random(seed)
    for at in range(EACH):
        with transaction() as session:
            facts = {"reference": f"{seed}-{at}"}
            outbox.announce(
                session, "job.created", new_id(), facts, organisation_id=lab.organisation_id
            )
            session.flush()
            time.sleep(chance.random() * 0.004)


def sequence(stop: threading.Event) -> None:
    while not stop.is_set():
        with transaction() as session:
            outbox.number_events(session, limit=7)


def test_a_follower_misses_nothing_while_writers_commit_out_of_order(committed: Engine) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(lab, seed)) for seed in range(WRITERS)]
    sequencers = [threading.Thread(target=sequence, args=(stop,)) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    seen: list[tuple[int, str]] = []
    after, until = 0, time.monotonic() + 20
    while len(seen) < WRITERS * EACH and time.monotonic() < until:
        with transaction() as session:
            feed = events_after(session, lab, after=after, limit=5)
        seen += [(each.number, each.facts["reference"]) for each in feed.items]
        after = feed.reached
    stop.set()
    for thread in (*writers, *sequencers):
        thread.join()

    assert list(range(1, WRITERS * EACH + 1)) == [number for number, _ in seen]
    told = {f"{seed}-{at}" for seed in range(WRITERS) for at in range(EACH)}
    assert told == {reference for _, reference in seen}
    with transaction() as session:
        assert [] == outbox.broken_chains(session)


def test_whoever_waits_is_answered_as_soon_as_it_happens(committed: Engine, app: Flask) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
        caller = Caller(app, session, lab)

    def later() -> None:
        time.sleep(0.3)
        write_one(lab)

    teller = threading.Thread(target=later)
    teller.start()
    begun = time.monotonic()
    answer = caller.client.get("/api/v1/events?wait=10", headers=caller.bearer)
    teller.join()

    assert ["job.created"] == [each["kind"] for each in answer.get_json()["items"]]
    assert 0.3 <= time.monotonic() - begun < 8
    empty = caller.client.get("/api/v1/events?wait=1&after=1", headers=caller.bearer)
    assert ([], 1) == (empty.get_json()["items"], empty.get_json()["reached"])


def write_one(lab: Actor) -> None:
    with transaction() as session:
        outbox.announce(session, "job.created", new_id(), {}, organisation_id=lab.organisation_id)
    with transaction() as session:
        outbox.number_events(session)


def test_the_last_task_completes_the_job_once(committed: Engine) -> None:
    with transaction() as session:
        lab, job = work.published(session, items=2, review_sample_ratio=1.0)
        doctor = specialists.doctor(session)
    for last in (False, True):
        with transaction() as session:
            handed_in = work.submitted(session, doctor, job)
            work.decided(session, lab, handed_in, Verdict.ACCEPT)
        with transaction() as session:
            outbox.number_events(session)
        with transaction() as session:
            found = session.get_one(Job, job.id)
            done = session.scalar(
                select(Event.id).where(Event.job_id == found.id, Event.kind == "task.completed")
            )
            assert done is not None
            assert int(last) == completion.tell_completed(session)
    with transaction() as session:
        assert 0 == completion.tell_completed(session)
