"""Checking the auditor's file before a close, and making the pack after it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO
from uuid import UUID

from marketplace import outbox, settings, storage
from marketplace.actor import SYSTEM
from marketplace.db import outside_transaction, transaction
from marketplace.ledger import queries as book
from marketplace.reconciliation import service
from marketplace.reconciliation.models import MonthClose
from marketplace.reconciliation.queries import stripe_assertions
from marketplace.reconciliation.rules.auditing import SHOWN_MAX, complaints
from marketplace.reconciliation.service.packing import write_pack

FOLDER = "close-packs"
PATIENCE_SECONDS = 300
CHUNK_BYTES = 1 << 20


@outside_transaction
def audited(month: date) -> list[str]:
    """What is wrong with the auditor's file of the book, a sentence each; none is well.

    `bean-check` says it where that program is there, and our own check of the same always does.
    Call it outside any transaction: it writes a file and may start a program. month: the one to
    be closed; the file holds the whole book.
    """
    del month
    with tempfile.TemporaryDirectory(prefix="close-") as folder:
        file = Path(folder) / "ledger.beancount"
        with file.open("w", encoding="utf-8") as out:
            said = complaints(_written(out))
        return said or _bean_check(file)


def _written(out: IO[str]) -> Iterator[str]:
    """The lines of the file, each written as it is read."""
    zone = settings.current().book_timezone
    with transaction() as session:
        assertions = stripe_assertions(session, SYSTEM, zone)
        for line in book.beancount(session, SYSTEM, assertions):
            out.write(f"{line}\n")
            yield line


def _bean_check(file: Path) -> list[str]:
    program = shutil.which("bean-check") or _beside_python()
    if program is None:
        return []
    verdict = subprocess.run(  # noqa: S603 - a program of the machine's own, on our own file.
        [program, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    if verdict.returncode == 0:
        return []
    lines = (verdict.stderr or verdict.stdout).replace(str(file), "ledger.beancount").splitlines()
    return [line for line in lines if line.strip()][:SHOWN_MAX] or ["bean-check refuses the file."]


def _beside_python() -> str | None:
    beside = Path(sys.executable).parent / "bean-check"
    return str(beside) if beside.exists() else None


@outbox.background("reconciliation.make_pack", time_limit_seconds=3600)
def make_pack(work: outbox.Work, close_id: str) -> None:
    """Make the pack of a close and keep it; safe to repeat, since it is the same each time."""
    with tempfile.TemporaryFile() as out:
        close = _made(UUID(close_id), out)
        digest, size = _sha256(out)
        reference = f"{FOLDER}/{close.month:%Y-%m}-{close.round}-{digest.hex()[:16]}.zip"
        out.seek(0)
        storage.current().put(reference, out)
    with transaction() as session:
        service.record_pack(session, close.id, reference=reference, size_bytes=size, sha256=digest)
        outbox.done(session, work)


@outside_transaction
def pack_again(close_id: UUID, out: IO[bytes]) -> bytes:
    """Make the pack of a closed month once more; its SHA-256, to be compared with the kept one."""
    _made(close_id, out)
    return _sha256(out)[0]


def _made(close_id: UUID, out: IO[bytes]) -> MonthClose:
    with transaction() as session:
        close = session.get_one(MonthClose, close_id)
        write_pack(session, close, out)
    return close


def _sha256(out: IO[bytes]) -> tuple[bytes, int]:
    out.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := out.read(CHUNK_BYTES):
        digest.update(piece)
        size += len(piece)
    return digest.digest(), size
