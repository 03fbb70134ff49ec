"""Shapes of closing; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Money, Record


class Break(Record):
    """What the API calls BreakShown."""

    id: str
    reference: str
    kind: str
    source: str
    key: str
    difference: Money
    theirs: dict[str, Any]
    ours: dict[str, Any]
    transaction_id: str | None
    balance_transaction_id: str | None
    since: datetime
    severity: str
    state: str
    owner_id: str | None
    wait_until: date | None
    resolution: str | None
    resolved_at: datetime | None


class Leg(Record):
    """What the API calls LegShown."""

    amount_minor: int
    currency: str
    account: str


class Proposal(Record):
    """What the API calls ProposalShown."""

    id: str
    break_id: str
    action: str
    reason: str
    note: str
    legs: list[Leg]
    effective_on: date | None
    wait_until: date | None
    evidence_sha256: str | None
    content_sha256: str
    proposed_by: str
    proposed_at: datetime
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    transaction_id: str | None


class BreakEvent(Record):
    """What the API calls BreakEventShown."""

    at: datetime
    person_id: str | None
    verb: str
    state: str
    note: str | None


class BreakWithHistory(Record):
    """What the API calls BreakWithHistory."""

    id: str
    reference: str
    kind: str
    source: str
    key: str
    difference: Money
    theirs: dict[str, Any]
    ours: dict[str, Any]
    transaction_id: str | None
    balance_transaction_id: str | None
    since: datetime
    severity: str
    state: str
    owner_id: str | None
    wait_until: date | None
    resolution: str | None
    resolved_at: datetime | None
    proposals: list[Proposal]
    history: list[BreakEvent]
    suggested_legs: list[Leg]


class PeriodListed(Record):
    """What the API calls PeriodListed."""

    month: str
    state: str
    reopened: int


class Check(Record):
    """What the API calls CheckShown."""

    code: str
    label: str
    ok: bool
    said: str
    missing: list[str]


class Close(Record):
    """What the API calls CloseShown."""

    round: int
    closed_by: str
    closed_at: datetime
    reopened_at: datetime | None
    head_number: int
    head_hash: str
    pack_bytes: int | None
    pack_sha256: str | None


class Reopening(Record):
    """What the API calls ReopeningShown."""

    reason: str
    asked_by: str
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None


class Period(Record):
    """What the API calls PeriodShown."""

    month: str
    state: str
    checklist: list[Check]
    closes: list[Close]
    reopenings: list[Reopening]


class AssignAsked(TypedDict, total=False):
    """What the API calls AssignAsked."""

    owner_id: Required[AnyId]


class NoteAsked(TypedDict, total=False):
    """What the API calls NoteAsked."""

    note: Required[str]


class LegAsked(TypedDict, total=False):
    """What the API calls LegShown."""

    amount_minor: Required[int]
    currency: Required[str]
    account: Required[str]


class EvidenceAsked(TypedDict, total=False):
    """What the API calls EvidenceAsked."""

    name: Required[str]
    content_base64: Required[str]


class ProposeAsked(TypedDict, total=False):
    """What the API calls ProposeAsked."""

    action: Required[Literal["adjust", "wait", "write_off", "external_fix"]]
    reason: Required[
        Literal[
            "timing",
            "our_error",
            "their_error",
            "bank_fee",
            "rounding",
            "returned_money",
            "unrecoverable",
            "unexplained",
        ]
    ]
    note: Required[str]
    legs: list[LegAsked] | None
    effective_on: date | str | None
    wait_until: date | str | None
    evidence: EvidenceAsked | None


class ApproveAsked(TypedDict, total=False):
    """What the API calls ApproveAsked."""

    content_sha256: Required[str]
    totp_code: Required[str]


class ReasonAsked(TypedDict, total=False):
    """What the API calls ReasonAsked."""

    reason: Required[str]
