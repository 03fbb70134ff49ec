"""Shapes of jobs; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, AnyMoney, Money, Record


class Organisation(Record):
    """What the API calls OrganisationShown."""

    id: str
    name: str
    kind: str


class Me(Record):
    """What the API calls MeShown."""

    id: str
    name: str
    email: str
    timezone: str
    organisation: Organisation | None
    roles: list[str]
    scopes: list[str]
    token_id: str


class Requirements(Record):
    """What the API calls Requirements."""

    profession: str | None
    specialties: list[str]
    credential_level_min: int
    jurisdictions: list[str]
    languages: list[str]
    skill_min: float | None
    qualifications: list[str]


class Overlap(Record):
    """What the API calls Overlap."""

    min: int
    max: int
    confidence_target: float | None


class Pay(Record):
    """What the API calls Pay."""

    amount_minor: int
    currency: str
    per: str


class Review(Record):
    """What the API calls Review."""

    sample_ratio: float


class Conflicts(Record):
    """What the API calls Conflicts."""

    distinct_by: list[str]


class Limits(Record):
    """What the API calls Limits."""

    claims_live_max: int
    tasks_a_person_max: int | None


class Job(Record):
    """What the API calls JobShown."""

    id: str
    reference: str
    title: str
    domain: str
    purpose: str
    task_type: str
    state: str
    pause_reason: str | None
    instructions_md: str
    template: dict[str, Any]
    template_version: int
    requirements: Requirements
    overlap: Overlap
    pay: Pay
    expected_seconds: int
    time_cap_seconds: int
    lease_seconds: int
    review: Review
    ai_policy: str
    deadline_at: datetime | None
    conflicts: Conflicts
    limits: Limits
    late_pay: str
    cannot_complete_ratio: float
    contingency_ratio: float
    repeat_ratio: float
    items: int
    version: int
    created_at: datetime
    published_at: datetime | None
    closed_at: datetime | None


class Price(Record):
    """What the API calls PriceShown."""

    pay: Money
    fee: Money
    total: Money


class TimeToFill(Record):
    """What the API calls TimeToFill."""

    p50: int | None
    p90: int | None
    note: str


class Feasibility(Record):
    """What the API calls FeasibilityShown."""

    reachable: bool
    accuracy: float
    labels_needed: int | None
    why: str


class Quote(Record):
    """What the API calls QuoteShown."""

    tasks: int
    specialist_tasks_max: int
    price: Money
    fee: Money
    least: Price
    most: Price
    contingency: Price
    eligible_specialists: int
    eligible_is_coarse: bool
    removed: dict[str, int]
    time_to_fill_seconds: TimeToFill
    overlap: Feasibility | None


class Progress(Record):
    """What the API calls ProgressShown."""

    tasks: int
    final: int
    filled: int
    seats_open: int
    seats_claimed: int
    submitted: int
    in_review: int
    accepted: int
    rejected: int
    rework: int
    surplus: int
    cannot_complete: int
    guideline_gaps: int


class Difference(Record):
    """What the API calls DifferenceShown."""

    place: str
    kind: str
    before: str
    after: str


class Version(Record):
    """What the API calls VersionShown."""

    id: str
    number: int
    change: str | None
    template: dict[str, Any]
    instructions_md: str
    differences: list[Difference]
    created_at: datetime


class Again(Record):
    """What the API calls AgainShown."""

    judgements: int
    pay: Money
    fee: Money
    most: Money
    contingency: Money


class RequirementsAsked(TypedDict, total=False):
    """What the API calls Requirements."""

    profession: str | None
    specialties: list[str]
    credential_level_min: int
    jurisdictions: list[str]
    languages: list[str]
    skill_min: float | None
    qualifications: list[AnyId]


class OverlapAsked(TypedDict, total=False):
    """What the API calls Overlap."""

    min: int
    max: int
    confidence_target: float | None


class PayAsked(TypedDict, total=False):
    """What the API calls Pay."""

    amount_minor: Required[int]
    currency: Required[str]
    per: Literal["task", "hour"]


class ReviewAsked(TypedDict, total=False):
    """What the API calls Review."""

    sample_ratio: float


class ConflictsAsked(TypedDict, total=False):
    """What the API calls Conflicts."""

    distinct_by: list[Literal["household", "device", "organisation"]]


class LimitsAsked(TypedDict, total=False):
    """What the API calls Limits."""

    claims_live_max: int
    tasks_a_person_max: int | None


class NewJob(TypedDict, total=False):
    """What the API calls NewJob."""

    title: Required[str]
    domain: str
    purpose: Literal["work", "qualification"]
    instructions_md: str
    template: dict[str, Any]
    requirements: RequirementsAsked
    overlap: OverlapAsked
    pay: PayAsked
    expected_seconds: int
    time_cap_seconds: int
    lease_seconds: int
    review: ReviewAsked
    ai_policy: Literal["forbidden", "disclosed", "free"]
    deadline_at: datetime | str | None
    conflicts: ConflictsAsked
    limits: LimitsAsked
    late_pay: Literal["full", "half"]
    cannot_complete_ratio: float
    contingency_ratio: float
    repeat_ratio: float
    task_type: Required[
        Literal[
            "chat",
            "code",
            "correction",
            "critique_revise",
            "demonstration",
            "fact_check",
            "judge_calibration",
            "pairwise",
            "ranking",
            "red_team",
            "regions",
            "rubric",
            "rubric_writing",
            "spans",
            "trajectory",
        ]
    ]


class JobChange(TypedDict, total=False):
    """What the API calls JobChange."""

    title: str
    domain: str
    purpose: Literal["work", "qualification"]
    instructions_md: str
    template: dict[str, Any]
    requirements: RequirementsAsked
    overlap: OverlapAsked
    pay: PayAsked
    expected_seconds: int
    time_cap_seconds: int
    lease_seconds: int
    review: ReviewAsked
    ai_policy: Literal["forbidden", "disclosed", "free"]
    deadline_at: datetime | str | None
    conflicts: ConflictsAsked
    limits: LimitsAsked
    late_pay: Literal["full", "half"]
    cannot_complete_ratio: float
    contingency_ratio: float
    repeat_ratio: float


class NewVersion(TypedDict, total=False):
    """What the API calls NewVersion."""

    change: Required[Literal["finish", "reopen", "requalify"]]
    template: dict[str, Any] | None
    instructions_md: str | None
    pay: AnyMoney | None
    most: AnyMoney | None
    version: int | None


class AgainAsked(TypedDict, total=False):
    """What the API calls AgainAsked."""

    pay: AnyMoney | None
