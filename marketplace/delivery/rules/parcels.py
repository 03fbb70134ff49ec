"""What is sent to a webhook: the body, the same bytes for each attempt. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from marketplace.delivery.rules.kinds import TEST, public_facts, public_kind


class Announced(Protocol):
    """An event as a slice announced it, numbered."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def subject_id(self) -> UUID: ...
    @property
    def job_id(self) -> UUID | None: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...
    @property
    def announced_at(self) -> datetime: ...
    @property
    def organisation_number(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt to make. secrets: each signs, the newest first; message_id: the event's id,
    the same for each attempt and each redelivery."""

    delivery_id: UUID
    endpoint_id: UUID
    url: str
    secrets: tuple[str, ...]
    message_id: UUID
    body: bytes
    failing: bool


def body_of(delivery_id: UUID, created_at: datetime, event: Announced | None) -> bytes:
    """The JSON of an event; of a test, whose id is its delivery's, where there is no event."""
    if event is None:
        facts = {"says": "This is a test. It tells of nothing that happened."}
        return _written(delivery_id, TEST, created_at, 0, facts)
    facts = public_facts(event.kind, event.facts)
    about = {"job_id": event.job_id, "subject_id": event.subject_id}
    number = event.organisation_number or 0
    return _written(event.id, public_kind(event.kind), event.announced_at, number, facts | about)


def _written(
    message_id: UUID, kind: str, at: datetime, number: int, content: Mapping[str, Any]
) -> bytes:
    return orjson.dumps(
        {
            "id": message_id,
            "type": kind,
            "timestamp": at.astimezone(UTC),
            "number": number,
            "data": dict(content),
        },
        option=orjson.OPT_UTC_Z,
    )
