"""Shapes of quality control; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Record


class Gold(Record):
    """What the API calls GoldShown."""

    item_id: str
    external_id: str
    position: int
    gold: dict[str, Any] | None
    state: str
    exposures: int
    accuracy: dict[str, Any] | None
    disputes_open: int


class Dispute(Record):
    """What the API calls DisputeShown."""

    id: str
    item_id: str
    submission_id: str
    author: str | None
    reason: str
    figures: dict[str, Any]
    state: str
    note: str | None
    raised_at: datetime


class Rule(Record):
    """What the API calls RuleShown."""

    name: str
    collector: Any
    side: Any
    bound: Any
    threshold: float
    n_min: int
    window: int | None
    action: Any
    amount: int | None
    id: str
    job_id: str | None
    state: str
    version: int
    sentence: str
    firings: int
    open_firings: int


class Ready(Record):
    """What the API calls ReadyShown."""

    name: str
    collector: Any
    side: Any
    bound: Any
    threshold: float
    n_min: int
    window: int | None
    action: Any
    amount: int | None
    key: str
    why: str


class Replay(Record):
    """What the API calls ReplayShown."""

    id: str | None
    asked_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None


class Firing(Record):
    """What the API calls FiringShown."""

    id: str
    rule_id: str
    rule: str
    job_id: str
    person: str | None
    action: str
    state: str
    value: float
    lower: float
    upper: float
    n: int
    fired_at: datetime
    reply: str | None
    note: str | None
    evidence_pack_id: str | None


class Pack(Record):
    """What the API calls PackShown."""

    id: str
    kind: str
    state: str
    outcome: str | None
    job_id: str | None
    person: str | None
    statement: str | None
    numbers: dict[str, Any]
    pieces: int
    made_at: datetime
    told_at: datetime | None
    reply_by: datetime | None
    reply: str | None
    replied_at: datetime | None
    note: str | None
    decided_at: datetime | None


class Answer(Record):
    """What the API calls AnswerShown."""

    submission_id: str
    item: str
    submitted_at: str
    seconds: int
    judgement: dict[str, Any] | None
    rationale: str | None
    person: str | None


class PackWhole(Record):
    """What the API calls PackWhole."""

    id: str
    kind: str
    state: str
    outcome: str | None
    job_id: str | None
    person: str | None
    statement: str | None
    numbers: dict[str, Any]
    pieces: int
    made_at: datetime
    told_at: datetime | None
    reply_by: datetime | None
    reply: str | None
    replied_at: datetime | None
    note: str | None
    decided_at: datetime | None
    answers: list[Answer]
    sides: list[list[str]]


class Pieces(Record):
    """What the API calls PiecesShown."""

    answers: int


class GoldChange(TypedDict, total=False):
    """What the API calls GoldChange."""

    judgement: dict[str, Any] | None
    note: Required[str]


class DisputeDecision(TypedDict, total=False):
    """What the API calls DisputeDecision."""

    outcome: Required[Literal["open", "kept", "corrected", "withdrawn"]]
    judgement: dict[str, Any] | None
    note: Required[str]


class GoldDisputeAsked(TypedDict, total=False):
    """What the API calls GoldDisputeAsked."""

    reason: Required[str]


class NewRule(TypedDict, total=False):
    """What the API calls NewRule."""

    name: Required[str]
    collector: Required[
        Literal[
            "gold_error",
            "overconfidence",
            "disagreement",
            "haste",
            "first_shown",
            "near_duplicates",
            "inconsistency",
            "rejected",
            "cannot_complete",
            "given_back",
            "lapsed",
            "idle",
            "overturned",
        ]
    ]
    side: Required[Literal["above", "below"]]
    bound: Required[Literal["lower", "upper"]]
    threshold: Required[float]
    n_min: Required[int]
    window: int | None
    action: Required[
        Literal["review_all", "lower_cap", "pause", "extra_gold", "notify", "evidence_pack"]
    ]
    amount: int | None
    job_id: AnyId | None


class RuleFields(TypedDict, total=False):
    """What the API calls RuleFields."""

    name: Required[str]
    collector: Required[
        Literal[
            "gold_error",
            "overconfidence",
            "disagreement",
            "haste",
            "first_shown",
            "near_duplicates",
            "inconsistency",
            "rejected",
            "cannot_complete",
            "given_back",
            "lapsed",
            "idle",
            "overturned",
        ]
    ]
    side: Required[Literal["above", "below"]]
    bound: Required[Literal["lower", "upper"]]
    threshold: Required[float]
    n_min: Required[int]
    window: int | None
    action: Required[
        Literal["review_all", "lower_cap", "pause", "extra_gold", "notify", "evidence_pack"]
    ]
    amount: int | None


class FiringDecision(TypedDict, total=False):
    """What the API calls FiringDecision."""

    stands: Required[bool]
    note: Required[str]


class ReplyAsked(TypedDict, total=False):
    """What the API calls ReplyAsked."""

    reply: Required[str]


class CloseAsked(TypedDict, total=False):
    """What the API calls CloseAsked."""

    outcome: Required[Literal["nothing", "explained", "upheld"]]
    note: Required[str]


class SideAsked(TypedDict, total=False):
    """What the API calls SideAsked."""

    reply: Required[str]
