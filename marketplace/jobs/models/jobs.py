"""Jobs and the versions of their templates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    Sequence,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root, one_of, text_enum
from marketplace.jobs.rules import (
    AiPolicy,
    JobState,
    LatePay,
    PauseReason,
    PayPer,
    Purpose,
    Terms,
    VersionChange,
    hourly_rate,
)
from marketplace.money import Money

JOB_NUMBER = Sequence("job_number", metadata=Root.metadata)
Ratio = Numeric(4, 3)


class Job(Root):
    """What a lab posts.

    pay_minor: for one task or one hour (`pay_per`); time_cap_seconds: the most that is paid for
    one seat of an hourly job; fee_basis_points: frozen at publishing; item_count: items stored;
    items_seated: items up to this position have their seats; version: counts changes.
    qualification_ids: qualification jobs, all of which must be passed; distinct_by: what two
    authors of one task must not share; claims_live_max: tasks in one person's hands at a time;
    tasks_a_person_max: tasks that one person may do in all; late_pay: what an answer earns whose
    seat had gone to somebody else; cannot_complete_ratio: the share of the pay for a task that
    cannot be done, with evidence; contingency_ratio: reserved on top of the most for such pay;
    seats_max: the most seats that a qualification pays, whose items do not say it; repeat_ratio:
    the share of a person's tasks that they are asked once more, in another order; keeps_versions:
    whether tasks that were begun may keep an older version; requalify_since: passes of its
    qualifications that are older do not count; specialist_items_max: the most items that
    specialists judge, where models judge the rest.
    """

    __tablename__ = "job"
    id: Mapped[IdKey]
    reference: Mapped[str] = mapped_column(unique=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    domain: Mapped[str]
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose))
    task_type: Mapped[str]
    state: Mapped[JobState] = mapped_column(text_enum(JobState))
    pause_reason: Mapped[PauseReason | None] = mapped_column(text_enum(PauseReason))
    instructions_md: Mapped[str]
    profession: Mapped[str | None]
    specialties: Mapped[list[str]]
    credential_level_min: Mapped[int]
    jurisdictions: Mapped[list[str]]
    languages: Mapped[list[str]]
    skill_min: Mapped[Decimal | None] = mapped_column(Ratio)
    overlap_min: Mapped[int]
    overlap_max: Mapped[int]
    confidence_target: Mapped[Decimal | None] = mapped_column(Ratio)
    pay_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    pay_per: Mapped[PayPer] = mapped_column(text_enum(PayPer))
    expected_seconds: Mapped[int]
    time_cap_seconds: Mapped[int]
    lease_seconds: Mapped[int]
    review_sample_ratio: Mapped[Decimal] = mapped_column(Ratio)
    ai_policy: Mapped[AiPolicy] = mapped_column(text_enum(AiPolicy))
    deadline_at: Mapped[datetime | None]
    fee_basis_points: Mapped[int | None]
    # Deferred, since a job and its first version name each other.
    template_version_id: Mapped[UUID] = mapped_column(
        ForeignKey("template_version.id", use_alter=True, deferrable=True, initially="DEFERRED")
    )
    item_count: Mapped[int]
    items_seated: Mapped[int]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]
    qualification_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    distinct_by: Mapped[list[str]] = mapped_column(server_default="{}")
    claims_live_max: Mapped[int] = mapped_column(server_default="5")
    tasks_a_person_max: Mapped[int | None]
    late_pay: Mapped[LatePay] = mapped_column(text_enum(LatePay), server_default="full")
    cannot_complete_ratio: Mapped[Decimal] = mapped_column(Ratio, server_default="0")
    contingency_ratio: Mapped[Decimal] = mapped_column(Ratio, server_default="0")
    items_authored: Mapped[bool] = mapped_column(server_default="false")
    seats_max: Mapped[int | None]
    repeat_ratio: Mapped[Decimal] = mapped_column(Ratio, server_default="0")
    keeps_versions: Mapped[bool] = mapped_column(server_default="false")
    requalify_since: Mapped[datetime | None]
    specialist_items_max: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("repeat_ratio BETWEEN 0 AND 0.2", name="repeat_ratio"),
        CheckConstraint("seats_max >= 1", name="seats_max"),
        CheckConstraint("specialist_items_max >= 1", name="specialist_items_max"),
        one_of("late_pay", LatePay),
        CheckConstraint("claims_live_max BETWEEN 1 AND 100", name="claims_live_max"),
        CheckConstraint("tasks_a_person_max >= 1", name="tasks_a_person_max"),
        CheckConstraint("cannot_complete_ratio BETWEEN 0 AND 0.5", name="cannot_complete_ratio"),
        CheckConstraint("contingency_ratio BETWEEN 0 AND 1", name="contingency_ratio"),
        CheckConstraint(
            "distinct_by <@ ARRAY['household', 'device', 'organisation']", name="distinct_by"
        ),
        one_of("purpose", Purpose),
        one_of("state", JobState),
        one_of("pause_reason", PauseReason),
        one_of("pay_per", PayPer),
        one_of("ai_policy", AiPolicy),
        CheckConstraint("(state = 'paused') = (pause_reason IS NOT NULL)", name="pause_has_reason"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        CheckConstraint(
            "(published_at IS NULL) = (fee_basis_points IS NULL)", name="fee_is_frozen"
        ),
        CheckConstraint(
            "state = 'closed' OR (state = 'draft') = (published_at IS NULL)", name="published"
        ),
        CheckConstraint("1 <= overlap_min AND overlap_min <= overlap_max", name="overlap"),
        CheckConstraint("pay_minor >= 0", name="pay"),
        CheckConstraint("credential_level_min BETWEEN 0 AND 4", name="credential_level_min"),
        CheckConstraint("review_sample_ratio BETWEEN 0 AND 1", name="review_sample_ratio"),
        CheckConstraint("0 <= items_seated AND items_seated <= item_count", name="items_seated"),
        Index("ix_job_organisation_id_id", "organisation_id", "id"),
        Index("ix_job_open", "id", postgresql_where=text("state = 'open'")),
        Index("ix_job_requalified", "id", postgresql_where=text("requalify_since IS NOT NULL")),
        Index(
            "ix_job_wants_seats",
            "id",
            postgresql_where=text("state = 'open' AND item_count > items_seated"),
        ),
    )

    @property
    def pay(self) -> Money:
        """Pay for one task, or for one hour."""
        return Money(self.pay_minor, self.currency)

    @property
    def hourly_rate(self) -> Money:
        """What an hour brings to someone who needs the expected time."""
        return hourly_rate(self.pay, self.pay_per, self.expected_seconds)

    def terms(self, fee_basis_points: int) -> Terms:
        """What prices depend on; the fee given counts only until it is frozen."""
        frozen = self.fee_basis_points
        return Terms(
            pay=self.pay,
            per=self.pay_per,
            time_cap_seconds=self.time_cap_seconds,
            fee_basis_points=fee_basis_points if frozen is None else frozen,
            overlap_min=self.overlap_min,
            overlap_max=self.overlap_max,
            seats_max=self.seats_max if self.purpose is Purpose.QUALIFICATION else None,
            items_max=self.specialist_items_max,
            contingency_basis_points=int(
                ((self.contingency_ratio or 0) + (self.repeat_ratio or 0)) * 10_000
            ),
        )


class TemplateVersion(Root):
    """A template with instructions, append-only. change: what it meant for work begun earlier."""

    __tablename__ = "template_version"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    number: Mapped[int]
    template: Mapped[dict[str, Any]] = mapped_column(JsonText)
    template_sha256: Mapped[bytes]
    instructions_md: Mapped[str]
    instructions_sha256: Mapped[bytes]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    change: Mapped[VersionChange | None] = mapped_column(text_enum(VersionChange))

    __table_args__ = (UniqueConstraint("job_id", "number"), one_of("change", VersionChange))
