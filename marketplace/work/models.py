"""The tables of work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Sequence, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root, one_of, text_enum
from marketplace.ids import (
    ClaimId,
    ItemId,
    JobId,
    OutcomeId,
    PersonId,
    SeatId,
    SubmissionId,
    TaskId,
    TemplateVersionId,
)
from marketplace.money import Money
from marketplace.work.rules import (
    SURPLUS_AFTER,
    SURPLUS_STATES,
    AddendumKind,
    ClaimState,
    EntryKind,
    IntervalKind,
    OutcomeKind,
    SeatState,
    SubmissionState,
    TaskState,
    reward,
)

seat_rank = Sequence("seat_rank_seq", metadata=Root.metadata)
claim_fence = Sequence("claim_fence_seq", metadata=Root.metadata)
# The states of submissions that wait for a decision, as their indexes name them.
_ARRIVED = "state IN ('submitted', 'surplus')"
_UNDECIDED = "state IN ('submitted', 'in_review', 'surplus', 'surplus_in_review')"


class Task(Root):
    """An item made ready for specialists. counted: submissions that fill one of `wanted` seats.

    dropped_at: when it stopped being handed out, since several people could not complete it; from
    then on `wanted` is what is counted or in hand.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("item_id"),
        Index("ix_task_job_id_id", "job_id", "id"),
        one_of("state", TaskState),
    )
    id: Mapped[TaskId] = mapped_column(primary_key=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    item_id: Mapped[ItemId] = mapped_column(ForeignKey("item.id"))
    state: Mapped[TaskState] = mapped_column(text_enum(TaskState))
    wanted: Mapped[int]
    counted: Mapped[int] = mapped_column(default=0)
    decided: Mapped[int] = mapped_column(default=0)
    filled_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]


class Seat(Root):
    """One judgement wanted. rank: the place in the queue of its job; reserved_for: the only person
    who may take it, in a qualification; set_aside_at: since when its judgement stands beside those
    that were asked for under a newer version; price_minor: what it pays where that was stated for
    it, the job's pay else."""

    __tablename__ = "seat"
    __table_args__ = (
        UniqueConstraint("task_id", "round"),
        Index("ix_seat_open", "job_id", "rank", postgresql_where=text("state = 'open'")),
        Index(
            "ix_seat_reserved",
            "reserved_for",
            "job_id",
            "rank",
            postgresql_where=text("state = 'open' AND reserved_for IS NOT NULL"),
        ),
        CheckConstraint("price_minor >= 0", name="price_minor"),
        one_of("state", SeatState),
    )
    id: Mapped[SeatId] = mapped_column(primary_key=True)
    task_id: Mapped[TaskId] = mapped_column(ForeignKey("task.id"))
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    round: Mapped[int]
    rank: Mapped[int] = mapped_column(seat_rank)
    state: Mapped[SeatState] = mapped_column(text_enum(SeatState))
    reserved_for: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    set_aside_at: Mapped[datetime | None]
    price_minor: Mapped[int | None]


class Claim(Root):
    """A specialist's lease on a seat, with the pay frozen.

    repeats_submission_id: an earlier answer of the same person, where they are asked once more to
    see how steady judgements are. It names that answer's seat, and neither holds nor fills it.
    """

    __tablename__ = "claim"
    __mapper_args__ = {"eager_defaults": True}  # The fence comes back with the insert.
    __table_args__ = (
        Index(
            "uq_claim_live_seat",
            "seat_id",
            unique=True,
            postgresql_where=text("state = 'live' AND repeats_submission_id IS NULL"),
        ),
        Index(
            "uq_claim_holding",
            "task_id",
            "specialist_id",
            unique=True,
            postgresql_where=text(
                "state IN ('live', 'submitted') AND repeats_submission_id IS NULL"
            ),
        ),
        Index(
            "uq_claim_repeat",
            "repeats_submission_id",
            unique=True,
            postgresql_where=text("state IN ('live', 'submitted')"),
        ),
        # Asked for each seat that is looked at: whether this person holds its task already.
        Index(
            "ix_claim_holding",
            "task_id",
            "specialist_id",
            postgresql_where=text("state <> 'released'"),
        ),
        Index("ix_claim_own", "specialist_id", "job_id", "id"),
        Index("ix_claim_expiry", "expires_at", postgresql_where=text("state = 'live'")),
        one_of("state", ClaimState),
    )
    id: Mapped[ClaimId] = mapped_column(primary_key=True)
    seat_id: Mapped[SeatId] = mapped_column(ForeignKey("seat.id"))
    task_id: Mapped[TaskId]  # The seat's, as is its job: what the key to the seat says already.
    job_id: Mapped[JobId]
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    template_version_id: Mapped[TemplateVersionId] = mapped_column(
        ForeignKey("template_version.id")
    )
    reworks_submission_id: Mapped[SubmissionId | None] = mapped_column(
        ForeignKey("submission.id", use_alter=True)
    )
    repeats_submission_id: Mapped[SubmissionId | None] = mapped_column(
        ForeignKey("submission.id", use_alter=True)
    )
    seat_rank: Mapped[int]
    fence: Mapped[int] = mapped_column(server_default=claim_fence.next_value())
    state: Mapped[ClaimState] = mapped_column(text_enum(ClaimState))
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    price_minor: Mapped[int]
    currency: Mapped[str]
    paid_seconds_max: Mapped[int | None]
    credential_level: Mapped[int]
    presented_order: Mapped[list[str]] = mapped_column(ARRAY(Text()))

    @property
    def pay(self) -> Money:
        """What this seat pays, frozen when it was claimed."""
        return Money(self.price_minor, self.currency)


class WorkProgress(Root):
    """Where one person stands in one job, so that a claim need not count or search what was.

    live: claims in hand; done: claims handed in; front: the rank after which the next seat is
    looked for; repeats: tasks that were asked once more, handed in or in hand; seen_version_id:
    the template with instructions of the last answer; live_cap: tasks
    that they may hold at a time, where that is fewer than the job allows; stopped_at: since when
    they get no further task of the job, which a person has decided.
    """

    __tablename__ = "work_progress"
    __table_args__ = (
        CheckConstraint("live >= 0", name="live"),
        CheckConstraint("done >= 0", name="done"),
        CheckConstraint("live_cap >= 1", name="live_cap"),
    )
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), primary_key=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    live: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    front: Mapped[int] = mapped_column(default=0)
    repeats: Mapped[int] = mapped_column(default=0, server_default="0")
    live_cap: Mapped[int | None]
    stopped_at: Mapped[datetime | None]
    seen_version_id: Mapped[TemplateVersionId | None] = mapped_column(
        ForeignKey("template_version.id")
    )


class WorkPreference(Root):
    """How a person likes to work. keys: default key to the key that they moved it to."""

    __tablename__ = "work_preference"
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), primary_key=True)
    keys: Mapped[dict[str, str]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]


class Draft(Root):
    """One saved revision of an answer; revisions are only ever added."""

    __tablename__ = "draft"
    claim_id: Mapped[ClaimId] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[Any] = mapped_column(JsonText)
    saved_at: Mapped[datetime]


class ConversationEntry(Root):
    """One row of the journal of a claim's conversation; `rules.conversation` says what each holds.

    Rows are only ever added, each before what it says is shown.
    """

    __tablename__ = "conversation_entry"
    __table_args__ = (CheckConstraint("number >= 1", name="number"), one_of("kind", EntryKind))
    claim_id: Mapped[ClaimId] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EntryKind] = mapped_column(text_enum(EntryKind))
    content: Mapped[Any] = mapped_column(JsonText)
    made_at: Mapped[datetime]


class TimeInterval(Root):
    """A stretch of time on a claim, as the workbench reported it."""

    __tablename__ = "time_interval"
    __table_args__ = (
        Index("ix_time_interval_claim_id", "claim_id"),
        one_of("kind", IntervalKind),
    )
    id: Mapped[IdKey]
    claim_id: Mapped[ClaimId] = mapped_column(ForeignKey("claim.id"))
    kind: Mapped[IntervalKind] = mapped_column(text_enum(IntervalKind))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class Outcome(Root):
    """A claim that ended without an answer, and why.

    answer: what the lab made of a gap in the instructions, for whoever reported it.
    """

    __tablename__ = "outcome"
    __table_args__ = (
        Index("ix_outcome_job_id", "job_id", "id"),
        Index("ix_outcome_task_id", "task_id"),
        Index("ix_outcome_own", "specialist_id", "id"),
        Index(
            "ix_outcome_open_gap",
            "job_id",
            "id",
            postgresql_where=text("kind = 'guideline_gap' AND answered_at IS NULL"),
        ),
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered"),
        CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered_by"),
        one_of("kind", OutcomeKind),
    )
    id: Mapped[OutcomeId] = mapped_column(primary_key=True)
    claim_id: Mapped[ClaimId] = mapped_column(ForeignKey("claim.id"), unique=True)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"))
    task_id: Mapped[TaskId] = mapped_column(ForeignKey("task.id"))
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[OutcomeKind] = mapped_column(text_enum(OutcomeKind))
    evidence: Mapped[str]
    reported_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))


class Submission(Root):
    """What came back: the judgement in the item's own names, with its envelope.

    rationale_claims: the rationale in parts, each with its evidence; spent: the time in stretches,
    joined, with the author's notes; repeats_submission_id: the author's own earlier answer, where
    the task was asked once more, so that this one never counts for it. Guidelines are those of the
    template version. salt: opens the commitment in the event of its hand-in; None for what came
    before there were any, and once its author is erased.
    """

    __tablename__ = "submission"
    __table_args__ = (
        Index("ix_submission_job_id_id", "job_id", "id"),
        Index("ix_submission_own", "specialist_id", "id"),
        Index("ix_submission_task_id", "task_id"),
        Index("ix_submission_arrived", "id", postgresql_where=text(_ARRIVED)),
        Index(
            "ix_submission_undecided",
            "job_id",
            "id",
            postgresql_where=text(_UNDECIDED),
        ),
        CheckConstraint(
            "flags <@ ARRAY['unsure', 'outside_competence', 'bad_item']::text[]", name="flags"
        ),
        one_of("state", SubmissionState),
    )
    id: Mapped[SubmissionId] = mapped_column(primary_key=True)
    claim_id: Mapped[ClaimId] = mapped_column(ForeignKey("claim.id"), unique=True)
    # The claim's own, none of which ever changes: what the key to the claim says already.
    seat_id: Mapped[SeatId]
    task_id: Mapped[TaskId]
    job_id: Mapped[JobId]
    specialist_id: Mapped[PersonId]
    template_version_id: Mapped[TemplateVersionId]
    judgement: Mapped[Any] = mapped_column(JsonText)
    rationale: Mapped[str | None]
    confidence: Mapped[float | None]
    references: Mapped[list[Any]] = mapped_column(JSONB)
    ai_use: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    rationale_claims: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text()), server_default="{}")
    spent: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    repeats_submission_id: Mapped[SubmissionId | None] = mapped_column(ForeignKey("submission.id"))
    content_sha256: Mapped[bytes]
    salt: Mapped[bytes | None]
    state: Mapped[SubmissionState] = mapped_column(text_enum(SubmissionState))
    presented_order: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    credential_level: Mapped[int]
    active_seconds: Mapped[int]
    price_minor: Mapped[int]
    currency: Mapped[str]
    paid_seconds_max: Mapped[int | None]
    round: Mapped[int]
    claimed_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    @property
    def is_surplus(self) -> bool:
        """Whether it is kept beside the task's own answers, since its seat had gone."""
        return self.state in SURPLUS_STATES

    @property
    def state_for_author(self) -> SubmissionState:
        """Its state as its author reads it: a repeat looks like any other answer."""
        if self.repeats_submission_id is None:
            return self.state
        plain = {surplus: state for state, surplus in SURPLUS_AFTER.items()}
        return plain.get(self.state, SubmissionState.SUBMITTED)

    @property
    def pay(self) -> Money:
        """What acceptance earns: the price frozen at claim, or its part for hourly pay; for a
        surplus answer by the rule for late work."""
        return reward(
            Money(self.price_minor, self.currency), self.active_seconds, self.paid_seconds_max
        )


class Addendum(Root):
    """What the author of a judgement adds once it is in; the judgement itself never changes.

    content: for `judge_fault` model, version, tag, and the dimension or null. Codes only, never
    words: rows stay for good.
    """

    __tablename__ = "addendum"
    __table_args__ = (
        Index("ix_addendum_submission_id", "submission_id", "id"),
        one_of("kind", AddendumKind),
    )
    id: Mapped[IdKey]
    submission_id: Mapped[SubmissionId] = mapped_column(ForeignKey("submission.id"))
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[AddendumKind] = mapped_column(text_enum(AddendumKind))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]
