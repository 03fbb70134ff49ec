"""Appeals, and what was frozen when they were filed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import DecisionId, JobId, OrganisationId, PersonId, SubmissionId
from marketplace.review.rules import AppealState, AppealSubject
from marketplace.secrets import EncryptedText


class Appeal(Root):
    """A person's word against what was decided about their work.

    Exactly one of decision_id, firing_id and dispute_id says what is appealed, once. first_decider:
    who decided that, so that the row itself keeps them away from it; triggers keep away whoever
    shares an organisation with either side. reason, statement, note: the author's words, the lab's
    and the decider's, encrypted, and emptied at erasure. answer_id: the decision that came of it.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        one_of("subject", AppealSubject),
        one_of("state", AppealState),
        CheckConstraint(
            "(subject = 'decision') = (decision_id IS NOT NULL)"
            " AND (subject = 'firing') = (firing_id IS NOT NULL)"
            " AND (subject = 'gold') = (dispute_id IS NOT NULL)",
            name="subject_named",
        ),
        CheckConstraint(
            "subject <> 'decision' OR submission_id IS NOT NULL", name="decision_of_a_submission"
        ),
        CheckConstraint("assigned_to NOT IN (appellant_id, first_decider)", name="somebody_else"),
        CheckConstraint("(state = 'filed') <= (assigned_to IS NULL)", name="filed_is_nobodys"),
        CheckConstraint(
            "state NOT IN ('assigned', 'upheld', 'denied') OR assigned_to IS NOT NULL",
            name="decided_by_a_person",
        ),
        CheckConstraint("(state IN ('filed', 'assigned')) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(statement_at IS NULL) = (statement_by IS NULL)", name="statement"),
        CheckConstraint("statement_by <> appellant_id", name="statement_of_the_other_side"),
        CheckConstraint("decide_by > filed_at", name="deadline"),
        Index("ix_appeal_open", "decide_by", postgresql_where=text("ended_at IS NULL")),
        Index("ix_appeal_appellant_id", "appellant_id", "id"),
        Index("ix_appeal_organisation_id", "organisation_id", "id"),
        Index("ix_appeal_submission_id", "submission_id"),
    )
    id: Mapped[IdKey]
    subject: Mapped[AppealSubject] = mapped_column(text_enum(AppealSubject))
    decision_id: Mapped[DecisionId | None] = mapped_column(ForeignKey("decision.id"), unique=True)
    firing_id: Mapped[UUID | None] = mapped_column(ForeignKey("control_firing.id"), unique=True)
    dispute_id: Mapped[UUID | None] = mapped_column(ForeignKey("gold_dispute.id"), unique=True)
    submission_id: Mapped[SubmissionId | None] = mapped_column(ForeignKey("submission.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    appellant_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    first_decider: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[AppealState] = mapped_column(text_enum(AppealState))
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    filed_at: Mapped[datetime]
    decide_by: Mapped[datetime]
    statement: Mapped[str | None] = mapped_column(EncryptedText)
    statement_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    statement_at: Mapped[datetime | None]
    assigned_to: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    assigned_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    ended_at: Mapped[datetime | None]
    answer_id: Mapped[DecisionId | None] = mapped_column(ForeignKey("decision.id"), unique=True)


class AppealEvidence(Root):
    """What there was when an appeal was filed; never changed, and gone at erasure.

    content: `{judgement, rationale, …, decision: {…}, template_version, others: [{judgement,
    state}], posterior: {unit: {…}}}`.
    """

    __tablename__ = "appeal_evidence"
    appeal_id: Mapped[UUID] = mapped_column(ForeignKey("appeal.id"), primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    taken_at: Mapped[datetime]
