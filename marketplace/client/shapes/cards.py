"""Shapes of cards; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from marketplace.client.records import Record


class ExportColumn(Record):
    """What the API calls ExportColumnShown."""

    name: str
    kind: str
    says: str
    may_lack: bool


class ExportPreview(Record):
    """What the API calls ExportPreviewShown."""

    format: str
    title: str
    help: str
    columns: list[ExportColumn]
    policy: str
    rows: list[dict[str, Any]]
    text: str
    files: list[str]
    items: int
    counts: dict[str, Any]


class DataCardSaid(Record):
    """What the API calls DataCardSaid."""

    title: str
    licence: str
    licence_words: str
    languages: list[str]
    intended_use: str
    limits: str
    contact: str


class DataCardSaidAsked(TypedDict, total=False):
    """What the API calls DataCardSaid."""

    title: str
    licence: Literal[
        "unknown",
        "internal",
        "cc0-1.0",
        "cc-by-4.0",
        "cc-by-sa-4.0",
        "cc-by-nc-4.0",
        "odc-by",
        "apache-2.0",
        "mit",
        "other",
    ]
    licence_words: str
    languages: list[str]
    intended_use: str
    limits: str
    contact: str
