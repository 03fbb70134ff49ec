"""The application behind a real port, a token for it, and a folder of one's own for profiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from redis import Redis
from sqlalchemy import Engine
from werkzeug.serving import WSGIRequestHandler, make_server

from marketplace import outbox
from marketplace.actor import Actor
from marketplace.cli import profiles
from marketplace.cli.frame import main
from marketplace.client import engine
from marketplace.db import transaction
from marketplace.identity import service as identity_service
from marketplace.money import Money
from tests.make import identity
from tests.make import work as make
from tests.make.background import run_all

Run = Callable[..., Result]


class Silent(WSGIRequestHandler):
    """Writes no line for each request: commands are asked for what they say."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def address(committed: Engine, app: Flask, redis: Redis) -> Iterator[str]:
    """Where the application answers, with background work done beside it."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    ended = threading.Event()
    working = threading.Thread(target=_work, args=(ended,), daemon=True)
    working.start()
    yield f"http://127.0.0.1:{server.server_port}"
    ended.set()
    working.join()
    server.shutdown()
    serving.join()
    server.server_close()


def _work(ended: threading.Event) -> None:
    while not ended.is_set():
        run_all()
        with transaction() as session:
            outbox.number_events(session)
        time.sleep(0.05)


@pytest.fixture
def lab(committed: Engine) -> Actor:
    """The owner of a lab with money."""
    with transaction() as session:
        owner = identity.lab_owner(session, name="Northlight")
        make.money_in(session, owner, Money(100_00, "USD"))
    return owner


@pytest.fixture
def token(lab: Actor) -> str:
    """A token that may do all that the owner may."""
    with transaction() as session:
        return identity_service.create_token(session, lab, name="tests")[1]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that names no marketplace, and an empty folder for profiles."""
    for name in (profiles.URL, profiles.TOKEN, profiles.PROFILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(profiles.CONFIG, str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def run(nowhere: Path, address: str, token: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command against the application."""
    monkeypatch.setenv(profiles.URL, address)
    monkeypatch.setenv(profiles.TOKEN, token)
    monkeypatch.setattr(engine, "BACK_OFF_SECONDS", 0.01)  # Dead ports are asked again at once.
    return lambda *arguments, **more: CliRunner().invoke(main, list(arguments), **more)
