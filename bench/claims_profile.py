"""Where the time of a pair goes: the application asked in one process, without a server or HTTP.

Run `python -m bench.claims_profile [--pairs N] [--tasks N] [--profile 40]`. A pair is one `POST
/claims/{id}/submission` with `next: true`. It prints the milliseconds of core that a pair takes in
the application and in PostgreSQL, the statements of one pair, the waits for their answers and the
bytes logged; with `--profile`, the functions that take most of it.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import random
import string
import sys
import time
from collections.abc import Iterable
from typing import Any

import orjson
import psycopg
from flask import Flask
from sqlalchemy import event

from bench.claims import ENVIRONMENT, SEED
from bench.load.conversations import JUDGEMENT
from bench.load.programs import cpu_seconds
from bench.load.world import NOISE_BYTES, world
from marketplace import db
from marketplace.embedded import temporary
from marketplace.factory import create_app


class Caller:
    """One specialist who asks the application as a server would, without one."""

    def __init__(self, app: Flask, token: str, job_id: str) -> None:
        self._app = app.wsgi_app
        self._token = token
        first = self._post("/api/v1/claims", orjson.dumps({"job_id": job_id}))
        self._claim = first["id"], first["fence"]

    def pair(self) -> None:
        """Hand in what is in hand and take the next."""
        claim_id, fence = self._claim
        body = b'{"fence":%d,%s,"next":true}' % (fence, JUDGEMENT)
        found = self._post(f"/api/v1/claims/{claim_id}/submission", body)
        self._claim = found["claim"]["id"], found["claim"]["fence"]

    def _post(self, path: str, body: bytes) -> Any:
        said: list[str] = []

        def start(status: str, headers: object, failed: object = None) -> Any:
            del headers, failed
            said.append(status)

        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost:8000", "HTTP_AUTHORIZATION": f"Bearer {self._token}",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.run_once": False,
            "wsgi.multithread": True, "wsgi.multiprocess": True,
        }  # fmt: skip
        answer: Iterable[bytes] = self._app(environ, start)
        try:
            whole = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        if not said[0].startswith("201"):
            raise RuntimeError(f"{said[0]}: {whole[:600]!r}")
        return orjson.loads(whole)


class _Told:
    """What one pair says to the database, and how many bytes it leaves in the log."""

    def __init__(self, caller: Caller) -> None:
        self.statements: list[str] = []
        self.waits = 0
        execute, wait = psycopg.RawCursor.execute, psycopg.Connection.wait

        def noted(cursor: Any, query: bytes, *more: Any, **options: Any) -> Any:
            self.statements.append(" ".join(query.decode().split())[:100])
            return execute(cursor, query, *more, **options)

        def waited(connection: Any, *more: Any, **options: Any) -> Any:
            self.waits += 1
            return wait(connection, *more, **options)

        def note(_c: object, _k: object, statement: str, *_more: object) -> None:
            self.statements.append(" ".join(statement.split())[:100])

        event.listen(db.engine(), "before_cursor_execute", note)
        psycopg.RawCursor.execute, psycopg.Connection.wait = noted, waited  # type: ignore
        log, sys.stderr = sys.stderr, io.StringIO()
        try:
            caller.pair()
            self.logged = len(sys.stderr.getvalue())
        finally:
            sys.stderr = log
            psycopg.RawCursor.execute, psycopg.Connection.wait = execute, wait  # type: ignore
            event.remove(db.engine(), "before_cursor_execute", note)


def main() -> None:
    """Print the times, the statements, and with `--profile` the functions."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=1_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--tasks", type=int, default=20_000)
    asked.add_argument("--profile", type=int, default=0, help="how many functions to name")
    given = asked.parse_args()
    random.seed(SEED)
    noise = "".join(random.choices(string.ascii_letters + " ", k=NOISE_BYTES))
    with (
        temporary(durable=True) as stack,
        world(stack, ENVIRONMENT | {"LOG_LEVEL": "INFO"}, noise) as town,
    ):
        job_id = town.job(given.tasks)
        _, token = town.specialists(1)[0]
        town.settle()
        caller = Caller(create_app(town.settings), token, str(job_id))
        for _ in range(300):
            caller.pair()
        told = _Told(caller)
        print("\n".join(told.statements))
        print(
            f"{len(told.statements)} statements, {told.waits} waits for the server with BEGIN and"
            f" COMMIT, {told.logged} bytes logged"
        )
        for _ in range(given.rounds):
            server, here = cpu_seconds(stack.pids["postgres"]), time.process_time()
            began = time.perf_counter()
            for _ in range(given.pairs):
                caller.pair()
            each = 1_000 / given.pairs
            print(
                f"a pair: application {(time.process_time() - here) * each:.2f} ms of core,"
                f" postgres {(cpu_seconds(stack.pids['postgres']) - server) * each:.2f},"
                f" from asking to answer {(time.perf_counter() - began) * each:.2f} ms"
            )
        if given.profile:
            profile = cProfile.Profile(time.process_time)
            profile.enable()
            for _ in range(given.pairs):
                caller.pair()
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(given.profile)
            pstats.Stats(profile).sort_stats("cumtime").print_stats(given.profile * 3)


if __name__ == "__main__":
    main()
