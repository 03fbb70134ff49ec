"""The tables of webhooks: endpoints, deliveries, the attempts at each; cursors over events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.delivery.rules.webhooks import (
    DeliveryState,
    Origin,
    Outcome,
    StoppedWhy,
    WebhookState,
)
from marketplace.secrets import EncryptedText


class WebhookEndpoint(Root):
    """Where a lab wishes to be told. kinds: public kinds or groups such as `task.*`, all where
    empty; reached: the number of the last event that deliveries were made of; failures: attempts
    that failed since the last success; rest_until: nothing is sent before, as it fails again and
    again; slow: its last answer took long; former_secret: signs as well until former_until."""

    __tablename__ = "webhook_endpoint"
    id: Mapped[IdKey]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    url: Mapped[str] = mapped_column(EncryptedText())
    description: Mapped[str]
    kinds: Mapped[list[str]]
    state: Mapped[WebhookState] = mapped_column(text_enum(WebhookState))
    stopped_why: Mapped[StoppedWhy | None] = mapped_column(text_enum(StoppedWhy))
    stopped_at: Mapped[datetime | None]
    secret: Mapped[str | None] = mapped_column(EncryptedText())
    former_secret: Mapped[str | None] = mapped_column(EncryptedText())
    former_until: Mapped[datetime | None]
    reached: Mapped[int]
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    slow: Mapped[bool] = mapped_column(default=False)
    succeeded_at: Mapped[datetime | None]
    served_at: Mapped[datetime | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", WebhookState),
        one_of("stopped_why", StoppedWhy),
        CheckConstraint("(state = 'disabled') = (stopped_why IS NOT NULL)", name="stopped"),
        CheckConstraint("(state = 'retired') = (secret IS NULL)", name="secret"),
        CheckConstraint("(former_secret IS NULL) = (former_until IS NULL)", name="former"),
        CheckConstraint("reached >= 0 AND failures >= 0", name="counts"),
        Index("ix_webhook_endpoint_organisation_id", "organisation_id"),
    )


class WebhookDelivery(Root):
    """One event on its way to one endpoint. kind: the public one; number: the event's in its
    organisation's feed, 0 for a test, which has no event; next_at: when it is tried next.

    event_id is no foreign key: events are never deleted, and each check would lock one."""

    __tablename__ = "webhook_delivery"
    id: Mapped[IdKey]
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id"))
    event_id: Mapped[UUID | None]
    kind: Mapped[str]
    number: Mapped[int]
    origin: Mapped[Origin] = mapped_column(text_enum(Origin))
    state: Mapped[DeliveryState] = mapped_column(text_enum(DeliveryState))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("origin", Origin),
        one_of("state", DeliveryState),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(origin = 'test') = (event_id IS NULL)", name="event"),
        Index(
            "uq_webhook_delivery_told",
            "endpoint_id",
            "event_id",
            unique=True,
            postgresql_where=text("origin = 'event'"),
        ),
        Index(
            "ix_webhook_delivery_due",
            "endpoint_id",
            "next_at",
            "number",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_webhook_delivery_in_hand",
            "endpoint_id",
            postgresql_where=text("leased_until IS NOT NULL"),
        ),
        Index("ix_webhook_delivery_endpoint_id_id", "endpoint_id", "id"),
        Index("ix_webhook_delivery_event_id", "event_id"),
        Index("ix_webhook_delivery_ended_at", "ended_at"),
    )


class WebhookAttempt(Root):
    """One try of a delivery. number: counts from 1; status: None where nothing answered; answer:
    the beginning of what came back, without the endpoint's secrets."""

    __tablename__ = "webhook_attempt"
    id: Mapped[IdKey]
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id"))
    number: Mapped[int]
    started_at: Mapped[datetime]
    milliseconds: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome))
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(EncryptedText())

    __table_args__ = (
        one_of("outcome", Outcome),
        Index("ix_webhook_attempt_delivery_id", "delivery_id"),
        Index("ix_webhook_attempt_endpoint_id_started_at", "endpoint_id", "started_at"),
    )


class EventCursor(Root):
    """How far one of our own readers has come in the feed of all events."""

    __tablename__ = "event_cursor"
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
