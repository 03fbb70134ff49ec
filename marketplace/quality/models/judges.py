"""Judges, what they were asked and said, the reports on them, and checks for drift."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.quality.rules.judges.answers import AnswerOutcome
from marketplace.quality.rules.judges.asking import AnswerFormat
from marketplace.quality.rules.judges.runs import RunPurpose, RunState


class Judge(Root):
    """A model with a prompt that gives verdicts for a lab; its versions hold what it is."""

    __tablename__ = "judge"
    id: Mapped[IdKey]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organisation_id", "name"),)


class JudgeVersion(Root):
    """What a judge is, frozen. aspects: its dimensions, as a judge calibration has them.

    output_schema: of any item; prompt_sha256: of the prompt; frozen_sha256: of all that decides
    its answers; both_orders: whether responses are also shown turned round.
    """

    __tablename__ = "judge_version"
    id: Mapped[IdKey]
    judge_id: Mapped[UUID] = mapped_column(ForeignKey("judge.id"))
    number: Mapped[int]
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("model_endpoint.id"))
    model: Mapped[str]
    prompt: Mapped[str]
    prompt_sha256: Mapped[bytes]
    aspects: Mapped[list[Any]]
    output_schema: Mapped[dict[str, Any]]
    answer_format: Mapped[AnswerFormat] = mapped_column(text_enum(AnswerFormat))
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    top_p: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    seed: Mapped[int | None]
    tokens_max: Mapped[int]
    both_orders: Mapped[bool]
    frozen_sha256: Mapped[bytes]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("judge_id", "number"),
        one_of("answer_format", AnswerFormat),
        CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature"),
        CheckConstraint("top_p > 0 AND top_p <= 1", name="top_p"),
        CheckConstraint("tokens_max BETWEEN 1 AND 32000", name="tokens_max"),
    )


class JudgeRun(Root):
    """A version asked about a job's items. position: of the last item that is settled.

    report_id: whose anchors are asked anew, of checks; epoch: 0 for answers that are kept for all
    runs, else the number of the asking anew; cached: items that cost no call; calls_made: counted
    before each is made, retries too; stopped_because: a sentence for the lab.
    """

    __tablename__ = "judge_run"
    id: Mapped[IdKey]
    judge_version_id: Mapped[UUID] = mapped_column(ForeignKey("judge_version.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    purpose: Mapped[RunPurpose] = mapped_column(text_enum(RunPurpose))
    report_id: Mapped[UUID | None] = mapped_column(ForeignKey("judge_report.id"))
    epoch: Mapped[int]
    state: Mapped[RunState] = mapped_column(text_enum(RunState))
    stopped_because: Mapped[str | None]
    calls_max: Mapped[int]
    calls_a_minute_max: Mapped[int]
    calls_made: Mapped[int]
    position: Mapped[int]
    items: Mapped[int]
    answered: Mapped[int]
    refused: Mapped[int]
    malformed: Mapped[int]
    failed: Mapped[int]
    cached: Mapped[int]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", RunState),
        one_of("purpose", RunPurpose),
        CheckConstraint("(purpose = 'check') = (report_id IS NOT NULL)", name="check_has_report"),
        CheckConstraint("(purpose = 'check') = (epoch > 0)", name="check_asks_anew"),
        CheckConstraint("calls_made BETWEEN 0 AND calls_max", name="calls"),
        CheckConstraint("calls_a_minute_max >= 1", name="calls_a_minute_max"),
        CheckConstraint(
            "(state IN ('stopped', 'failed')) = (stopped_because IS NOT NULL)", name="stopped"
        ),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished"),
        Index("ix_judge_run_job_id", "job_id", "id"),
        Index("ix_judge_run_judge_version_id", "judge_version_id", "id"),
    )


class JudgeAnswer(Root):
    """What a version said of an item's content in one order, asked once for all runs of an epoch.

    content_sha256: the item's; turned: 0 for the order of the item, 1 for the other; said: the
    answer where it could not be read or was a refusal, to see why, at most 2,000 characters.
    """

    __tablename__ = "judge_answer"
    judge_version_id: Mapped[UUID] = mapped_column(ForeignKey("judge_version.id"))
    content_sha256: Mapped[bytes]
    turned: Mapped[int]
    epoch: Mapped[int]
    outcome: Mapped[AnswerOutcome] = mapped_column(text_enum(AnswerOutcome))
    failure: Mapped[str | None]
    verdicts: Mapped[dict[str, Any]]
    confidence: Mapped[float | None]
    said: Mapped[str | None]
    tokens: Mapped[int | None]
    seconds: Mapped[float]
    answered_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("judge_version_id", "content_sha256", "turned", "epoch"),
        one_of("outcome", AnswerOutcome),
        CheckConstraint("turned IN (0, 1)", name="turned"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        CheckConstraint("(outcome = 'failed') = (failure IS NOT NULL)", name="failure"),
    )


class JudgeReport(Root):
    """A report as it was made; it never changes. model, version: of the pre-labels.

    slice_key: the member of an item's metadata by which it is sliced, "" for none; facts: what was
    judged by whom, how it was asked; findings: as `rules.judges.report` makes them; anchors: the
    judge's verdicts by item, which checks for drift stand against.
    """

    __tablename__ = "judge_report"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    model: Mapped[str]
    version: Mapped[str]
    number: Mapped[int]
    judge_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("judge_version.id"))
    slice_key: Mapped[str]
    items: Mapped[int]
    facts: Mapped[dict[str, Any]]
    findings: Mapped[list[Any]]
    anchors: Mapped[dict[str, Any]]
    findings_sha256: Mapped[bytes]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("job_id", "model", "version", "number"),
        Index("ix_judge_report_organisation_id", "organisation_id", "id"),
    )


class JudgeCheck(Root):
    """What a later run says against a report. anchored: the same items were asked anew."""

    __tablename__ = "judge_check"
    id: Mapped[IdKey]
    report_id: Mapped[UUID] = mapped_column(ForeignKey("judge_report.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("judge_run.id"), unique=True)
    anchored: Mapped[bool]
    drifted: Mapped[bool]
    moved: Mapped[list[Any]]
    made_at: Mapped[datetime]

    __table_args__ = (Index("ix_judge_check_report_id", "report_id", "id"),)
