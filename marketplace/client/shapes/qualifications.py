"""Shapes of qualifications; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import Money, Record


class Terms(Record):
    """What the API calls TermsShown."""

    pass_ratio: float
    items_a_form: int
    forms: int
    cooldown_days: int
    valid_days: int
    candidates_max: int
    time_limit_seconds: int
    feedback: str
    credential_type: str | None
    places_taken: int


class Attempt(Record):
    """What the API calls AttemptShown."""

    id: str
    job_id: str
    attempt: int
    state: str
    items: int
    answered: int
    started_at: datetime
    due_at: datetime
    finished_at: datetime | None
    pass_ratio: float
    score: float | None
    passed: bool | None
    by_concept: dict[str, Any] | None
    expires_at: datetime | None


class Offered(Record):
    """What the API calls OfferedShown."""

    job_id: str
    title: str
    standing: str
    items: int
    expected_seconds: int
    pay: Money
    pass_ratio: float
    forms_left: int
    again_at: datetime | None
    jobs_opened: int
    worth: list[Money]
    attempts: list[str]


class Result(Record):
    """What the API calls ResultShown."""

    id: str
    candidate: str
    attempt: int
    form: int
    state: str
    score: float | None
    passed: bool | None
    by_concept: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


class Correlation(Record):
    """What the API calls CorrelationShown."""

    n: int
    estimate: float
    lower: float
    upper: float


class BankItem(Record):
    """What the API calls BankItemShown."""

    item_id: str
    external_id: str
    concept: str
    form: int | None
    retired_at: datetime | None
    answers: int
    difficulty: float | None
    item_rest: Correlation | None
    foretells: Correlation | None
    flags: list[str]


class Retired(Record):
    """What the API calls RetiredShown."""

    replaced_by: str | None


class TermsAsked(TypedDict, total=False):
    """What the API calls TermsAsked."""

    pass_ratio: float
    items_a_form: int
    forms: int
    cooldown_days: int
    valid_days: int
    candidates_max: int
    time_limit_seconds: int
    feedback: Literal["none", "scores", "explanations"]
    credential_type: str | None


class PlacesAsked(TypedDict, total=False):
    """What the API calls PlacesAsked."""

    candidates_max: Required[int]
