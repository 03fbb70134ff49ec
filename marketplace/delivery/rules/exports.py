"""The lifecycle of an export, of its delivery to a bucket, and what its files are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from marketplace.tasktypes import Exporter


class ExportState(StrEnum):
    """queued, then running, then done or failed; a failed one may be tried again.

    expired: its file was deleted after its time; asked for again it is written again, and holds
    the same bytes.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


NEXT: Mapping[ExportState, frozenset[ExportState]] = {
    ExportState.QUEUED: frozenset({ExportState.RUNNING, ExportState.FAILED}),
    ExportState.RUNNING: frozenset({ExportState.DONE, ExportState.FAILED}),
    ExportState.DONE: frozenset({ExportState.EXPIRED}),
    ExportState.FAILED: frozenset({ExportState.QUEUED, ExportState.RUNNING}),
    ExportState.EXPIRED: frozenset({ExportState.QUEUED}),
}


class Compression(StrEnum):
    """How a file of text is packed; Parquet, ZIP and DocBin are packed as they are."""

    NONE = "none"
    GZIP = "gzip"


class DeliveryState(StrEnum):
    """What became of a file that was to be put into the lab's own bucket."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


NEXT_DELIVERY: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.WAITING: frozenset({DeliveryState.SENDING, DeliveryState.FAILED}),
    DeliveryState.SENDING: frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED}),
    DeliveryState.FAILED: frozenset({DeliveryState.WAITING}),
    DeliveryState.DELIVERED: frozenset({DeliveryState.WAITING}),
}


def filename(job_reference: str, form: str, policy: str, suffix: str) -> str:
    """What the file is called when it is downloaded."""
    return f"{job_reference}-{form}-{policy}{suffix}".lower()


GZIPPED = ".gz"
MIMETYPES = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
    "csv": "text/csv",
}


def mimetype(name: str) -> str:
    """What the file of this name is, for whoever downloads it; a text of its own for the rest."""
    return MIMETYPES.get(name.rpartition(".")[2], "text/plain")


# What is still there to be compared with, whether its file is or not.
WRITTEN = frozenset({ExportState.DONE, ExportState.EXPIRED})
PACKED = frozenset({".zip", ".parquet", ".spacy"})


def is_text(suffix: str) -> bool:
    """Whether a file of this suffix is text that compression makes smaller."""
    return suffix not in PACKED


def in_one_go(exporter: Exporter) -> bool:
    """Whether a file can be written only as a whole, since it knows of all its rows."""
    return exporter.stateful or exporter.suffix == ".zip"
