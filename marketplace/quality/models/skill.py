"""What is known of people's skill, what taught it, and what was known on earlier days."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.jobs.models import Job
from marketplace.quality.rules.evidence import EvidenceSource


class Skill(Root):
    """How well a person does one kind of task in one domain.

    n: pieces of work that were judged; weight: what they count for together; right: their
    agreements, each 0..1 times its weight, added up; mean, lower: of the Beta posterior, where
    nine times in ten the truth lies above `lower`.
    """

    __tablename__ = "skill"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    domain: Mapped[str]
    task_type: Mapped[str]
    n: Mapped[int]
    weight: Mapped[float]
    right: Mapped[float]
    lower: Mapped[float]
    mean: Mapped[float]
    updated_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("person_id", "domain", "task_type"),
        CheckConstraint('0 <= n AND 0 <= "right" AND "right" <= weight', name="right"),
        CheckConstraint("0 <= lower AND lower <= mean AND mean <= 1", name="bounds"),
    )


class SkillEvidence(Root):
    """One thing that taught a person's skill; saying another thing of the same replaces it.

    source_id: the submission that was judged; of `consensus`, one for a person's work in a job.
    pieces: how many pieces of work it stands for; agreement: their mean, 0 is wrong, 1 is right;
    weight: what they count for together. Sums are kept in `skill`.
    """

    __tablename__ = "skill_evidence"
    source: Mapped[EvidenceSource] = mapped_column(text_enum(EvidenceSource))
    source_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    domain: Mapped[str]
    task_type: Mapped[str]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    agreement: Mapped[float]
    weight: Mapped[float]
    pieces: Mapped[int]
    learned_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("source", "source_id"),
        one_of("source", EvidenceSource),
        CheckConstraint("agreement BETWEEN 0 AND 1", name="agreement"),
        CheckConstraint("weight > 0 AND pieces >= 1", name="weight"),
        Index("ix_skill_evidence_person_id", "person_id", "domain", "task_type", "learned_at"),
    )


class SkillPoint(Root):
    """What was known of a skill at the end of a day on which something was learned; never changed.

    Today's is the row of `skill`, and becomes a point when something is learned on a later day.
    """

    __tablename__ = "skill_point"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    domain: Mapped[str]
    task_type: Mapped[str]
    on_date: Mapped[date]
    n: Mapped[int]
    weight: Mapped[float]
    right: Mapped[float]

    __table_args__ = (PrimaryKeyConstraint("person_id", "domain", "task_type", "on_date"),)


def skill_domain() -> ColumnElement[str]:
    """The domain that a job's work counts for, in a statement about `job`.

    What the lab wrote, whatever its case; where it wrote nothing, the profession.
    """
    written = func.nullif(func.lower(Job.domain), "")
    return func.coalesce(written, Job.profession, "general")
