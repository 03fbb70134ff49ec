"""Shapes of delivery; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Record


class Export(Record):
    """What the API calls ExportShown."""

    id: str
    job_id: str
    format: str
    policy: str
    state: str
    filename: str
    as_of: datetime
    as_of_event: int | None
    since: str | None
    compression: str
    deliver_to: str | None
    delivery_state: str | None
    delivery_failure: str | None
    items_total: int
    items_read: int
    rows: int | None
    bytes: int | None
    sha256: str | None
    counts: dict[str, Any] | None
    failure: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


class Column(Record):
    """What the API calls ColumnShown."""

    name: str
    kind: str
    says: str
    may_lack: bool


class Format(Record):
    """What the API calls FormatShown."""

    key: str
    title: str
    help: str
    suffix: str
    media: str
    policies: list[str]
    increments: bool
    compresses: bool
    columns: list[Column]


class TaskType(Record):
    """What the API calls TaskTypeShown."""

    key: str
    title: str
    template_schema: dict[str, Any]
    item_schema: dict[str, Any]
    judgement_schema: dict[str, Any]
    exports: list[str]
    default_export: str
    formats: list[Format]


class Event(Record):
    """What the API calls EventShown."""

    id: str
    number: int
    kind: str
    subject_id: str
    job_id: str | None
    facts: dict[str, Any]
    announced_at: datetime


class EventFeed(Record):
    """What the API calls EventFeed."""

    items: list[Event]
    next: int | None
    reached: int


class EventHead(Record):
    """What the API calls EventHead."""

    number: int


class Fact(Record):
    """What the API calls FactShown."""

    name: str
    type: str
    says: str


class EventKind(Record):
    """What the API calls EventKindShown."""

    kind: str
    title: str
    says: str
    reader: str
    facts: list[Fact]


class EventKinds(Record):
    """What the API calls EventKinds."""

    items: list[EventKind]


class Webhook(Record):
    """What the API calls WebhookShown."""

    id: str
    url: str
    description: str
    kinds: list[str]
    state: str
    stopped_why: str | None
    stopped_at: datetime | None
    reached: int
    failures: int
    succeeded_at: datetime | None
    former_until: datetime | None
    created_at: datetime


class WebhookMade(Record):
    """What the API calls WebhookMade."""

    id: str
    url: str
    description: str
    kinds: list[str]
    state: str
    stopped_why: str | None
    stopped_at: datetime | None
    reached: int
    failures: int
    succeeded_at: datetime | None
    former_until: datetime | None
    created_at: datetime
    secret: str | None


class RotationMade(Record):
    """What the API calls RotationMade."""

    secret: str | None
    former_until: datetime | None


class Delivery(Record):
    """What the API calls DeliveryShown."""

    id: str
    hook_id: str
    event_id: str | None
    kind: str
    number: int
    origin: str
    state: str
    attempts: int
    next_at: datetime
    created_at: datetime
    ended_at: datetime | None


class ReplayMade(Record):
    """What the API calls ReplayMade."""

    deliveries: int


class DeliveryAttempt(Record):
    """What the API calls DeliveryAttemptShown."""

    number: int
    started_at: datetime
    milliseconds: int
    outcome: str
    status: int | None
    answer: str | None


class DeliveryWhole(Record):
    """What the API calls DeliveryWholeShown."""

    id: str
    hook_id: str
    event_id: str | None
    kind: str
    number: int
    origin: str
    state: str
    attempts: int
    next_at: datetime
    created_at: datetime
    ended_at: datetime | None
    payload: dict[str, Any]
    tries: list[DeliveryAttempt]


class DeliveriesMade(Record):
    """What the API calls DeliveriesMade."""

    items: list[Delivery]


class ExportAsked(TypedDict, total=False):
    """What the API calls ExportAsked."""

    format: Required[str]
    policy: Literal["majority", "model", "all"]
    since: AnyId | None
    compression: Literal["none", "gzip"]
    deliver_to: str | None


class NewWebhook(TypedDict, total=False):
    """What the API calls NewWebhook."""

    url: Required[str]
    description: str
    kinds: list[str]


class WebhookChange(TypedDict, total=False):
    """What the API calls WebhookChange."""

    url: str
    description: str
    kinds: list[str]
    state: Literal["active", "paused"]
    missed: Literal["send", "skip"]


class RotationAsked(TypedDict, total=False):
    """What the API calls RotationAsked."""

    overlap_hours: int


class ReplayAsked(TypedDict, total=False):
    """What the API calls ReplayAsked."""

    after: Required[int]
    through: int | None


class RedeliveryAsked(TypedDict, total=False):
    """What the API calls RedeliveryAsked."""

    hook_id: AnyId | None
