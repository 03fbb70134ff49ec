"""Shapes of review; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Money, Record
from marketplace.client.shapes.work import Guidelines, RationaleClaim, Reference


class Defect(Record):
    """What the API calls Defect."""

    what: str
    severity: str
    where: str
    code: str
    place: str
    start: int
    end: int
    fix: str
    guideline_version: int


class Decision(Record):
    """What the API calls DecisionShown."""

    id: str
    submission_id: str
    verdict: str
    defects: list[Defect]
    note: str
    decided_at: datetime
    held: bool


class JobSubmission(Record):
    """What the API calls JobSubmission."""

    rationale: str | None
    rationale_claims: list[RationaleClaim]
    confidence: float | None
    references: list[Reference]
    flags: list[str]
    ai_use: dict[str, Any] | None
    id: str
    task_id: str
    job_id: str
    state: str
    judgement: dict[str, Any]
    presented_order: list[str]
    pay: Money
    active_seconds: int
    spent: list[dict[str, Any]]
    template_version: int
    guidelines: Guidelines
    repeats_submission_id: str | None
    round: int
    submitted_at: datetime
    decided_at: datetime | None
    external_id: str
    author: str
    credential_level: int
    decision: Decision | None


class Policy(Record):
    """What the API calls Policy."""

    days_max: int
    second_look_ratio: float
    adjudicates: bool


class Waiting(Record):
    """What the API calls Waiting."""

    rationale: str | None
    rationale_claims: list[RationaleClaim]
    confidence: float | None
    references: list[Reference]
    flags: list[str]
    ai_use: dict[str, Any] | None
    id: str
    task_id: str
    job_id: str
    state: str
    judgement: dict[str, Any]
    presented_order: list[str]
    pay: Money
    active_seconds: int
    spent: list[dict[str, Any]]
    template_version: int
    guidelines: Guidelines
    repeats_submission_id: str | None
    round: int
    submitted_at: datetime
    decided_at: datetime | None
    external_id: str
    author: str
    chance: float | None
    reasons: list[str]
    due_at: datetime | None


class Code(Record):
    """What the API calls CodeShown."""

    code: str
    words: str


class Codes(Record):
    """What the API calls CodesShown."""

    items: list[Code]


class Reviewer(Record):
    """What the API calls ReviewerShown."""

    reviewer_id: str
    decided: int
    rejected: int
    checked: int
    overturned: int
    lower: float | None
    upper: float | None


class Reviewers(Record):
    """What the API calls ReviewersShown."""

    items: list[Reviewer]


class Hold(Record):
    """What the API calls HoldShown."""

    id: str
    job_id: str
    reviewer_id: str | None
    state: str
    rate: float
    lower: float
    bound: float
    opened_at: datetime
    due_at: datetime
    lab_reason: str | None
    operations_reason: str | None
    release_reason: str | None


class Holds(Record):
    """What the API calls HoldsShown."""

    items: list[Hold]


class Case(Record):
    """What the API calls CaseShown."""

    id: str
    task_id: str
    job_id: str
    state: str
    cause: str
    units: list[str]
    opened_at: datetime
    due_at: datetime
    judgement: dict[str, Any] | None
    chosen_id: str | None
    rationale: str | None
    ended_at: datetime | None


class Appeal(Record):
    """What the API calls AppealShown."""

    id: str
    subject: str
    submission_id: str | None
    job_id: str
    state: str
    reason: str | None
    statement: str | None
    note: str | None
    filed_at: datetime
    statement_due_at: datetime
    decide_by: datetime
    ended_at: datetime | None
    author: str | None


class AppealWhole(Record):
    """What the API calls AppealWhole."""

    id: str
    subject: str
    submission_id: str | None
    job_id: str
    state: str
    reason: str | None
    statement: str | None
    note: str | None
    filed_at: datetime
    statement_due_at: datetime
    decide_by: datetime
    ended_at: datetime | None
    author: str | None
    evidence: dict[str, Any] | None


class DefectAsked(TypedDict, total=False):
    """What the API calls Defect."""

    what: Required[str]
    severity: Required[Literal["minor", "major", "critical"]]
    where: str
    code: str
    place: str
    start: int
    end: int
    fix: str


class DecisionAsked(TypedDict, total=False):
    """What the API calls DecisionAsked."""

    verdict: Required[Literal["accept", "rework", "reject"]]
    defects: list[DefectAsked]
    note: str


class PolicyAsked(TypedDict, total=False):
    """What the API calls Policy."""

    days_max: Required[int]
    second_look_ratio: Required[float]
    adjudicates: bool


class HoldAsked(TypedDict, total=False):
    """What the API calls HoldAsked."""

    does: Required[Literal["confirm", "release"]]
    reason: Required[str]


class SettleAsked(TypedDict, total=False):
    """What the API calls SettleAsked."""

    chosen_id: AnyId | None
    judgement: dict[str, Any] | None
    rationale: Required[str]


class AppealAsked(TypedDict, total=False):
    """What the API calls AppealAsked."""

    reason: Required[str]


class AppealStatement(TypedDict, total=False):
    """What the API calls AppealStatement."""

    statement: Required[str]


class AppealDecision(TypedDict, total=False):
    """What the API calls AppealDecision."""

    outcome: Required[Literal["upheld", "denied"]]
    note: Required[str]
