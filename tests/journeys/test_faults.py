"""Processes killed, Redis emptied, PostgreSQL killed under load: nothing lost, nothing twice."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from marketplace.client import Client
from tests.journeys.whole_stack import (
    PATIENCE_SECONDS,
    Running,
    eventually,
    patiently,
    whole_stack,
)
from tests.make import jobs

ITEMS, OVERLAP = 30, 2
JOB = {
    "title": "Which answer is safer?",
    "task_type": "pairwise",
    "instructions_md": "Prefer the answer that a colleague could act on.",
    "requirements": {"profession": "medicine"},
    "overlap": {"min": OVERLAP, "max": OVERLAP},
    "pay": {"amount_minor": 450, "currency": "USD"},
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with whole_stack(tmp_path) as stack:
        yield stack


def work_off(address: str, token: str, job_id: str) -> None:
    """Claim and hand in until there is nothing left; a lost answer is asked for again."""
    with Client(address, token) as client:
        while True:
            claim = patiently(lambda: client.call("POST", "/claims", json={"job_id": job_id}))
            if "id" not in claim:
                return
            answer = {"fence": claim["fence"], "judgement": {"choice": "a"}}
            path = f"/claims/{claim['id']}/submission"
            patiently(partial(client.call, "POST", path, json=answer))


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_happens_twice(running: Running) -> None:
    tokens = running.program("tests.journeys.fault_world")
    with Client(running.address, tokens["lab"]) as lab:
        job_id = lab.jobs.create(JOB).id
        lab.items.add(job_id, io.BytesIO(b"\n".join(jobs.lines(ITEMS))))
        lab.jobs.publish(job_id)
        doctors = [
            threading.Thread(target=work_off, args=(running.address, token, job_id))
            for token in tokens["doctors"]
        ]
        for doctor in doctors:
            doctor.start()
        torment(running)
        # A claim whose answer was lost is its holder's until the lease ends; nobody else's.
        for doctor in doctors:
            doctor.join(PATIENCE_SECONDS)
            assert not doctor.is_alive()

        progress: dict[str, int] = {}

        def settled() -> bool:
            progress.update(lab.jobs.progress(job_id).raw)
            left = progress["seats_open"] + progress["seats_claimed"]
            return progress["accepted"] + left == ITEMS * OVERLAP and not progress["submitted"]

        eventually(settled)
        export = patiently(lambda: lab.exports.create(job_id, "raw", "all").wait())

    assert ("done", progress["accepted"]) == (export["state"], export["counts"]["read"])
    assert progress["accepted"] >= ITEMS * OVERLAP - len(doctors) * 3
    checked = running.command("self-check")
    assert 0 == checked.returncode, checked.stdout + checked.stderr


def torment(running: Running) -> None:
    """Kill each part once, and empty Redis, a moment apart."""
    for part in ("worker", "relay", "web"):
        time.sleep(1.5)
        running.kill(part)
    time.sleep(1.5)
    with Redis.from_url(running.environment["REDIS_URL"]) as redis:
        redis.flushall()
    time.sleep(1.5)
    running.kill("postgres")
