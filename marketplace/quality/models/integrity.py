"""Evidence packs, what is frozen in them, and signatures of rationales."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.quality.rules.evidence_packs import PackKind, PackOutcome, PackState
from marketplace.secrets import EncryptedText


class EvidencePack(Root):
    """A question to one person about what was seen in their work.

    job_id: None where it is about no one job; group_id: the same for all whom one finding is about;
    pieces: how many of the person's answers it holds; reached_at: up to when their work was looked
    at; reply, note: the person's words and the decider's, encrypted and emptied at erasure; chance:
    the expected share of false ones among such findings.
    """

    __tablename__ = "evidence_pack"
    __table_args__ = (
        one_of("kind", PackKind),
        one_of("state", PackState),
        one_of("outcome", PackOutcome),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="outcome_at_the_end"),
        CheckConstraint("(state = 'closed') = (decided_by IS NOT NULL)", name="by_a_person"),
        CheckConstraint("(state = 'closed') = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("decided_by <> person_id AND told_by <> person_id", name="not_own"),
        CheckConstraint("(told_at IS NULL) = (reply_by IS NULL)", name="told"),
        CheckConstraint("(told_at IS NULL) = (told_by IS NULL)", name="told_by_a_person"),
        CheckConstraint("state NOT IN ('told', 'answered') OR told_at IS NOT NULL", name="asked"),
        CheckConstraint("state <> 'answered' OR replied_at IS NOT NULL", name="answered"),
        # Nothing is upheld before its person answered, or had the time to.
        CheckConstraint(
            "outcome IS NULL OR outcome = 'nothing' OR told_at IS NOT NULL", name="right_of_reply"
        ),
        CheckConstraint(
            "outcome IS DISTINCT FROM 'upheld'"
            " OR coalesce(replied_at IS NOT NULL OR decided_at >= reply_by, false)",
            name="upheld_after_reply",
        ),
        Index(
            "uq_evidence_pack_open",
            "person_id",
            "kind",
            text("coalesce(job_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
            unique=True,
            postgresql_where=text("state <> 'closed' AND kind <> 'rule'"),
        ),
        Index("ix_evidence_pack_state_id", "state", "id"),
        Index("ix_evidence_pack_person_id", "person_id", "id"),
        Index("ix_evidence_pack_job_id", "job_id", "id"),
        Index("ix_evidence_pack_group_id", "group_id"),
    )
    id: Mapped[IdKey]
    group_id: Mapped[UUID]
    kind: Mapped[PackKind] = mapped_column(text_enum(PackKind))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("job.id"))
    state: Mapped[PackState] = mapped_column(text_enum(PackState))
    outcome: Mapped[PackOutcome | None] = mapped_column(text_enum(PackOutcome))
    chance: Mapped[float | None]
    pieces: Mapped[int]
    made_at: Mapped[datetime]
    reached_at: Mapped[datetime]
    told_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    told_at: Mapped[datetime | None]
    reply_by: Mapped[datetime | None]
    reply: Mapped[str | None] = mapped_column(EncryptedText)
    replied_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class EvidenceContent(Root):
    """What a pack stands on, as it was when it was put together: never changed, gone at erasure.

    numbers: what was seen and what would be usual, by name. rows: {submission_id, person_id,
    task_id, item, submitted_at, seconds, judgement, rationale} of each answer; together: which of
    them stand side by side, as lists of submission ids; people: whose answers those are.
    """

    __tablename__ = "evidence_content"
    pack_id: Mapped[UUID] = mapped_column(ForeignKey("evidence_pack.id"), primary_key=True)
    numbers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rows: Mapped[list[Any]] = mapped_column(JSONB)
    together: Mapped[list[Any]] = mapped_column(JSONB)
    people: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))


class RationaleSignature(Root):
    """What a rationale is like, so that texts are compared without reading them again.

    signature: 256 numbers, a vector of length one. Plain numbers in any database; where it has
    pgvector, a query casts them.
    """

    __tablename__ = "rationale_signature"
    __table_args__ = (
        Index("ix_rationale_signature_job_id", "job_id", "submission_id"),
        Index("ix_rationale_signature_person_id", "person_id"),
    )
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    signature: Mapped[list[float]] = mapped_column(ARRAY(REAL()))


class NearText(Root):
    """Two rationales of one job that are nearly alike; submission_id is the later one."""

    __tablename__ = "near_text"
    __table_args__ = (
        Index("ix_near_text_job_id", "job_id"),
        Index("ix_near_text_other_id", "other_id"),
    )
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
