"""What an exporter reads: one item with every accepted judgement of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.tasktypes.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoredJudgement:
    """One accepted judgement and what is known of how it came about.

    annotation_id: the submission's id; author: the pseudonym that this lab knows;
    author_kind: "specialist" or "model"; attested: facts verified about the author, as the lab
    may see them ({"profession": "medicine", …}); confidence: 0..1; presented_order: slots in the
    order shown; opened_at, submitted_at: RFC 3339 UTC; active_seconds: focused time; surplus: an
    extra answer, beyond those that the job asked for; round: 2 and more after rework; addenda:
    what the author added later, `{kind, made_at, …}` each; rationale_claims: [{text, evidence}];
    spent: stretches of time with notes; template_version, guidelines_sha256: what the author had
    read; repeats: the annotation_id of the author's own earlier answer to the same item; ai_policy:
    what the job says of AI; review: the verdict that stands, `{decision_id, verdict, reviewer, by,
    defects, note, decided_at, cause}`; history: earlier rounds and verdicts, oldest first; gold:
    how it agrees with gold, `{score, weight, version}`; skill: what was known of the author's skill
    on the day before, `{mean, lower, n, on}`.
    """

    annotation_id: str
    judgement: Json
    author: str
    author_kind: str = "specialist"
    attested: Mapping[str, Any] = field(default_factory=dict)
    rationale: str | None = None
    confidence: float | None = None
    references: tuple[Json, ...] = ()
    ai_use: Any = None
    presented_order: tuple[str, ...] = ()
    opened_at: str | None = None
    submitted_at: str | None = None
    active_seconds: int | None = None
    review: Mapping[str, Any] | None = None
    surplus: bool = False
    round: int = 1
    addenda: tuple[Json, ...] = ()
    rationale_claims: tuple[Json, ...] = ()
    flags: tuple[str, ...] = ()
    spent: tuple[Mapping[str, str], ...] = ()
    template_version: int | None = None
    guidelines_sha256: str | None = None
    repeats: str | None = None
    ai_policy: str | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    gold: Mapping[str, Any] | None = None
    skill: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One item of a job, ready for export.

    item_id: our id; external_id: the lab's; payload and template: as published;
    prelabels: what models said, `{model, version, confidence, payload}` each, as sent;
    domain and language: the job's, for formats that have a column for them; labels: under the
    policy `model` what is believed of each unit, `{label, confidence, humans, models}`, and
    `labelled_by` says whose word the judgement is: adjudication, specialists or models.
    """

    item_id: str
    external_id: str
    task_type: str
    payload: Json
    judgements: tuple[AuthoredJudgement, ...]
    template: Json = field(default_factory=dict)
    template_version: int = 1
    is_gold: bool = False
    prelabels: tuple[Json, ...] = ()
    domain: str = "general"
    language: str = "english"
    labels: Mapping[str, Json] = field(default_factory=dict)
    labelled_by: str | None = None

    def in_order(self) -> list[AuthoredJudgement]:
        """The judgements by id, so that an export does not depend on how rows were read."""
        return sorted(self.judgements, key=lambda given: given.annotation_id)
