"""Shapes of provenance; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from marketplace.client.records import Record


class CredentialThen(Record):
    """What the API calls CredentialThen."""

    profession: str
    specialties: list[str]
    jurisdiction: str | None
    level: int


class ChainStep(Record):
    """What the API calls ChainStepShown."""

    what: str
    at: datetime
    by: str
    event: int | None
    link: str | None
    verdict: dict[str, Any] | None


class Provenance(Record):
    """What the API calls ProvenanceShown."""

    submission_id: str
    job_id: str
    external_id: str
    credential_level: int
    attested: list[CredentialThen]
    content: dict[str, Any]
    idle_seconds: int
    commitment: str | None
    salt: str | None
    event: int | None
    bound: Any
    review: dict[str, Any] | None
    gold: dict[str, Any] | None
    skill: dict[str, Any] | None
    steps: list[ChainStep]


class DayHead(Record):
    """What the API calls DayHeadShown."""

    day: date
    number: int
    hash: str
    key_id: str
    signature: str


class JobChain(Record):
    """What the API calls JobChainShown."""

    scope: str
    number: int
    hash: str
    heads: list[DayHead]
