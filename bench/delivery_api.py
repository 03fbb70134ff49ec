"""Requests a second and milliseconds of the ten commonest calls, beside a bare Flask view.

Run `python -m bench.delivery_api [--seconds N] [--clients N] [--workers N] [--upload-rows N]`. The
product and the bare view of `bench.server` (`/row`: one SELECT, one INSERT, a commit) are served by
granian with the same workers and threads, and are asked in turns. The last lines are the client's
upload of items with payloads of 2 KB: rows a second, and the peak memory of the program that sends.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib.metadata import version
from uuid import UUID

from bench.load.connections import Answers, ask
from bench.load.programs import end_as_interrupted, free_port, product, running
from bench.load.world import World, world
from bench.server import TABLES, URL
from marketplace import db
from marketplace.embedded import temporary
from tests.make import identity

ENVIRONMENT = {
    "PUBLIC_URL": "http://localhost:8000",
    "PUBLIC_DEVELOPMENT": "1",
    "STRIPE_WEBHOOK_SECRET": "whsec_bench_only_bench_only_bench_only",
    "LOG_LEVEL": "ERROR",
}
SEED = 7
TASKS, DONE_TASKS = 20_000, 1_000
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. body: JSON or NDJSON."""

    method: str
    path: str
    body: bytes = b""
    kind: str = JSON


Script = Callable[[bytes], Request]


class Caller:
    """One client with a connection of its own, whose next request may follow from an answer."""

    def __init__(self, port: int, token: str, script: Script) -> None:
        self.wire = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.script = script
        self.answer = b""

    def call(self, asked: Request) -> int:
        """The status; the body is kept for what follows."""
        headers = self.headers | ({"Content-Type": asked.kind} if asked.body else {})
        self.wire.request(asked.method, "/api/v1" + asked.path, asked.body or None, headers)
        found = self.wire.getresponse()
        self.answer = found.read()
        return found.status

    def work(self, seconds: float, answers: Answers) -> None:
        """Ask over and over for some seconds."""
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            asked = self.script(self.answer)
            began = time.perf_counter()
            status = self.call(asked)
            answers.milliseconds.append((time.perf_counter() - began) * 1000)
            answers.failed += status >= 300


def always(method: str, path: str, body: object = None) -> Script:
    """The same request each time."""
    asked = Request(method, path, json.dumps(body).encode() if body is not None else b"")
    return lambda _: asked


def ten_items(job_id: UUID) -> Script:
    """Ten new items each time."""
    payload = {"messages": [{"role": "user", "content": "Why?"}], "a": "One.", "b": "Two."}

    def asked(_: bytes) -> Request:
        rows = [
            json.dumps({"external_id": f"{random.getrandbits(96):x}", "payload": payload})
            for _ in range(10)
        ]
        body = "\n".join(rows).encode()
        return Request("POST", f"/jobs/{job_id}/items", body, "application/x-ndjson")

    return asked


def task_to_task(job_id: UUID) -> Script:
    """Hand in, and take the next task, in one round trip; the first request takes the first."""

    def asked(before: bytes) -> Request:
        found = json.loads(before) if before else {}
        claim = found.get("claim", found) or {}
        if "fence" not in claim:
            return Request("POST", "/claims", json.dumps({"job_id": str(job_id)}).encode())
        judgement = {"choice": "a", "strength": 1, "aspects": {}}
        body = {"fence": claim["fence"], "judgement": judgement, "next": True}
        return Request("POST", f"/claims/{claim['id']}/submission", json.dumps(body).encode())

    return asked


def beating(before: bytes) -> Request:
    """Claim once, then keep the lease."""
    if not before:
        return Request("POST", "/claims", b"{}")
    found = json.loads(before)
    if "fence" in found:
        beating_for[threading.get_ident()] = (found["id"], found["fence"])
    claim_id, fence = beating_for[threading.get_ident()]
    return Request("POST", f"/claims/{claim_id}/heartbeat", json.dumps({"fence": fence}).encode())


beating_for: dict[int, tuple[str, int]] = {}


def turn(port: int, tokens: Sequence[str], script: Callable[[], Script], seconds: float) -> Answers:
    """One turn of as many clients as there are tokens."""
    crowds = [(Caller(port, token, script()), Answers(seconds)) for token in tokens]
    threads = [threading.Thread(target=caller.work, args=(seconds, own)) for caller, own in crowds]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    whole = Answers(seconds)
    for caller, own in crowds:
        whole.milliseconds += own.milliseconds
        whole.failed += own.failed
        caller.wire.close()
    return whole


def measure(here: World, port: int, bare_port: int, given: argparse.Namespace) -> None:
    """A line for each call, with the bare view's rate in the same minute."""
    people = here.specialists(given.clients + 1)
    doctors = [token for _, token in people[: given.clients]]
    job_id = here.job(TASKS)
    here.past(people[-1][0], job_id, DONE_TASKS)
    here.settle()
    assert here.lab is not None
    with db.transaction() as session:
        labs = [identity.token(session, here.lab)] * given.clients
        draft = session.connection().exec_driver_sql("SELECT id FROM job LIMIT 1").scalar_one()
    calls: list[tuple[str, Sequence[str], Callable[[], Script]]] = [
        ("GET /me", labs, lambda: always("GET", "/me")),
        ("GET /jobs", labs, lambda: always("GET", "/jobs?limit=50")),
        ("GET /jobs/{id}", labs, lambda: always("GET", f"/jobs/{job_id}")),
        ("GET …/progress", labs, lambda: always("GET", f"/jobs/{job_id}/progress")),
        ("GET …/submissions (50)", labs, lambda: always("GET", f"/jobs/{job_id}/submissions")),
        ("GET /events (50)", labs, lambda: always("GET", "/events?after=0")),
        ("POST …/items (10)", labs, lambda: ten_items(draft)),
        ("GET /feed", doctors, lambda: always("GET", "/feed")),
        ("POST …/heartbeat", doctors, lambda: beating),
        ("POST …/submission, next", doctors, lambda: task_to_task(job_id)),
    ]
    print(
        f"{'call':<26} {'requests/s':>10} {'p50 ms':>7} {'p95 ms':>7} {'failed':>6} {'of bare':>8}"
    )
    for name, tokens, script in calls:
        turn(port, tokens, script, min(0.5, given.seconds))
        found = turn(port, tokens, script, given.seconds)
        bare = ask(bare_port, "/row", given.clients, given.seconds)
        print(
            f"{name:<26} {found.rate:>10.0f} {found.percentile(50):>7.1f}"
            f" {found.percentile(95):>7.1f} {found.failed:>6} {found.rate / bare.rate:>8.2f}"
        )
    print(
        f"{'bare /row, last turn':<26} {bare.rate:>10.0f} {bare.percentile(50):>7.1f}"
        f" {bare.percentile(95):>7.1f} {bare.failed:>6} {1:>8.2f}"
    )
    sent = subprocess.run(
        [sys.executable, "-m", "bench.delivery_upload", "--rows", str(given.upload_rows)],
        env=os.environ
        | {"MARKETPLACE_URL": f"http://127.0.0.1:{port}", "MARKETPLACE_TOKEN": labs[0]},
        check=True,
        capture_output=True,
        text=True,
    )
    print(sent.stdout.strip())


def main(arguments: Sequence[str] | None = None) -> None:
    """Start everything in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each turn")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2, help="processes of each server")
    parser.add_argument("--threads", type=int, default=5, help="threads of each process")
    parser.add_argument("--upload-rows", type=int, default=100_000)
    given = parser.parse_args(arguments)
    end_as_interrupted()
    random.seed(SEED)
    noise = "".join(random.choices(string.ascii_letters + " ", k=4_000_000))
    print(
        f"Python {platform.python_version()}, Flask {version('flask')}, granian"
        f" {version('granian')}, {os.cpu_count()} cores; {given.workers} workers x"
        f" {given.threads} threads; {given.clients} clients, {given.seconds:g} s a figure"
    )
    with ExitStack() as open_now:
        stack = open_now.enter_context(temporary(durable=True))
        here = open_now.enter_context(world(stack, ENVIRONMENT, noise))
        for statement in TABLES:
            here.owner.execute(statement)
        here.owner.commit()
        environment = stack.environment | ENVIRONMENT
        port = free_port()
        bare_port = port + 1
        command = product(given.workers, port, given.threads)
        open_now.enter_context(running(command, port, "/healthz", environment))
        owner_url = here.settings.owner_database_url.replace("+psycopg", "", 1)
        peer = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(bare_port), "--workers", str(given.workers), "--blocking-threads",
            str(given.threads), "--log-level", "warning", "--no-ws", "--factory",
            "bench.server:bare",
        ]  # fmt: skip
        bare = running(peer, bare_port, "/nothing", environment | {URL: owner_url})
        open_now.enter_context(bare)
        measure(here, port, bare_port, given)


if __name__ == "__main__":
    main()
