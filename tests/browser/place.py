"""The product as people meet it: served over the test servers, with Stripe's sandbox beside it.

Background work is done by a thread, with the relay's and the worker's own functions; a test can
let it rest, and have something done at a later time meanwhile.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from werkzeug.serving import BaseWSGIServer, make_server

from marketplace import clock, db, factory, outbox
from marketplace.db import transaction
from marketplace.embedded import Stack
from marketplace.sandbox.control_client import ControlClient
from marketplace.sandbox.server import QuietHandler, running
from marketplace.sandbox.settings import SandboxSettings
from marketplace.settings import Settings
from marketplace.worker import names, relay
from marketplace.worker.perform import perform
from tests import conftest
from tests.make import background
from tests.make.billing import KEY, Stripe

WAIT_SECONDS = 60.0
_LINK = re.compile(r"https?://\S+")


class Worker:
    """The relay and a worker in one thread; what goes wrong there fails the test."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        names.bind_all()
        self._thread.start()

    def stop(self) -> None:
        """Finish what is begun, and end."""
        self._ended.set()
        self._thread.join()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Nothing is done in the background while the block runs."""
        with self._turn:
            yield

    def run_soon(self, name: str) -> None:
        """Do one background function now."""
        self.run_later(timedelta(0), name)

    def run_later(self, by: timedelta, name: str) -> None:
        """Do one background function as if it were later, and nothing else."""
        with self.resting(), clock.shifted(by):
            background.run(name)

    def _run(self) -> None:
        schedule = relay.Schedule()
        while not self._ended.wait(0.1):
            with self._turn:
                schedule.fill()
                relay.number_facts()
                with transaction() as session:
                    leased = outbox.lease_due(session)
                for work in leased:
                    perform(str(work.id))


class Pages:
    """The server of the pages, which can be away for a while and come back on the same port."""

    def __init__(self) -> None:
        self._app: Callable[..., Any] = _not_yet
        self._server = self._made(0)
        self.port = self._server.port

    def use(self, app: Callable[..., Any]) -> None:
        """Serve this from now on."""
        self._app = self._server.app = app

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stopped while the block runs; connections that were open get 503 at most."""
        self._server.app = _not_yet
        self._stop()
        try:
            yield
        finally:
            self._server = self._made(self.port)
            self._start()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Served while the block runs."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    def _made(self, port: int) -> BaseWSGIServer:
        return make_server(
            "127.0.0.1", port, self._app, threaded=True, request_handler=QuietHandler
        )

    def _start(self) -> None:
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), name="pages")
        self._thread.start()

    def _stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True)
class Place:
    """The served product. address: of its pages; mailbox: the folder of its mail."""

    address: str
    mailbox: Path
    stripe: Stripe
    worker: Worker
    empty: Callable[[], None]
    pages: Pages

    def link_to(self, email: str) -> str:
        """The first link of the newest mail to an address, once it is there."""
        found: list[str] = []

        def arrived() -> bool:
            found[:] = self._links_to(email)
            return bool(found)

        wait_until(arrived)
        return found[-1]

    def _links_to(self, email: str) -> list[str]:
        letters = sorted(self.mailbox.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in letters]
        bodies = [letter.get_content() for letter in read if letter["To"] == email]
        return [link[0] for body in bodies if (link := _LINK.search(body))]


def wait_until(ready: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> None:
    """Wait for something that happens in the background."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)


@contextmanager
def served(
    stack: Stack, database: Engine, owner: Engine, settings: Settings, folder: Path
) -> Iterator[Place]:
    """The product on a free port; its settings name that port and the sandbox's."""
    pages = Pages()
    address = f"http://localhost:{pages.port}"
    sandbox = SandboxSettings(
        database_url=stack.environment["SANDBOX_DATABASE_URL"],
        secret_key=KEY,
        webhook_secret=settings.stripe_webhook_secret,
        webhook_url=f"http://127.0.0.1:{pages.port}/webhooks/stripe",
        port=0,
    )
    with running(sandbox) as stripe_address, ControlClient(stripe_address, KEY) as controls:
        mine = replace(
            settings,
            public_url=address,
            stripe_api_base=stripe_address,
            stripe_secret_key=KEY,
            mailbox_dir=str(folder / "mailbox"),
        )
        made = factory.create_app(mine)
        made.jinja_env.auto_reload = False
        pages.use(made)
        stripe = Stripe(stripe_address, sandbox.database_url, controls)
        worker = Worker()

        def empty() -> None:
            with worker.resting():
                conftest.empty(owner, settings)
                stripe.empty()

        try:
            with pages.serving():
                empty()
                worker.start()
                yield Place(address, folder / "mailbox", stripe, worker, empty, pages)
                worker.stop()
        finally:
            conftest.hang_up(db.engine())
            factory.start(settings)
            db.use_engine(database)
            conftest.empty(owner, settings)


def _not_yet(_environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("503 Service Unavailable", [("Connection", "close")])
    return []
