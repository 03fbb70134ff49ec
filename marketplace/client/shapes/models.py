"""Shapes of models; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Record


class PipelineRound(Record):
    """What the API calls PipelineRoundShown."""

    number: int
    made_at: datetime
    sent: int
    slices: list[dict[str, Any]]


class Pipeline(Record):
    """What the API calls PipelineShown."""

    state: str
    confidence_target: float
    audit_ratio: float
    items_max: int
    slice_field: str | None
    rounds_max: int
    kept_share: float
    round: int
    seed: int
    items_routed: int
    items_seated: int
    item_count: int
    computed_at: datetime | None
    finished_at: datetime | None
    report: dict[str, Any] | None
    rounds: list[PipelineRound]


class PipelineRoute(Record):
    """What the API calls PipelineRouteShown."""

    external_id: str
    position: int
    route: str
    reason: str
    round: int
    inclusion: float
    confidence: float
    slice: str


class Endpoint(Record):
    """What the API calls EndpointShown."""

    base_url: str
    model: str
    api_key: str | None
    system_prompt: str
    temperature: float | None
    top_p: float | None
    limit_field: str
    tokens_a_turn_max: int
    turns_max: int
    calls_a_job_max: int
    timeout_seconds: int
    id: str
    name: str
    has_key: bool
    version: int
    created_at: datetime
    retired_at: datetime | None
    tested_at: datetime | None
    test_outcome: str | None


class Test(Record):
    """What the API calls TestShown."""

    outcome: str
    message: str
    reply: str
    seconds: float


class JudgeListed(Record):
    """What the API calls JudgeListed."""

    judge_id: str
    version_id: str
    number: int
    model: str
    prompt: str
    prompt_sha256: str
    frozen_sha256: str
    aspects: list[dict[str, Any]]
    output_schema: dict[str, Any]
    answer_format: Any
    temperature: float | None
    top_p: float | None
    seed: int | None
    tokens_max: int
    both_orders: bool
    created_at: datetime
    name: str


class JudgeVersion(Record):
    """What the API calls JudgeVersionShown."""

    judge_id: str
    version_id: str
    number: int
    model: str
    prompt: str
    prompt_sha256: str
    frozen_sha256: str
    aspects: list[dict[str, Any]]
    output_schema: dict[str, Any]
    answer_format: Any
    temperature: float | None
    top_p: float | None
    seed: int | None
    tokens_max: int
    both_orders: bool
    created_at: datetime


class JudgeRun(Record):
    """What the API calls JudgeRunShown."""

    id: str
    job_id: str
    version_id: str
    state: Any
    stopped_because: str | None
    items: int
    answered: int
    refused: int
    malformed: int
    failed: int
    cached: int
    calls_made: int
    calls_max: int
    created_at: datetime
    finished_at: datetime | None


class JudgeReport(Record):
    """What the API calls JudgeReportShown."""

    id: str
    job_id: str
    model: str
    version: str
    number: int
    slice_key: str
    items: int
    facts: dict[str, Any]
    findings: list[dict[str, Any]]
    sha256: str
    created_at: datetime


class PipelineAsked(TypedDict, total=False):
    """What the API calls PipelineAsked."""

    confidence_target: Required[float]
    audit_ratio: Required[float]
    items_max: Required[int]
    slice_field: str | None
    rounds_max: int
    kept_share: float


class NewEndpoint(TypedDict, total=False):
    """What the API calls NewEndpoint."""

    base_url: Required[str]
    model: Required[str]
    api_key: str | None
    system_prompt: str
    temperature: float | None
    top_p: float | None
    limit_field: str
    tokens_a_turn_max: int
    turns_max: int
    calls_a_job_max: int
    timeout_seconds: int
    name: Required[str]


class EndpointChange(TypedDict, total=False):
    """What the API calls EndpointChange."""

    base_url: str
    model: str
    api_key: str | None
    system_prompt: str
    temperature: float | None
    top_p: float | None
    limit_field: str
    tokens_a_turn_max: int
    turns_max: int
    calls_a_job_max: int
    timeout_seconds: int


class NewJudge(TypedDict, total=False):
    """What the API calls NewJudge."""

    endpoint: Required[str]
    model: str
    prompt: str
    aspects: Required[list[dict[str, Any]]]
    answer_format: Literal["json_schema", "json_object", "text"]
    temperature: float | None
    top_p: float | None
    seed: int | None
    tokens_max: int
    both_orders: bool
    name: Required[str]


class JudgeChange(TypedDict, total=False):
    """What the API calls JudgeChange."""

    endpoint: str
    model: str
    prompt: str
    aspects: list[dict[str, Any]]
    answer_format: Literal["json_schema", "json_object", "text"]
    temperature: float | None
    top_p: float | None
    seed: int | None
    tokens_max: int
    both_orders: bool


class JudgeRunAsked(TypedDict, total=False):
    """What the API calls JudgeRunAsked."""

    version_id: Required[AnyId]
    calls_max: Required[int]
    calls_a_minute_max: int


class JudgeReportAsked(TypedDict, total=False):
    """What the API calls JudgeReportAsked."""

    model: Required[str]
    version: str
    slice_key: str
    margin: float
