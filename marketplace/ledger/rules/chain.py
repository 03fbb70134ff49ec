"""What the ledger's chain of hashes covers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from uuid import UUID


class Linked(Protocol):
    """The columns of a transaction that a link covers (`models.LINKED`)."""

    @property
    def id(self) -> UUID: ...
    @property
    def source_kind(self) -> str: ...
    @property
    def source_id(self) -> str: ...
    @property
    def content_hash(self) -> bytes: ...
    @property
    def effective_on(self) -> date: ...
    @property
    def posted_at(self) -> datetime: ...


def linked(number: int, row: Linked) -> dict[str, object]:
    """The content of link `number`: ids, hashes and times, nothing that would ever be erased."""
    return {
        "number": number,
        "id": str(row.id),
        "source": f"{row.source_kind}:{row.source_id}",
        "content": bytes(row.content_hash).hex(),
        "effective_on": row.effective_on.isoformat(),
        "posted_at": row.posted_at.astimezone(UTC).isoformat(),
    }
