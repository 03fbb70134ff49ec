"""What is known of people's skill."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, PrimaryKeyConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root
from marketplace.jobs.models import Job


class Skill(Root):
    """How well a person does one kind of task in one domain.

    n: pieces of work that were judged; right: their agreements, each 0..1, added up; mean, lower:
    of the Beta posterior, where nine times in ten the truth lies above `lower`.
    """

    __tablename__ = "skill"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    domain: Mapped[str]
    task_type: Mapped[str]
    n: Mapped[int]
    right: Mapped[float]
    lower: Mapped[float]
    mean: Mapped[float]
    updated_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("person_id", "domain", "task_type"),
        CheckConstraint('"right" BETWEEN 0 AND n', name="right"),
        CheckConstraint("0 <= lower AND lower <= mean AND mean <= 1", name="bounds"),
    )


def skill_domain() -> ColumnElement[str]:
    """The domain that a job's work counts for, in a statement about `job`.

    What the lab wrote, whatever its case; where it wrote nothing, the profession.
    """
    written = func.nullif(func.lower(Job.domain), "")
    return func.coalesce(written, Job.profession, "general")
