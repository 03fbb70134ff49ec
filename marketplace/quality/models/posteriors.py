"""What is believed of labels and of those who gave them, and the fits that it comes from.

A question is a unit as its scale names it: `choice`, or `steps.*` for all units that begin so.
Authors and fits are kept for each question, posteriors for each unit of each task.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.quality.rules.ballots import AuthorKind


class TaskPosterior(Root):
    """What is believed of one unit of a task.

    label: the likeliest; probabilities: of every label, in the order of the question's labels;
    n: labels it rests on, of which so many by people and by models; decided: whether gold says it;
    fit: the job's fit that last wrote or last prepared it, 0 before the first; revision: counts
    writes outside of fits, so that a fit never writes over what came in while it was running.
    estimate: of a unit that is a number, on its scale, with bounds that hold 90 %; `label` is the
    legal value nearest to it.
    """

    __tablename__ = "posterior"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    unit: Mapped[str]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    question: Mapped[str]
    label: Mapped[str]
    confidence: Mapped[float]
    labels: Mapped[list[str]]
    probabilities: Mapped[list[float]] = mapped_column(ARRAY(Double()))
    n: Mapped[int]
    humans: Mapped[int]
    models: Mapped[int]
    decided: Mapped[bool]
    fit: Mapped[int]
    revision: Mapped[int]
    updated_at: Mapped[datetime]
    estimate: Mapped[float | None]
    estimate_lower: Mapped[float | None]
    estimate_upper: Mapped[float | None]

    __table_args__ = (
        PrimaryKeyConstraint("task_id", "unit"),
        CheckConstraint("confidence BETWEEN 0 AND 1.000001", name="confidence"),
        CheckConstraint("n = humans + models", name="n"),
        Index("ix_posterior_job_id", "job_id", "task_id", "unit"),
        Index("ix_posterior_contested", "job_id", "confidence", "task_id", "unit"),
    )


class LabelAuthor(Root):
    """How far one author's labels can be trusted in one question of a job.

    author: a person's id, or `model@version`; counts: expected labels by truth, row by row, in the
    order of the question's labels at this `fit`; lower, upper: hold 90 % of its reliability.
    bias, noise: in points of the scale, where the question asks for a number.
    """

    __tablename__ = "label_author"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    question: Mapped[str]
    kind: Mapped[AuthorKind] = mapped_column(text_enum(AuthorKind))
    author: Mapped[str]
    counts: Mapped[list[float]] = mapped_column(ARRAY(Double()))
    n: Mapped[int]
    reliability: Mapped[float]
    lower: Mapped[float]
    upper: Mapped[float]
    fit: Mapped[int]
    updated_at: Mapped[datetime]
    bias: Mapped[float | None]
    noise: Mapped[float | None]

    __table_args__ = (
        PrimaryKeyConstraint("job_id", "question", "kind", "author"),
        one_of("kind", AuthorKind),
        CheckConstraint("0 <= lower AND lower <= upper AND upper <= 1", name="bounds"),
    )


class QuestionFit(Root):
    """What a job's last fit says of one question.

    labels: in the order that counts and probabilities keep; population: what is expected of an
    author who has said nothing (`categorical.Prior`), and the calibration; curve: judgements bought
    and the mean confidence they give, `[[judgements, confidence, accuracy], …]`; method: how
    estimates came about (`ordinal.Method`), where the question asks for a number.
    """

    __tablename__ = "question_fit"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    question: Mapped[str]
    labels: Mapped[list[str]]
    population: Mapped[dict[str, Any]]
    accuracy: Mapped[float]
    curve: Mapped[list[Any]]
    fit: Mapped[int]
    method: Mapped[str | None]

    __table_args__ = (PrimaryKeyConstraint("job_id", "question"),)


class JobAgreement(Root):
    """Agreement of people on one unit of a job, as the last fit found it.

    measures: of each measure its value, the number of items and labels, prevalence, lower and
    upper; a measure that the labels cannot give is absent.
    """

    __tablename__ = "agreement"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    unit: Mapped[str]
    level: Mapped[str]
    items: Mapped[int]
    labels: Mapped[int]
    agreement_ratio: Mapped[float | None]
    measures: Mapped[dict[str, Any]]
    computed_at: Mapped[datetime]

    __table_args__ = (PrimaryKeyConstraint("job_id", "unit"),)


class JobFit(Root):
    """The fits of a job: what the last one rests on, and how long it took.

    started, fit: numbers of the fit that began last and of the one whose results stand;
    submissions: counted ones that it read; last_submission_id: the newest of the job then;
    pairs: people by two, `[first, second, items, agreement, kappa]`.
    """

    __tablename__ = "job_fit"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    started: Mapped[int]
    fit: Mapped[int]
    submissions: Mapped[int]
    last_submission_id: Mapped[UUID | None]
    pairs: Mapped[list[Any]]
    seconds: Mapped[float]
    computed_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("0 <= fit AND fit <= started", name="fit"),)


class JobStrengths(Root):
    """How strong what was compared across a job's items is, as the last fit found it.

    question: the unit as its scale names it; result: `rules.strengths.Found` as JSON.
    """

    __tablename__ = "job_strengths"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    question: Mapped[str]
    result: Mapped[dict[str, Any]]
    fit: Mapped[int]
    computed_at: Mapped[datetime]

    __table_args__ = (PrimaryKeyConstraint("job_id", "question"),)
