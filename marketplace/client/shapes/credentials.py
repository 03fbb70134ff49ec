"""Shapes of credentials; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, Required, TypedDict

from marketplace.client.records import Record


class Credential(Record):
    """What the API calls CredentialShown."""

    id: str
    person_id: str
    profession: str
    type: str
    specialties: list[str]
    jurisdiction: str
    state: str
    level: int
    reason: str | None
    valid_until: date | None
    checked_at: datetime | None
    created_at: datetime


class Credentials(Record):
    """What the API calls CredentialsShown."""

    items: list[Credential]


class Verification(Record):
    """What the API calls VerificationShown."""

    verifier: str
    kind: str
    outcome: str
    level: int
    reasons: list[str]
    ran_at: datetime


class Renewal(Record):
    """What the API calls RenewalShown."""

    id: str
    claim_id: str
    valid_until: date
    asked_at: datetime
    settled_at: datetime | None
    granted: bool | None
    refusal: str | None


class Amendment(Record):
    """What the API calls AmendmentShown."""

    id: str
    claim_id: str
    specialties: list[str]
    asked_at: datetime
    settled_at: datetime | None
    granted: list[str] | None
    refusal: str | None


class Evidence(Record):
    """What the API calls EvidenceShown."""

    id: str
    claim_id: str
    name: str | None
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    kept_until: date
    purged_at: datetime | None


class CredentialDetail(Record):
    """What the API calls CredentialDetail."""

    id: str
    person_id: str
    profession: str
    type: str
    specialties: list[str]
    jurisdiction: str
    state: str
    level: int
    reason: str | None
    valid_until: date | None
    checked_at: datetime | None
    created_at: datetime
    identifier: str | None
    runs: list[Verification]
    renewals: list[Renewal]
    amendments: list[Amendment]
    files: list[Evidence]


class CredentialProposal(Record):
    """What the API calls CredentialProposalShown."""

    outcome: str
    level: int
    person_id: str
    valid_until: date | None
    specialties: list[str]
    proposed_at: datetime


class CredentialDecided(Record):
    """What the API calls CredentialDecided."""

    id: str
    person_id: str
    profession: str
    type: str
    specialties: list[str]
    jurisdiction: str
    state: str
    level: int
    reason: str | None
    valid_until: date | None
    checked_at: datetime | None
    created_at: datetime
    proposal: CredentialProposal | None


class CredentialAsked(TypedDict, total=False):
    """What the API calls CredentialAsked."""

    type: Required[str]
    identifier: Required[str]
    jurisdiction: str
    specialties: list[str]
    valid_until: date | str | None


class RenewalAsked(TypedDict, total=False):
    """What the API calls RenewalAsked."""

    valid_until: Required[date | str]


class AmendmentAsked(TypedDict, total=False):
    """What the API calls AmendmentAsked."""

    specialties: Required[list[str]]


class CredentialDecision(TypedDict, total=False):
    """What the API calls CredentialDecision."""

    outcome: Required[Literal["verify", "reject", "suspend", "revoke", "reopen"]]
    note: Required[str]
    level: int
    checklist: dict[str, bool]
    valid_until: date | str | None
    specialties: list[str]


class SecondLook(TypedDict, total=False):
    """What the API calls SecondLook."""

    agrees: Required[bool]
    note: Required[str]
