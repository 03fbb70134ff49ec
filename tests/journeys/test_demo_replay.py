"""Recorded judgements go through the whole loop over HTTP; every figure is held against them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from redis import Redis
from sqlalchemy import Engine
from werkzeug.serving import make_server

from marketplace import db, factory
from marketplace.db import transaction
from marketplace.demo.replay import source, story
from marketplace.demo.replay.checks import FigureOff, of_export, of_source
from marketplace.demo.replay.source import Comparison, SourceFaulty
from marketplace.embedded import Stack
from marketplace.embedded.ports import free_ports
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as ledger_service
from marketplace.money import Money
from marketplace.sandbox.schema import TABLES
from marketplace.sandbox.server import QuietHandler, running
from marketplace.sandbox.settings import SandboxSettings
from marketplace.settings import Settings
from tests.conftest import hang_up
from tests.make.billing import EMPTY

ITEMS = 12
TOPICS = ("a lease", "a fever", "a loop", "a tax form")


def write_folder(folder: Path) -> None:
    """A folder like a recorded one: alike items, an empty answer, a bare true, a lost verdict."""
    rng = Random("recorded")
    rows, gpt, panda = [], [], []
    for number in range(ITEMS):
        best = rng.choice([0, 1, 2])
        people = [best if rng.random() < 0.6 else rng.choice([0, 1, 2]) for _ in range(2)]
        rows.append(
            {
                "idx": number,
                "instruction": f"Explain {TOPICS[number % 4]}.",
                "input": "" if number % 2 else "In one sentence.",
                "response1": True if number == 3 else f"One way to see {TOPICS[number % 4]}.",
                "response2": "" if number == 4 else f"Another way to see {TOPICS[number % 4]}.",
                "annotator1": best,
                "annotator2": people[0],
                "annotator3": best if people[0] != best else people[1],
            }
        )
        gpt.append({"idx": number, "gpt_result": "none" if number == 5 else str(best or "Tie")})
        panda.append({"idx": number, "pandalm_result": rng.choice([0, 1, 2])})
    for name, held in (
        (source.ITEMS, rows),
        (source.JUDGES[0].file, gpt),
        (source.JUDGES[1].file, panda),
    ):
        (folder / name).write_text(json.dumps(held), "utf-8")


@pytest.fixture
def recorded(tmp_path: Path) -> list[Comparison]:
    write_folder(tmp_path)
    return source.read(tmp_path)


@contextmanager
def served(settings: Settings, port: int) -> Iterator[str]:
    """The whole application; background work is done by whoever waits for it."""
    app = factory.create_app(settings)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(committed: Engine, redis: Redis, stack: Stack, settings: Settings) -> Iterator[str]:
    """The product over HTTP, with a sandbox that calls back, where pay clears at once."""
    (port,) = free_ports(0)
    sandbox = SandboxSettings(
        database_url=stack.environment["SANDBOX_DATABASE_URL"],
        secret_key=settings.stripe_secret_key,
        webhook_secret=settings.stripe_webhook_secret,
        webhook_url=f"http://127.0.0.1:{port}/webhooks/stripe",
        port=0,
    )
    committed.dispose()
    with psycopg.connect(sandbox.database_url.replace("+psycopg", "", 1)) as connection:
        connection.execute(TABLES)
        connection.execute(EMPTY)
    try:
        with running(sandbox) as stripe:
            changed = replace(settings, stripe_api_base=stripe, clearance_days=0)
            with served(changed, port) as at:
                yield at
    finally:
        hang_up(db.engine())
        factory.start(settings)
        hang_up(db.engine())
        db.use_engine(committed)


def test_recorded_judgements_come_back_out(
    address: str, recorded: list[Comparison], tmp_path: Path
) -> None:
    told: list[str] = []

    result = story.replay(
        address, recorded, tmp_path / "exports", story.Told(told.append, lambda _: None)
    )

    assert 3 * ITEMS == result.answers
    assert Money(3 * ITEMS * story.PAY.minor, "USD") == result.paid
    pairs = {row["external_id"] for row in story.lines_of(result.pairs)}
    assert {item.external_id for item in recorded if item.majority in {"a", "b"}} == pairs
    assert any(line.startswith("Cohen's kappa between the people") for line in told)
    with transaction() as session:
        ledger_service.number_transactions(session, limit=5_000)
    with transaction() as session:
        assert [] == ledger.broken_invariants(session)


def exported(items: list[Comparison]) -> list[dict[str, Any]]:
    """The rows that a raw export of these items has, as far as they are looked at."""
    return [
        {
            "external_id": item.external_id,
            "author": {"pseudonym": f"P{place}"},
            "judgement": {"choice": choice},
            "majority": {"choice": item.majority} if item.majority else {},
        }
        for item in items
        for place, choice in enumerate(item.choices)
    ]


def test_an_export_that_is_right_has_the_sources_figures(recorded: list[Comparison]) -> None:
    assert of_source(recorded) == of_export(recorded, exported(recorded)[::-1])


def test_one_other_label_is_noticed(recorded: list[Comparison]) -> None:
    rows = exported(recorded)
    rows[7]["judgement"] = {"choice": "both_bad"}

    with pytest.raises(FigureOff):
        of_export(recorded, rows)


def test_a_folder_is_read_as_it_was_meant(recorded: list[Comparison]) -> None:
    assert "True" == recorded[3].payload["a"]
    assert "" == recorded[4].payload["b"]
    assert source.UNREADABLE == recorded[5].verdicts["gpt-3.5-turbo"]
    assert 1 == len(json.loads(recorded[5].line())["prelabels"])
    assert 3 == len(of_source(recorded).people)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceFaulty, match=r"testset-v1\.json cannot be read"):
        source.read(tmp_path)
