"""A worker that is killed in the middle of a large export, and the next one that goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine as SqlEngine

from bench.delivery_exports import filled
from bench.load.world import World
from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.embedded import Stack
from marketplace.ids import ExportId, JobId
from marketplace.settings import Settings
from marketplace.worker.perform import perform

ROWS = 16_000
PATIENCE_SECONDS = 120.0
WORKER = """
import os, sys
from marketplace import factory
from marketplace.settings import Settings
from marketplace.worker import names
from marketplace.worker.perform import perform
factory.start(Settings.from_environ(os.environ))
names.bind_all()
perform(sys.argv[1])
"""


@pytest.mark.slow
def test_a_killed_writer_costs_one_piece_and_no_byte(
    committed: SqlEngine, settings: Settings, stack: Stack
) -> None:
    with psycopg.connect(settings.owner_database_url.replace("+psycopg", "", 1)) as owner:
        here = World(owner, settings, "the dose is 5 mg " * 500)
        job_id = JobId(filled(here, ROWS, 500))
        export_id, row_id = _asked(here, job_id)
        pieces = _killed_after_a_piece(settings, stack, export_id, row_id)

        perform(str(row_id))

        whole, sha256 = _done(export_id)
        assert ROWS == whole.count(b"\n")
        assert 0 < pieces < 4
        other_id, other_row = _asked(here, job_id)
        perform(str(other_row))
        assert (whole, sha256) == _done(other_id)


def _asked(here: World, job_id: JobId) -> tuple[ExportId, UUID]:
    assert here.lab is not None
    with transaction() as session:
        export = service.request_export(session, here.lab, job_id, form="raw", policy="all")
        return export.id, outbox.enqueue(session, service.WRITE, export_id=export.id)


def _killed_after_a_piece(
    settings: Settings, stack: Stack, export_id: ExportId, row_id: UUID
) -> int:
    """Kill a worker while it writes its second piece; how many it had stored."""
    known = {name: value for name, value in stack.environment.items() if "OWNER" not in name}
    more = {"REDIS_URL": settings.redis_url, "STORAGE_URL": settings.storage_url}
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(row_id)],
        env={**os.environ, **known, **more, "STRIPE_WEBHOOK_SECRET": "whsec_tests"},
    )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not _parts(export_id):
            assert child.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert -signal.SIGKILL == child.wait(10)
    finally:
        child.kill()
        child.wait()
    with transaction() as session:
        assert ExportState.RUNNING is session.get_one(Export, export_id).state
    return len(_parts(export_id))


def _parts(export_id: ExportId) -> Sequence[object]:
    with transaction() as session:
        return queries.parts_of(session, export_id)


def _done(export_id: ExportId) -> tuple[bytes, str | None]:
    with transaction() as session:
        export = session.get_one(Export, export_id)
    assert (None, ExportState.DONE) == (export.failure, export.state)
    assert not _parts(export_id)
    with storage.current().open(export.reference) as file:
        return file.read(), export.sha256
