"""The lifecycle of an export, and what its file is called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ExportState(StrEnum):
    """queued, then running, then done or failed; a failed one may be tried again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


NEXT: Mapping[ExportState, frozenset[ExportState]] = {
    ExportState.QUEUED: frozenset({ExportState.RUNNING, ExportState.FAILED}),
    ExportState.RUNNING: frozenset({ExportState.DONE, ExportState.FAILED}),
    ExportState.DONE: frozenset(),
    ExportState.FAILED: frozenset({ExportState.RUNNING}),
}


def filename(job_reference: str, form: str, policy: str, suffix: str) -> str:
    """What the file is called when it is downloaded."""
    return f"{job_reference}-{form}-{policy}{suffix}".lower()


MIMETYPES = {"json": "application/json", "jsonl": "application/x-ndjson"}


def mimetype(name: str) -> str:
    """What the file of this name is, for whoever downloads it; a text of its own for the rest."""
    return MIMETYPES.get(name.rpartition(".")[2], "text/plain")
