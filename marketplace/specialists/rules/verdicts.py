"""What a verifier says about a claim: one word, what it rests on, and when to ask again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What a verifier found; `unavailable` says nothing about the claim."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password.
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one verifier says about one claim.

    kind: `format`, `identity`, `registry`, `sanctions`, `skill` or `manual`; level: the level that
    this shows by itself, 0 to 4; observed: what the source said, without anything personal;
    match: how well it fits the person (`name_score`, `birth`, `jurisdiction`, `control`);
    reasons: codes; evidence: one mapping for each source with `source` and, where there is one,
    `source_version`, `url`, `sha256`, and `note`, which is kept encrypted (a registry: the name
    that it lists); next_check_at: when to ask again, None for the usual time; at: when it was
    given, None for now.
    """

    verifier: str
    kind: str
    outcome: Outcome
    level: int
    observed: dict[str, Any] = field(default_factory=dict)
    match: dict[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()
    next_check_at: datetime | None = None
    at: datetime | None = None
