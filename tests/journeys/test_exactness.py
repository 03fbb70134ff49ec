"""Many people at once over real connections: no task is ever given to one person too many."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from marketplace.client import Client, Refusal, Unreachable
from marketplace.db import transaction
from marketplace.review import service as review
from marketplace.work import service as work
from tests.journeys import exact_world
from tests.journeys.crowd import Rules, Specialist, work_together
from tests.journeys.whole_stack import Running, eventually, whole_stack
from tests.make import jobs

SEED = 20_261_123
KILLED = ("web",) * 4 + ("worker",) * 4  # A part that dies five times a minute is given up.
MISBEHAVE_SECONDS = 60
WORLD = "tests.journeys.exact_world"


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application on a port of its own, one thread a connection."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join(10)
        server.server_close()


def still_busy(crowd: list[Specialist]) -> bool:
    return any(each.is_alive() for each in crowd)


def acknowledged_by(crowd: list[Specialist]) -> list[str]:
    return [found for each in crowd for found in each.acknowledged]


def surprises_of(crowd: list[Specialist]) -> list[str]:
    return [said for each in crowd for said in each.surprises]


def test_eight_people_at_once_give_each_task_what_it_asked_for(
    committed: Engine, app: Flask
) -> None:
    with transaction() as session:
        world = exact_world.made(session, people=8, items=24, overlap=2, lease=1)
    now = time.monotonic()
    rules = Rules(world.job_id, 0.5, now + 2, now + 30)
    with served(app) as address:
        crowd = work_together(address, world.doctors, rules, SEED)
        while still_busy(crowd):
            with transaction() as session:
                work.expire_leases(session)
                left = exact_world.left_open(session)
            with transaction() as session:
                review.accept_next_arrived(session, clearance_days=7)
            if left == 0 and time.monotonic() > rules.misbehave_until:
                rules.stop_at = now
            time.sleep(0.05)

    assert [] == surprises_of(crowd)
    with transaction() as session:
        assert [] == exact_world.faults(session, set(acknowledged_by(crowd)))
        assert 0 < exact_world.summary(session)["released"]


@pytest.mark.slow
def test_sixty_four_people_at_once_while_processes_are_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with whole_stack(tmp_path) as running:
        world = exact_world.World(**running.program(WORLD, "make", "64", "300", "3", "3"))
        now = time.monotonic()
        rules = Rules(world.job_id, 3, now + MISBEHAVE_SECONDS, now + MISBEHAVE_SECONDS + 300)
        with Client(running.address, world.lab) as lab:
            crowd = work_together(running.address, world.doctors, rules, SEED)
            torment(running, rules, lab, world.job_id)
            eventually(lambda: all_in(lab, world))
            rules.stop_at = now
            for each in crowd:
                each.join(60)
        checked = running.command("self-check")
        told = running.program(WORLD, "check", sent=acknowledged_by(crowd))

    with capsys.disabled():
        print(told["summary"], len(acknowledged_by(crowd)), "acknowledged")  # noqa: T201
    assert not still_busy(crowd)
    assert [] == told["faults"]
    assert 0 == checked.returncode, checked.stdout + checked.stderr


def all_in(lab: Client, world: exact_world.World) -> bool:
    """Whether each item has its task, and no seat is free or in somebody's hands any more.

    Items that came last may wait for a worker that was killed to open their seats.
    """
    progress = lab.jobs.progress(world.job_id)
    left: int = progress["seats_open"] + progress["seats_claimed"]
    return left == 0 and progress["tasks"] == lab.jobs.get(world.job_id)["items"]


def torment(running: Running, rules: Rules, lab: Client, job_id: str) -> None:
    """Kill web and worker processes at random moments, and keep people in work meanwhile."""
    chance = Random(SEED)
    kills = chance.sample(KILLED, len(KILLED))
    first = 1_000
    pause = MISBEHAVE_SECONDS / (len(kills) + 1)
    while kills and time.monotonic() < rules.misbehave_until:
        time.sleep(pause * chance.uniform(0.7, 1.2))
        with suppress(FileNotFoundError, ProcessLookupError):  # It is on its way up again.
            running.kill(kills[-1])
            kills.pop()
        more = io.BytesIO(b"\n".join(jobs.lines(100, first=first)))
        first += 100
        with suppress(Unreachable, Refusal):  # Nobody answers just now.
            lab.items.add(job_id, more)
    time.sleep(max(0.0, rules.misbehave_until - time.monotonic()))
