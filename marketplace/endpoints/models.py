"""The tables of model endpoints."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.endpoints.rules import LimitField, Outcome
from marketplace.secrets import EncryptedText


class ModelEndpoint(Root):
    """Where a lab's model answers. name: as templates call it; version: counts changes.

    api_key: None for a server that asks for none; limit_field: how the server calls the limit of
    tokens; calls_a_job_max: calls that one job may make; tested_at, test_outcome: of the last try
    of this version.
    """

    __tablename__ = "model_endpoint"
    id: Mapped[IdKey]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    base_url: Mapped[str]
    model: Mapped[str]
    api_key: Mapped[str | None] = mapped_column(EncryptedText())
    system_prompt: Mapped[str]
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    top_p: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    limit_field: Mapped[LimitField] = mapped_column(text_enum(LimitField))
    tokens_a_turn_max: Mapped[int]
    turns_max: Mapped[int]
    calls_a_job_max: Mapped[int]
    timeout_seconds: Mapped[int]
    version: Mapped[int]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    test_outcome: Mapped[Outcome | None] = mapped_column(text_enum(Outcome))

    __table_args__ = (
        UniqueConstraint("organisation_id", "name"),
        one_of("limit_field", LimitField),
        one_of("test_outcome", Outcome),
        CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature"),
        CheckConstraint("top_p > 0 AND top_p <= 1", name="top_p"),
        CheckConstraint(
            "tokens_a_turn_max BETWEEN 1 AND 32000 AND turns_max BETWEEN 1 AND 50"
            " AND calls_a_job_max BETWEEN 1 AND 10000000 AND timeout_seconds BETWEEN 1 AND 120",
            name="limits",
        ),
        CheckConstraint("(tested_at IS NULL) = (test_outcome IS NULL)", name="tested"),
    )


class ModelUse(Root):
    """How many calls a job has made to an endpoint, counted before each is made."""

    __tablename__ = "model_use"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("model_endpoint.id"), primary_key=True)
    calls: Mapped[int]

    __table_args__ = (
        CheckConstraint("calls >= 0", name="calls"),
        Index("ix_model_use_endpoint_id", "endpoint_id"),
    )
