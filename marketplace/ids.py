"""Identifiers: UUIDv7 made in the application, one type for each entity, references for people."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

import uuid_utils

PersonId = NewType("PersonId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
TokenId = NewType("TokenId", UUID)
SignInId = NewType("SignInId", UUID)
CredentialId = NewType("CredentialId", UUID)
JobId = NewType("JobId", UUID)
TemplateVersionId = NewType("TemplateVersionId", UUID)
ItemId = NewType("ItemId", UUID)
ImportId = NewType("ImportId", UUID)
TaskId = NewType("TaskId", UUID)
SeatId = NewType("SeatId", UUID)
ClaimId = NewType("ClaimId", UUID)
SubmissionId = NewType("SubmissionId", UUID)
OutcomeId = NewType("OutcomeId", UUID)
DecisionId = NewType("DecisionId", UUID)
AccrualId = NewType("AccrualId", UUID)
AccountId = NewType("AccountId", UUID)
TransactionId = NewType("TransactionId", UUID)
TopUpId = NewType("TopUpId", UUID)
PayoutRunId = NewType("PayoutRunId", UUID)
PayoutLineId = NewType("PayoutLineId", UUID)
AttemptId = NewType("AttemptId", UUID)
ExportId = NewType("ExportId", UUID)
EventId = NewType("EventId", UUID)
# All of them, so that the database maps each to the same column type.
KINDS = (
    PersonId,
    OrganisationId,
    TokenId,
    SignInId,
    CredentialId,
    JobId,
    TemplateVersionId,
    ItemId,
    ImportId,
    TaskId,
    SeatId,
    ClaimId,
    SubmissionId,
    OutcomeId,
    DecisionId,
    AccrualId,
    AccountId,
    TransactionId,
    TopUpId,
    PayoutRunId,
    PayoutLineId,
    AttemptId,
    ExportId,
    EventId,
)


def new_id() -> UUID:
    """A fresh UUIDv7: ids made later sort later, so indexes grow at one end."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def parse_id(text: str) -> UUID | None:
    """The id that `text` spells in the canonical form, or None when it spells none."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text.lower() else None


def reference(prefix: str, year: int, number: int) -> str:
    """What people see and say on the telephone, such as `PO-2026-0042`."""
    return f"{prefix}-{year}-{number:04d}"
