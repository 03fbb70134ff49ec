"""Agreement in a job as its last fit found it, for the lab that owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.quality.models import JobAgreement, JobFit, JobStrengths, LabelAuthor, QuestionFit
from marketplace.quality.rules.ballots import AuthorKind
from marketplace.secrets import pseudonym
from marketplace.work.rules import SubmissionState

COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)
UNITS_MAX = 200
AUTHORS_MAX = 200


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of agreement with its 90 % interval and the share of each label."""

    value: float
    items: int
    labels: int
    lower: float | None
    upper: float | None
    prevalence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class UnitAgreement:
    """Agreement of people on one unit, such as `choice`.

    items: those with two labels or more; level: `nominal`, `ordinal` or `interval`; lower, upper:
    hold 90 % of alpha; kappa: Cohen's, only where just two people judged, weighted by squares
    where labels rise; measures: all of them with their intervals, by name.
    """

    unit: str
    items: int
    labels: int
    agreement_ratio: float | None
    alpha: float | None
    level: str
    lower: float | None
    upper: float | None
    ac1: float | None
    kappa: float | None
    fleiss: float | None
    prevalence: Mapping[str, float]
    computed_at: datetime
    measures: Mapping[str, Measure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people, by this lab's pseudonyms, on the items that both judged."""

    first: str
    second: str
    items: int
    agreement_ratio: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class AuthorReliability:
    """How far one author's labels can be trusted in one question, with an interval of 90 %.

    author: this lab's pseudonym of a person, or `model@version`; n: labels that it rests on;
    bias, noise: in points of the scale, where the question asks for a number.
    """

    question: str
    kind: AuthorKind
    author: str
    n: int
    reliability: float
    lower: float
    upper: float
    bias: float | None = None
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class SystemStrength:
    """A system that items name. score: log odds around 0, with bounds of 90 %; n: how often met."""

    name: str
    score: float
    lower: float
    upper: float
    n: int


@dataclass(frozen=True, slots=True)
class ComparingAuthor:
    """Who compared. reliability: 1 as the middle author, 0 as a guesser; side: log odds of choosing
    the first of two equals; author: as in `AuthorReliability`."""

    kind: AuthorKind
    author: str
    reliability: float
    side: float
    n: int


@dataclass(frozen=True, slots=True)
class JobComparison:
    """The systems of a job, the strongest first. method: `bradley_terry` or `plackett_luce`; n:
    comparisons or rankings that it rests on."""

    method: str
    n: int
    systems: list[SystemStrength]
    authors: list[ComparingAuthor]


@dataclass(frozen=True, slots=True)
class JobQuality:
    """What is known of a job's quality, from `submissions` of them, as of `computed_at`.

    computed_at: None where nothing was worked out yet, which comes seconds after a submission;
    strengths: of the systems that items compare, None where they name none.
    """

    submissions: int
    units: list[UnitAgreement]
    pairs: list[PairAgreement]
    authors: list[AuthorReliability] = field(default_factory=list)
    computed_at: datetime | None = None
    strengths: JobComparison | None = None


def quality_of(session: Session, viewer: Actor, job_id: JobId) -> JobQuality:
    """Agreement by unit, between the people who did most, and how reliable each author is.

    Reads what the last fit stored; a page costs the same whatever the job's size.
    """
    job = jobs.job_of(session, viewer, job_id)
    fit = session.get(JobFit, job.id, populate_existing=True)
    if fit is None or fit.computed_at is None:
        return JobQuality(0, [], [])
    rows = session.scalars(
        select(JobAgreement)
        .where(JobAgreement.job_id == job.id)
        .order_by(JobAgreement.unit)
        .limit(UNITS_MAX)
        .execution_options(populate_existing=True)
    )
    return JobQuality(
        submissions=fit.submissions,
        units=[_unit(row) for row in rows],
        pairs=[_pair(row, job.organisation_id) for row in fit.pairs],
        authors=_authors(session, job.id, job.organisation_id),
        computed_at=fit.computed_at,
        strengths=_strengths(session, job.id, job.organisation_id),
    )


def _strengths(session: Session, job_id: UUID, organisation_id: UUID) -> JobComparison | None:
    row = session.scalars(
        select(JobStrengths).where(JobStrengths.job_id == job_id).limit(1)
    ).first()
    if row is None:
        return None
    told = row.result
    return JobComparison(
        method=told["method"],
        n=told["n"],
        systems=[SystemStrength(**each) for each in told["systems"]],
        authors=[
            ComparingAuthor(
                kind=kind,
                author=_name(kind, each["author"], organisation_id),
                reliability=each["reliability"],
                side=each["side"],
                n=each["n"],
            )
            for each in told["authors"][:AUTHORS_MAX]
            for kind in (AuthorKind(each["kind"]),)
        ],
    )


def _name(kind: AuthorKind, author: str, organisation_id: UUID) -> str:
    return author if kind is AuthorKind.MODEL else pseudonym(str(organisation_id), author)


def _unit(row: JobAgreement) -> UnitAgreement:
    measures = {name: _measure(each) for name, each in row.measures.items()}
    values = {name: each.value for name, each in measures.items()}
    alpha, seen = measures.get("alpha"), measures.get("observed")
    return UnitAgreement(
        unit=row.unit,
        items=row.items,
        labels=row.labels,
        agreement_ratio=row.agreement_ratio,
        alpha=values.get("alpha"),
        level=row.level,
        lower=alpha.lower if alpha else None,
        upper=alpha.upper if alpha else None,
        ac1=values.get("ac1"),
        kappa=values.get("kappa"),
        fleiss=values.get("fleiss"),
        prevalence=seen.prevalence if seen else {},
        computed_at=row.computed_at,
        measures=measures,
    )


def _measure(kept: Mapping[str, Any]) -> Measure:
    return Measure(
        value=kept["value"],
        items=kept["n_items"],
        labels=kept["n_ratings"],
        lower=kept["lower"],
        upper=kept["upper"],
        prevalence=kept["prevalence"],
    )


def _pair(row: list[Any], organisation_id: UUID) -> PairAgreement:
    first, second, items, ratio, kappa = row
    names = [pseudonym(str(organisation_id), person) for person in (first, second)]
    return PairAgreement(names[0], names[1], items, ratio, kappa)


def _authors(session: Session, job_id: UUID, organisation_id: UUID) -> list[AuthorReliability]:
    rows = session.scalars(
        select(LabelAuthor)
        .where(LabelAuthor.job_id == job_id)
        .order_by(LabelAuthor.n.desc(), LabelAuthor.question, LabelAuthor.author)
        .limit(AUTHORS_MAX)
        .execution_options(populate_existing=True)
    )
    return [
        AuthorReliability(
            question=row.question,
            kind=row.kind,
            author=_name(row.kind, row.author, organisation_id),
            n=row.n,
            reliability=row.reliability,
            lower=row.lower,
            upper=row.upper,
            bias=row.bias,
            noise=row.noise,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class CostPoint:
    """What so many judgements would have given: mean confidence, and accuracy where gold tells."""

    judgements: int
    confidence: float
    accuracy: float | None


def cost_curve(session: Session, viewer: Actor, job_id: JobId) -> Mapping[str, list[CostPoint]]:
    """Judgements bought against mean confidence, by question, as the last fit found it.

    The first point is one judgement a task, the last all there are.
    """
    job = jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(QuestionFit.question, QuestionFit.curve)
        .where(QuestionFit.job_id == job.id)
        .order_by(QuestionFit.question)
        .limit(UNITS_MAX)
    )
    return {question: [CostPoint(*point) for point in curve] for question, curve in rows}
