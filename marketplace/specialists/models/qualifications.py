"""Attempts at qualifications and their results."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.specialists.rules.qualifications import AttemptState

Ratio = Numeric(4, 3)
CHECKS = {
    "scored": "(state = 'scored') = (score IS NOT NULL AND passed IS NOT NULL)",
    "ended": "(state = 'live') = (finished_at IS NULL)",
    "passed_by_its_score": "passed IS NULL OR passed = (score >= pass_ratio)",
    "expires": "(passed IS TRUE) = (expires_at IS NOT NULL)",
    "counts": "attempt >= 1 AND form >= 1 AND items >= 1",
    "due": "due_at > started_at",
}


class QualificationResult(Root):
    """One person's attempt at a qualification, and what came of it.

    attempt: from 1; form: the items that were met; items: how many of them; pass_ratio: as it was
    at the start; due_at: what is not answered by then counts as wrong; score: 0..1, cut after
    three decimals; by_concept: {concept: {"items": n, "score": 0..1}}; by_item: {item id: 0..1};
    expires_at: of a pass.
    """

    __tablename__ = "qualification_result"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    attempt: Mapped[int]
    form: Mapped[int]
    state: Mapped[AttemptState] = mapped_column(text_enum(AttemptState))
    items: Mapped[int]
    pass_ratio: Mapped[Decimal] = mapped_column(Ratio)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    score: Mapped[Decimal | None] = mapped_column(Ratio)
    by_concept: Mapped[dict[str, Any]]
    by_item: Mapped[dict[str, Any]]
    passed: Mapped[bool | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("person_id", "job_id", "attempt"),
        UniqueConstraint("person_id", "job_id", "form"),
        Index(
            "uq_qualification_result_live",
            "person_id",
            "job_id",
            unique=True,
            postgresql_where=text("state = 'live'"),
        ),
        Index("ix_qualification_result_job_id", "job_id", "id"),
        Index("ix_qualification_result_due", "due_at", postgresql_where=text("state = 'live'")),
        one_of("state", AttemptState),
        *(CheckConstraint(said, name=name) for name, said in CHECKS.items()),
    )
