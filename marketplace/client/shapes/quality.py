"""Shapes of quality; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from marketplace.client.records import Record


class Measure(Record):
    """What the API calls MeasureShown."""

    value: float
    items: int
    labels: int
    lower: float | None
    upper: float | None
    prevalence: dict[str, float]


class Unit(Record):
    """What the API calls UnitShown."""

    unit: str
    level: str
    items: int
    labels: int
    agreement_ratio: float | None
    alpha: float | None
    lower: float | None
    upper: float | None
    ac1: float | None
    kappa: float | None
    fleiss: float | None
    prevalence: dict[str, float]
    measures: dict[str, Measure]
    computed_at: datetime


class Pair(Record):
    """What the API calls PairShown."""

    first: str
    second: str
    items: int
    agreement_ratio: float | None
    kappa: float | None


class Author(Record):
    """What the API calls AuthorShown."""

    question: str
    kind: Any
    author: str
    n: int
    reliability: float
    lower: float
    upper: float
    bias: float | None
    noise: float | None


class Cost(Record):
    """What the API calls CostShown."""

    judgements: int
    confidence: float
    accuracy: float | None


class System(Record):
    """What the API calls SystemShown."""

    name: str
    score: float
    lower: float
    upper: float
    n: int


class ComparingAuthor(Record):
    """What the API calls ComparingAuthorShown."""

    kind: Any
    author: str
    reliability: float
    side: float
    n: int


class Strengths(Record):
    """What the API calls StrengthsShown."""

    method: str
    n: int
    systems: list[System]
    authors: list[ComparingAuthor]


class Quality(Record):
    """What the API calls QualityShown."""

    submissions: int
    units: list[Unit]
    pairs: list[Pair]
    authors: list[Author]
    cost: dict[str, list[Cost]]
    strengths: Strengths | None
    computed_at: datetime | None


class Estimate(Record):
    """What the API calls EstimateShown."""

    value: float
    lower: float
    upper: float


class BelievedLabel(Record):
    """What the API calls BelievedLabelShown."""

    task_id: str
    external_id: str
    unit: str
    label: str
    confidence: float
    n: int
    humans: int
    models: int
    decided: bool
    estimate: Estimate | None


class Drift(Record):
    """What the API calls DriftShown."""

    difference: float
    lower: float
    upper: float
    recent_n: int
    moved: bool


class SkillDay(Record):
    """What the API calls SkillDayShown."""

    on_date: date
    n: int
    mean: float
    lower: float
    upper: float


class Taught(Record):
    """What the API calls TaughtShown."""

    source: Any
    job: dict[str, Any] | None
    submission_id: str | None
    agreement: float
    weight: float
    pieces: int
    learned_at: datetime | None


class Skill(Record):
    """What the API calls SkillShown."""

    domain: str
    task_type: str
    n: int
    mean: float
    bound: float
    lower: float
    upper: float
    drift: Drift | None
    days: list[SkillDay]
    evidence: list[Taught]


class Skills(Record):
    """What the API calls SkillsShown."""

    skills: list[Skill]


class Voice(Record):
    """What the API calls VoiceShown."""

    submission_id: str
    author: str
    label: str
    rationale: str | None


class Disagreement(Record):
    """What the API calls DisagreementShown."""

    task_id: str
    item_id: str
    external_id: str
    unit: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    humans: int
    models: int
    voices: list[Voice]


class Bin(Record):
    """What the API calls BinShown."""

    lower: float
    upper: float
    labels: int


class Bought(Record):
    """What the API calls BoughtShown."""

    judgements: int
    labels: int
    confidence: float


class Shape(Record):
    """What the API calls ShapeShown."""

    labels: int
    is_part: bool
    sure: int | None
    bins: list[Bin]
    bought: list[Bought]


class Remark(Record):
    """What the API calls RemarkShown."""

    id: str
    submission_id: str
    job_id: str
    job_title: str
    round: int
    verdict: Any
    note: str
    defects: list[Any]
    decided_at: datetime
    stands: bool
