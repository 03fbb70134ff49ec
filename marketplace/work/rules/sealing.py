"""What a hand-in fixes for good: the content of the commitment that its event carries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


class HandedIn(Protocol):
    """The columns of a submission that its commitment covers."""

    @property
    def id(self) -> UUID: ...
    @property
    def judgement(self) -> Any: ...
    @property
    def rationale(self) -> str | None: ...
    @property
    def rationale_claims(self) -> Sequence[Any]: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def flags(self) -> Sequence[str]: ...
    @property
    def references(self) -> Sequence[Any]: ...
    @property
    def ai_use(self) -> Any: ...
    @property
    def presented_order(self) -> Sequence[str]: ...
    @property
    def claimed_at(self) -> datetime: ...
    @property
    def submitted_at(self) -> datetime: ...
    @property
    def active_seconds(self) -> int: ...
    @property
    def spent(self) -> Sequence[Any]: ...
    @property
    def repeats_submission_id(self) -> UUID | None: ...
    @property
    def round(self) -> int: ...


def sealed_content(
    given: HandedIn,
    *,
    pseudonym: str,
    item_sha256: str,
    template_version: int,
    guidelines_sha256: bytes,
    ai_policy: str,
) -> dict[str, Any]:
    """What is committed to, by the names that an exported row of the envelope has for it.

    pseudonym: the author's, as the lab knows them; item_sha256: of the content judged, in
    hexadecimal; guidelines_sha256: of the instructions that were read.
    """
    repeats = given.repeats_submission_id
    return {
        "pseudonym": pseudonym,
        "annotation_id": str(given.id),
        "item_content_sha256": item_sha256,
        "template_version": template_version,
        "guidelines_sha256": bytes(guidelines_sha256).hex(),
        "ai_policy": str(ai_policy),
        "judgement": given.judgement,
        "rationale": given.rationale,
        "rationale_claims": list(given.rationale_claims),
        "confidence": given.confidence,
        "flags": list(given.flags),
        "references": list(given.references),
        "ai_use": given.ai_use,
        "presented_order": list(given.presented_order),
        "opened_at": given.claimed_at.isoformat(),
        "submitted_at": given.submitted_at.isoformat(),
        "active_seconds": given.active_seconds,
        "spent": list(given.spent),
        "repeats": str(repeats) if repeats else None,
        "round": given.round,
    }
