"""Shapes of work; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Money, Record


class FeedJob(Record):
    """What the API calls FeedJob."""

    job_id: str
    title: str
    domain: str
    task_type: str
    pay: Money
    pay_per: str
    expected_seconds: int
    hourly_rate: Money
    seats_open: int
    done_by_me: int
    ai_policy: str
    review_sample_ratio: float
    deadline_at: datetime | None


class Reason(Record):
    """What the API calls ReasonShown."""

    code: str
    message: str
    action_url: str | None


class Eligibility(Record):
    """What the API calls EligibilityShown."""

    eligible: bool
    reasons: list[str]
    details: list[Reason]


class NoClaim(Record):
    """What the API calls NoClaim."""

    claim: None
    reasons: list[str]


class Task(Record):
    """What the API calls TaskShown."""

    id: str
    job_id: str
    type: str
    template_version: int
    template: dict[str, Any]
    payload: dict[str, Any]
    presented_order: list[str]


class Claim(Record):
    """What the API calls ClaimShown."""

    id: str
    fence: int
    state: str
    expires_at: datetime
    pay: Money
    etag: str
    instructions_md: str
    task: Task


class Lease(Record):
    """What the API calls LeaseShown."""

    expires_at: datetime


class RationaleClaim(Record):
    """What the API calls RationaleClaim."""

    text: str
    evidence: list[dict[str, Any]]


class Reference(Record):
    """What the API calls Reference."""

    type: str
    url: str
    citation: str
    locator: str
    quote: str
    accessed_at: str


class Draft(Record):
    """What the API calls DraftShown."""

    rationale: str | None
    rationale_claims: list[RationaleClaim]
    confidence: float | None
    references: list[Reference]
    flags: list[str]
    ai_use: dict[str, Any] | None
    judgement: Any
    revision: int
    saved_at: datetime | None


class Revision(Record):
    """What the API calls RevisionShown."""

    revision: int
    saved_at: datetime
    content: dict[str, Any]


class Guidelines(Record):
    """What the API calls Guidelines."""

    version: int
    sha256: str


class Submission(Record):
    """What the API calls SubmissionShown."""

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


class HandedIn(Record):
    """What the API calls HandedInShown."""

    submission: Submission
    claim: Claim | None
    reasons: list[str]


class Step(Record):
    """What the API calls StepShown."""

    code: str
    at: datetime | None
    due: bool
    words: str


class Earning(Record):
    """What the API calls EarningShown."""

    id: str
    kind: str
    submission_id: str | None
    job_title: str
    amount: Money
    accrued_at: datetime
    clears_at: datetime
    cleared_at: datetime | None
    reversed_at: datetime | None
    state: str
    payout_runs: list[str]
    timeline: list[Step]


class Judge(Record):
    """What the API calls JudgeShown."""

    model: str
    version: str
    confidence: float | None
    payload: dict[str, Any]


class Addendum(Record):
    """What the API calls AddendumShown."""

    model: str
    version: str
    tag: str
    dimension: str | None
    id: str
    kind: str
    made_at: datetime


class Receipt(Record):
    """What the API calls ReceiptShown."""

    submission_id: str
    job_id: str
    task_type: str
    judgement: dict[str, Any]
    judges: list[Judge]
    addenda: list[Addendum]


class Conversation(Record):
    """What the API calls ConversationShown."""

    state: str
    turn: int
    attempt: int
    turns_left: int
    turns: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    pending: dict[str, Any] | None
    told: str
    may_ask_anew: bool
    allow_tie: bool
    allow_edit: bool


class ClaimAsked(TypedDict, total=False):
    """What the API calls ClaimAsked."""

    job_id: AnyId | None


class IntervalAsked(TypedDict, total=False):
    """What the API calls IntervalAsked."""

    kind: Required[Literal["active", "reading", "research", "idle"]]
    started_at: Required[datetime | str]
    ended_at: Required[datetime | str]


class HeartbeatAsked(TypedDict, total=False):
    """What the API calls HeartbeatAsked."""

    fence: Required[int]
    intervals: list[IntervalAsked]


class RationaleClaimAsked(TypedDict, total=False):
    """What the API calls RationaleClaim."""

    text: Required[str]
    evidence: list[dict[str, Any]]


class ReferenceAsked(TypedDict, total=False):
    """What the API calls Reference."""

    type: Required[Literal["url", "citation"]]
    url: str
    citation: str
    locator: str
    quote: str
    accessed_at: str


class DraftAsked(TypedDict, total=False):
    """What the API calls DraftAsked."""

    rationale: str | None
    rationale_claims: list[RationaleClaimAsked]
    confidence: float | None
    references: list[ReferenceAsked]
    flags: list[Literal["unsure", "outside_competence", "bad_item"]]
    ai_use: dict[str, Any] | None
    fence: Required[int]
    judgement: Required[Any]


class TimeNoteAsked(TypedDict, total=False):
    """What the API calls TimeNoteAsked."""

    kind: Required[Literal["active", "reading", "research", "idle"]]
    started_at: Required[datetime | str]
    ended_at: Required[datetime | str]
    note: Required[str]


class SubmissionAsked(TypedDict, total=False):
    """What the API calls SubmissionAsked."""

    rationale: str | None
    rationale_claims: list[RationaleClaimAsked]
    confidence: float | None
    references: list[ReferenceAsked]
    flags: list[Literal["unsure", "outside_competence", "bad_item"]]
    ai_use: dict[str, Any] | None
    fence: Required[int]
    judgement: Required[dict[str, Any]]
    intervals: list[IntervalAsked]
    time_notes: list[TimeNoteAsked]
    next: bool


class FenceAsked(TypedDict, total=False):
    """What the API calls FenceAsked."""

    fence: Required[int]


class OutcomeAsked(TypedDict, total=False):
    """What the API calls OutcomeAsked."""

    fence: Required[int]
    kind: Required[Literal["cannot_complete", "guideline_gap", "opted_out"]]
    evidence: str


class FaultAsked(TypedDict, total=False):
    """What the API calls FaultAsked."""

    model: Required[str]
    version: str
    tag: Required[str]
    dimension: str | None


class SaidAsked(TypedDict, total=False):
    """What the API calls SaidAsked."""

    fence: Required[int]
    turn: Required[int]
    said: Required[str]


class TurnAsked(TypedDict, total=False):
    """What the API calls TurnAsked."""

    fence: Required[int]
    turn: Required[int]


class ChoiceAsked(TypedDict, total=False):
    """What the API calls ChoiceAsked."""

    fence: Required[int]
    turn: Required[int]
    choice: Required[str]
    attempt: int
    edit: str | None
