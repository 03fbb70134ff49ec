"""Rules of quality control, what they would have done, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.quality.rules.control import (
    Action,
    Bound,
    Collector,
    Condition,
    FiringState,
    RuleState,
    RuleText,
    Side,
)


class ControlVersion(Root):
    """A rule as it was written at one time; rows are only ever added."""

    __tablename__ = "control_version"
    __table_args__ = (
        UniqueConstraint("rule_id", "number"),
        UniqueConstraint("rule_id", "id"),
        CheckConstraint("threshold > 0 AND threshold < 1", name="threshold"),
        one_of("collector", Collector),
        one_of("side", Side),
        one_of("bound", Bound),
        one_of("action", Action),
    )
    id: Mapped[IdKey]
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("control_rule.id"))
    number: Mapped[int]
    name: Mapped[str]
    collector: Mapped[Collector] = mapped_column(text_enum(Collector))
    side: Mapped[Side] = mapped_column(text_enum(Side))
    bound: Mapped[Bound] = mapped_column(text_enum(Bound))
    threshold: Mapped[float]
    n_min: Mapped[int]
    window: Mapped[int | None]
    action: Mapped[Action] = mapped_column(text_enum(Action))
    amount: Mapped[int | None]
    written_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    written_at: Mapped[datetime]

    @property
    def text(self) -> RuleText:
        """The rule as a value."""
        asked = Condition(self.side, self.bound, self.threshold, self.n_min, self.window)
        return RuleText(self.name, self.collector, asked, self.action, self.amount)


class ControlRule(Root):
    """A rule of one job, or of all jobs where job_id is None.

    version_id: how it is written now; replay_id: the replay of that very version that allowed it
    to be switched on; reached: the number of the last event that it looked at.
    """

    __tablename__ = "control_rule"
    __table_args__ = (
        # The version and the replay are this rule's own, and of each other; the database says so.
        ForeignKeyConstraint(
            ["id", "version_id"],
            ["control_version.rule_id", "control_version.id"],
            name="fk_control_rule_version",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        ForeignKeyConstraint(
            ["version_id", "replay_id"],
            ["control_replay.version_id", "control_replay.id"],
            name="fk_control_rule_replay",
            use_alter=True,
        ),
        CheckConstraint("state <> 'on' OR replay_id IS NOT NULL", name="replayed_before"),
        Index("ix_control_rule_job_id", "job_id", "id"),
        Index("ix_control_rule_on", "id", postgresql_where=text("state = 'on'")),
        one_of("state", RuleState),
    )
    id: Mapped[IdKey]
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("job.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[RuleState] = mapped_column(text_enum(RuleState))
    version_id: Mapped[UUID]
    replay_id: Mapped[UUID | None]
    made_at: Mapped[datetime]


class ControlReplay(Root):
    """What a version would have done in the past; rows are only ever added, and finished once.

    result: {"jobs", "people", "pieces", "caught": [...]}; failed: why there is none.
    """

    __tablename__ = "control_replay"
    __table_args__ = (
        UniqueConstraint("version_id", "id"),
        CheckConstraint("(result IS NULL) = (finished_at IS NULL)", name="finished"),
    )
    id: Mapped[IdKey]
    version_id: Mapped[UUID] = mapped_column(ForeignKey("control_version.id"))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ControlFiring(Root):
    """A rule that was met by a person in a job, with the figures that it stands on.

    value, lower, upper, n: the share, its bounds and the pieces of work; source_id: the last of
    them; told_at: since when the person may read it; reply: what they say to it; evidence_pack_id:
    where the evidence was put together.
    """

    __tablename__ = "control_firing"
    __table_args__ = (
        UniqueConstraint("rule_id", "job_id", "person_id", "source_id"),
        Index(
            "uq_control_firing_open",
            "rule_id",
            "job_id",
            "person_id",
            unique=True,
            postgresql_where=text("state <> 'lifted'"),
        ),
        Index("ix_control_firing_person_id", "person_id", "id"),
        Index("ix_control_firing_job_id", "job_id", "id"),
        CheckConstraint("(reply IS NULL) = (replied_at IS NULL)", name="replied"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided"),
        # Nobody is stopped without a person who said so.
        CheckConstraint(
            "action <> 'pause' OR state IN ('proposed', 'lifted') OR decided_by IS NOT NULL",
            name="pause_by_a_person",
        ),
        CheckConstraint("decided_by <> person_id", name="not_own"),
        one_of("state", FiringState),
        one_of("action", Action),
    )
    id: Mapped[IdKey]
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("control_rule.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("control_version.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    action: Mapped[Action] = mapped_column(text_enum(Action))
    amount: Mapped[int | None]
    state: Mapped[FiringState] = mapped_column(text_enum(FiringState))
    value: Mapped[float]
    lower: Mapped[float]
    upper: Mapped[float]
    n: Mapped[int]
    source_id: Mapped[UUID]
    fired_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    reply: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    note: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    evidence_pack_id: Mapped[UUID | None] = mapped_column(ForeignKey("evidence_pack.id"))


class QualityCursor(Root):
    """How far a reader of announced facts has come; number: of the last one that it read."""

    __tablename__ = "quality_cursor"
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
