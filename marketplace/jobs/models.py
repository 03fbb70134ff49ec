"""The tables of jobs. Nobody outside this slice writes them."""

from __future__ import annotations

from dataclasses import asdict
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
    PrimaryKeyConstraint,
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
    Feedback,
    ImageFormat,
    ImportKind,
    ImportState,
    JobState,
    LatePay,
    PauseReason,
    PayPer,
    Purpose,
    Terms,
    Tones,
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
    qualifications that are older do not count.
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

    __table_args__ = (
        CheckConstraint("repeat_ratio BETWEEN 0 AND 0.2", name="repeat_ratio"),
        CheckConstraint("seats_max >= 1", name="seats_max"),
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


class Item(Root):
    """One row of a lab's data. position: from 1, dense, in order of arrival.

    payload, gold: JSON text, letter for letter as sent; `payload_text(Item.payload)` in queries
    reads it without decoding. sent_sha256: over everything sent, to tell a repeat from a conflict.
    """

    __tablename__ = "item"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    external_id: Mapped[str]
    position: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    payload_sha256: Mapped[bytes]
    sent_sha256: Mapped[bytes]
    gold: Mapped[dict[str, Any] | None] = mapped_column(JsonText(none_as_null=True))

    __table_args__ = (
        UniqueConstraint("job_id", "external_id"),
        UniqueConstraint("job_id", "position"),
    )


class ItemAuthor(Root):
    """A specialist who wrote something of an item, under the lab's pseudonym for them.

    Who wrote it does not judge it. The pseudonym is as the lab knows it, so that a claim asks for
    one row by its key, whoever joins later.
    """

    __tablename__ = "item_author"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    author: Mapped[str]

    __table_args__ = (PrimaryKeyConstraint("item_id", "author"),)


class Prelabel(Root):
    """What a model said about an item; number: from 1, as sent."""

    __tablename__ = "prelabel"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int]
    model: Mapped[str]
    version: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    confidence: Mapped[float | None]

    __table_args__ = (
        PrimaryKeyConstraint("item_id", "number"),
        UniqueConstraint("item_id", "model", "version"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    )


class JobImport(Root):
    """A file on its way into a job. read_bytes, read_lines: where reading goes on."""

    __tablename__ = "job_import"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[ImportKind] = mapped_column(text_enum(ImportKind))
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState))
    filename: Mapped[str]
    storage_ref: Mapped[str]
    size_bytes: Mapped[int | None]
    read_bytes: Mapped[int]
    read_lines: Mapped[int]
    rows_read: Mapped[int]
    accepted: Mapped[int]
    duplicates: Mapped[int]
    rejected: Mapped[int]
    rejections_kept: Mapped[int]
    failure: Mapped[str | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("state", ImportState),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint(
            "(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"
        ),
        CheckConstraint("rows_read = accepted + duplicates + rejected", name="rows_add_up"),
        Index("ix_job_import_job_id_id", "job_id", "id"),
    )


class RejectedRow(Root):
    """One fault of one line of an import; never the line itself."""

    __tablename__ = "rejected_row"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("job_import.id"))
    number: Mapped[int]
    line: Mapped[int]
    external_id: Mapped[str | None]
    pointer: Mapped[str]
    message: Mapped[str]

    __table_args__ = (PrimaryKeyConstraint("import_id", "number"),)


class Qualification(Root):
    """The terms of a job whose purpose is qualification.

    items_a_form: what one attempt asks; forms: parallel ones, each person meets each at most
    once; cooldown_days: after an attempt that did not pass; valid_days: how long a pass stands;
    candidates_max: attempts that are paid for, of which places_taken are given out;
    time_limit_seconds: from the start of an attempt, what is open then counts as wrong;
    credential_type: what passing one of the platform's shows; it then counts as a verdict.
    """

    __tablename__ = "qualification"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    pass_ratio: Mapped[Decimal] = mapped_column(Ratio)
    items_a_form: Mapped[int]
    forms: Mapped[int]
    cooldown_days: Mapped[int]
    valid_days: Mapped[int]
    candidates_max: Mapped[int]
    time_limit_seconds: Mapped[int]
    feedback: Mapped[Feedback] = mapped_column(text_enum(Feedback))
    credential_type: Mapped[str | None]
    places_taken: Mapped[int]

    __table_args__ = (
        one_of("feedback", Feedback),
        CheckConstraint("pass_ratio > 0 AND pass_ratio <= 1", name="pass_ratio"),
        CheckConstraint("items_a_form >= 1 AND forms >= 1 AND candidates_max >= 1", name="sizes"),
        CheckConstraint("cooldown_days >= 0 AND valid_days >= 1", name="days"),
        CheckConstraint("time_limit_seconds >= 60", name="time_limit_seconds"),
        CheckConstraint("places_taken BETWEEN 0 AND candidates_max", name="places_taken"),
    )


class QualificationItem(Root):
    """An item of a bank as publishing dealt it. form: None for a spare, which may replace one."""

    __tablename__ = "qualification_item"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    concept: Mapped[str]
    form: Mapped[int | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        CheckConstraint("form >= 1", name="form"),
        CheckConstraint("(retired_at IS NULL) = (retired_by IS NULL)", name="retired"),
        Index("ix_qualification_item_job_id", "job_id", "form"),
    )


class ItemImage(Root):
    """An image that items name. sha256, size_bytes: as it was sent; bits: of one channel.

    low, high: the values of an image of 16 bits; window, level: how it is shown at first.
    """

    __tablename__ = "item_image"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    name: Mapped[str]
    sha256: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    bits: Mapped[int]
    format: Mapped[ImageFormat] = mapped_column(text_enum(ImageFormat))
    size_bytes: Mapped[int]
    low: Mapped[int | None]
    high: Mapped[int | None]
    window: Mapped[int | None]
    level: Mapped[int | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("job_id", "name"),
        one_of("format", ImageFormat),
        CheckConstraint("bits IN (8, 16)", name="bits"),
        CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name="sizes"),
        CheckConstraint('(bits = 16) = (num_nulls(low, high, "window", level) = 0)', name="tones"),
    )

    @property
    def tones(self) -> Tones | None:
        """The values of an image of 16 bits."""
        held = (self.low, self.high, self.window, self.level)
        known = [each for each in held if each is not None]
        return Tones(*known) if known else None

    @property
    def facts(self) -> dict[str, Any]:
        """What a task says of its image; `bits` and the tones only where there are 16."""
        facts = {"width": self.width, "height": self.height, "sha256": self.sha256.hex()}
        return facts | ({"bits": self.bits, **asdict(self.tones)} if self.tones else {})
