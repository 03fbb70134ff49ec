"""Shapes of items; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import Record


class Rejected(Record):
    """What the API calls RejectedShown."""

    line: int
    pointer: str
    message: str
    external_id: str | None


class Items(Record):
    """What the API calls ItemsShown."""

    accepted: int
    duplicates: int
    rows_read: int
    rows_rejected: int
    rejected: list[Rejected]


class Import(Record):
    """What the API calls ImportShown."""

    id: str
    job_id: str
    filename: str
    source: str | None
    kind: str | None
    labels: str
    mapping: dict[str, Any]
    state: str
    size_bytes: int | None
    read_bytes: int
    total_bytes: int
    rows_read: int
    accepted: int
    duplicates: int
    rejected: int
    images_added: int
    images_known: int
    left_out: dict[str, Any]
    failure: str | None
    created_at: datetime
    finished_at: datetime | None


class Fault(Record):
    """What the API calls FaultShown."""

    pointer: str
    message: str


class Row(Record):
    """What the API calls RowShown."""

    number: int
    file: str
    external_id: str | None
    payload: dict[str, Any] | None
    gold: dict[str, Any] | None
    prelabels: int
    faults: list[Fault]


class Look(Record):
    """What the API calls LookShown."""

    kind: str | None
    rows: list[Row]
    columns: dict[str, Any]
    fields_known: list[str]
    files: dict[str, Any]
    left_out: dict[str, Any]
    fault: str | None


class Image(Record):
    """What the API calls ImageShown."""

    name: str
    sha256: str
    width: int
    height: int
    bits: int
    format: str
    size_bytes: int
    created_at: datetime


class Taken(Record):
    """What the API calls TakenShown."""

    name: str
    state: str
    message: str | None
    image: Image | None


class ImagesTaken(Record):
    """What the API calls ImagesTaken."""

    results: list[Taken]


class ScanPlace(Record):
    """What the API calls ScanPlaceShown."""

    external_id: str
    position: int
    shown: str


class ScanFinding(Record):
    """What the API calls ScanFindingShown."""

    kind: str
    field: str
    sure: bool
    found: int
    items: int
    places: list[ScanPlace]


class Scan(Record):
    """What the API calls ScanShown."""

    scanner_version: str | None
    complete: bool
    item_count: int
    items_read: int
    items_marked: int
    found: int
    scanned_at: datetime | None
    declaration: str | None
    declared_found: int | None
    declared_at: datetime | None
    findings: list[ScanFinding]


class AccessAsked(TypedDict, total=False):
    """What the API calls AccessAsked."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str


class BucketAsked(TypedDict, total=False):
    """What the API calls BucketAsked."""

    kind: Literal[
        "jsonl",
        "csv",
        "parquet",
        "records",
        "archive",
        "label_studio",
        "doccano",
        "oasst",
        "prm800k",
        "tau_bench",
        "swe_agent",
        "sessions",
        "who_and_when",
        "messages",
        "coco",
        "voc",
    ]
    labels: Literal["prelabels", "gold", "leave"]
    mapping: dict[str, str]
    source: Required[str]
    access: AccessAsked
    hold: bool


class WishAsked(TypedDict, total=False):
    """What the API calls WishAsked."""

    kind: Literal[
        "jsonl",
        "csv",
        "parquet",
        "records",
        "archive",
        "label_studio",
        "doccano",
        "oasst",
        "prm800k",
        "tau_bench",
        "swe_agent",
        "sessions",
        "who_and_when",
        "messages",
        "coco",
        "voc",
    ]
    labels: Literal["prelabels", "gold", "leave"]
    mapping: dict[str, str]


class DeclarationAsked(TypedDict, total=False):
    """What the API calls DeclarationAsked."""

    declaration: Required[Literal["none", "deidentified", "permitted"]]
