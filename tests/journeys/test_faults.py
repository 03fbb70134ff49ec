"""Processes killed, Redis emptied, PostgreSQL killed under load: nothing lost, nothing twice."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from marketplace.cli import environment
from marketplace.client import Client, Refusal
from marketplace.embedded.ports import free_ports
from tests.make import jobs

ITEMS, OVERLAP = 30, 2
PATIENCE_SECONDS = 240
JOB = {
    "title": "Which answer is safer?",
    "task_type": "pairwise",
    "instructions_md": "Prefer the answer that a colleague could act on.",
    "requirements": {"profession": "medicine"},
    "overlap": {"min": OVERLAP, "max": OVERLAP},
    "pay": {"amount_minor": 450, "currency": "USD"},
}


@dataclass
class Running:
    """A whole stack as its user runs it."""

    data_dir: Path
    address: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | environment.read(self.data_dir)

    def kill(self, part: str) -> None:
        """SIGKILL one part, by the number that the stack wrote down."""
        pid = json.loads((self.data_dir / "running" / part).read_text())[0]
        os.kill(pid, signal.SIGKILL)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on this stack."""
        return subprocess.run(
            [sys.executable, "-m", "marketplace.cli", "--data-dir", str(self.data_dir), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    port = free_ports(0)[0]
    data_dir = tmp_path / "stack"
    arguments = ["--data-dir", str(data_dir), "up", "--port", str(port)]
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.cli", *arguments], stdout=log, stderr=log
        )
    stack = Running(data_dir, f"http://127.0.0.1:{port}", process)
    try:
        eventually(lambda: httpx.get(f"{stack.address}/readyz?all=1").status_code == 200)
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert 0 == process.returncode, (tmp_path / "up.log").read_text()


def eventually(question: Callable[[], bool]) -> None:
    """Wait until the answer is yes; lost connections count as no."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if question():
                return
        except (httpx.TransportError, Refusal):
            pass
        time.sleep(0.3)
    raise AssertionError("It did not come about in time.")


def patiently(call: Callable[[], Any]) -> Any:
    """What a program does that must get through: try again while the other side is away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
        except Refusal as refusal:
            if refusal.status < 500 or time.monotonic() > until:
                raise
        time.sleep(0.2)


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
    made = subprocess.run(
        [sys.executable, "-m", "tests.journeys.fault_world"],
        env=running.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    tokens = json.loads(made.stdout.splitlines()[-1])
    with Client(running.address, tokens["lab"]) as lab:
        job_id = lab.post_job(JOB)["id"]
        lab.add_items(job_id, io.BytesIO(b"\n".join(jobs.lines(ITEMS))))
        lab.publish(job_id)
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
            progress.update(lab.progress(job_id))
            left = progress["seats_open"] + progress["seats_claimed"]
            return progress["accepted"] + left == ITEMS * OVERLAP and not progress["submitted"]

        eventually(settled)
        export = patiently(lambda: lab.export(job_id, "raw", "all"))

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
