"""Exposure of gold, its disputes, and rules of quality control.

Why: answers to gold in ordinary work are scored with the gold that counted then, so that gold that
is corrected re-scores whom it touched; rules of quality control are rows, replayed on history
before they are switched on, and each firing keeps its figures and what its person says to it. Two
columns say what one person may hold in one job while a firing holds.
Locks: `work_progress` for a moment, its new columns are empty; the tables are new.
Undo: `downgrade`, which forgets scores, rules and firings; skill keeps what gold taught.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.quality.rules.control import (
    NEXT_FIRING,
    NEXT_RULE,
    Action,
    Bound,
    Collector,
    FiringState,
    RuleState,
    Side,
)
from marketplace.quality.rules.gold import (
    NEXT_DISPUTE,
    NEXT_GOLD,
    AlarmKind,
    DisputeState,
    GoldCause,
    GoldState,
)

revision = "0037_gold"
down_revision = "0036_quality"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
GUARDED: Mapping[str, Mapping[Any, Collection[Any]]] = {
    "gold_item": NEXT_GOLD,
    "gold_dispute": NEXT_DISPUTE,
    "control_rule": NEXT_RULE,
    "control_firing": NEXT_FIRING,
}
# Rows are only ever added; what is not known yet may be filled in, once.
KEPT: Mapping[str, Sequence[str]] = {
    "gold_version": (),
    "gold_score": ("superseded_at", "told_at"),
    "control_version": (),
    "control_replay": ("finished_at", "result"),
}
TABLES = (
    "quality_cursor",
    "control_firing",
    "control_replay",
    "control_version",
    "control_rule",
    "gold_alarm",
    "gold_score",
    "gold_version",
    "gold_dispute",
    "gold_item",
    "gold_terms",
)


def _to(table: str, *, null: bool = False, name: str = "") -> sa.Column[Any]:
    """A column that points at a row of another table."""
    named = name or f"{table}_id"
    return sa.Column(named, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=null)


def _key() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid(), primary_key=True)


def _enum(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(40), nullable=False)


def _at(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, AT, nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(), nullable=null)


def _use_gold() -> None:
    op.create_table(
        "gold_terms",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("exposures_max", sa.BigInteger(), nullable=False, server_default="40"),
        sa.CheckConstraint("exposures_max BETWEEN 1 AND 10000", name="exposures_max"),
    )
    op.create_table(
        "gold_item",
        sa.Column("item_id", sa.Uuid(), sa.ForeignKey("item.id"), primary_key=True),
        *(_to("job"), _enum("state"), _whole("exposures"), _whole("answered"), _number("right")),
        _at("changed_at"),
        sa.CheckConstraint("0 <= exposures AND 0 <= answered", name="counts"),
        one_of("state", GoldState),
    )
    op.create_index("ix_gold_item_job_id", "gold_item", ["job_id", "item_id"])


def _doubt_gold() -> None:
    op.create_table(
        "gold_dispute",
        *(_key(), _to("item"), _to("job"), _to("submission")),
        _to("person", name="raised_by", null=True),
        _text("reason"),
        sa.Column("figures", JSONB(), nullable=False),
        *(_enum("state"), _at("raised_at"), _text("note", null=True)),
        *(_to("person", name="decided_by", null=True), _at("decided_at", null=True)),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at"),
        sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by"),
        one_of("state", DisputeState),
    )
    op.create_index("ix_gold_dispute_job_id", "gold_dispute", ["job_id", "id"])
    nobody = "coalesce(raised_by, '00000000-0000-0000-0000-000000000000'::uuid)"
    op.create_index(
        "uq_gold_dispute_open",
        "gold_dispute",
        ["item_id", sa.text(nobody)],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "gold_version",
        *(_key(), _to("item"), _whole("number"), sa.Column("gold", JSON())),
        *(_enum("cause"), _text("note"), _to("person", null=True)),
        *(_to("gold_dispute", name="dispute_id", null=True), _at("made_at")),
        sa.UniqueConstraint("item_id", "number"),
        sa.CheckConstraint("(cause = 'withdrawn') = (gold IS NULL)", name="gold"),
        one_of("cause", GoldCause),
    )


def _score_gold() -> None:
    op.create_table(
        "gold_score",
        *(_key(), _to("submission"), _to("item"), _to("job"), _to("person"), _whole("version")),
        *(_whole("exposure"), _number("score", null=True), _number("weight"), _at("scored_at")),
        *(_at("superseded_at", null=True), _at("told_at", null=True)),
        sa.UniqueConstraint("submission_id", "version"),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        sa.CheckConstraint("weight BETWEEN 0 AND 1", name="weight"),
    )
    standing = sa.text("superseded_at IS NULL")
    op.create_index(
        "uq_gold_score_standing",
        "gold_score",
        ["submission_id"],
        unique=True,
        postgresql_where=standing,
    )
    op.create_index("ix_gold_score_job_id", "gold_score", ["job_id", "person_id", "id"])
    op.create_index("ix_gold_score_item_id", "gold_score", ["item_id"])
    op.create_index(
        "ix_gold_score_told",
        "gold_score",
        ["person_id", "id"],
        postgresql_where=sa.text("told_at IS NOT NULL AND superseded_at IS NULL"),
    )
    op.create_table(
        "gold_alarm",
        *(_key(), _to("job"), _to("person"), _enum("kind")),
        sa.Column("evidence", JSONB(), nullable=False),
        *(_at("raised_at"), _text("note", null=True)),
        *(_to("person", name="closed_by", null=True), _at("closed_at", null=True)),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by"),
        one_of("kind", AlarmKind),
    )
    op.create_index("ix_gold_alarm_job_id", "gold_alarm", ["job_id", "id"])
    op.create_index(
        "uq_gold_alarm_open",
        "gold_alarm",
        ["job_id", "person_id", "kind"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _write_rules() -> None:
    op.create_table(
        "control_rule",
        *(_key(), _to("job", null=True), _to("organisation"), _enum("state")),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("replay_id", sa.Uuid()),
        _at("made_at"),
        sa.CheckConstraint("state <> 'on' OR replay_id IS NOT NULL", name="replayed_before"),
        one_of("state", RuleState),
    )
    op.create_index("ix_control_rule_job_id", "control_rule", ["job_id", "id"])
    on = sa.text("state = 'on'")
    op.create_index("ix_control_rule_on", "control_rule", ["id"], postgresql_where=on)
    op.create_table(
        "control_version",
        *(_key(), _to("control_rule", name="rule_id"), _whole("number"), _text("name")),
        *(_enum("collector"), _enum("side"), _enum("bound"), _number("threshold")),
        *(_whole("n_min"), _whole("window", null=True)),
        *(_enum("action"), _whole("amount", null=True)),
        *(_to("person", name="written_by", null=True), _at("written_at")),
        sa.UniqueConstraint("rule_id", "number"),
        sa.UniqueConstraint("rule_id", "id"),
        sa.CheckConstraint("threshold > 0 AND threshold < 1", name="threshold"),
        one_of("collector", Collector),
        one_of("side", Side),
        one_of("bound", Bound),
        one_of("action", Action),
    )
    op.create_table(
        "control_replay",
        *(_key(), _to("control_version", name="version_id"), _to("person", name="asked_by")),
        *(_at("asked_at"), _at("finished_at", null=True), sa.Column("result", JSONB())),
        sa.UniqueConstraint("version_id", "id"),
        sa.CheckConstraint("(result IS NULL) = (finished_at IS NULL)", name="finished"),
    )
    # A rule's version is its own, and its replay is of that version.
    op.create_foreign_key(
        "fk_control_rule_version",
        *("control_rule", "control_version", ["id", "version_id"], ["rule_id", "id"]),
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_foreign_key(
        "fk_control_rule_replay",
        *("control_rule", "control_replay", ["version_id", "replay_id"], ["version_id", "id"]),
    )


def _keep_firings() -> None:
    op.create_table(
        "control_firing",
        *(_key(), _to("control_rule", name="rule_id"), _to("control_version", name="version_id")),
        *(_to("job"), _to("person"), _enum("action"), _whole("amount", null=True), _enum("state")),
        *(_number("value"), _number("lower"), _number("upper"), _whole("n")),
        *(sa.Column("source_id", sa.Uuid(), nullable=False), _at("fired_at")),
        *(_at("told_at", null=True), _text("reply", null=True), _at("replied_at", null=True)),
        *(_text("note", null=True), _to("person", name="decided_by", null=True)),
        *(_at("decided_at", null=True), sa.Column("evidence_pack_id", sa.Uuid())),
        sa.UniqueConstraint("rule_id", "job_id", "person_id", "source_id"),
        sa.CheckConstraint("(reply IS NULL) = (replied_at IS NULL)", name="replied"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided"),
        sa.CheckConstraint(
            "action <> 'pause' OR state IN ('proposed', 'lifted') OR decided_by IS NOT NULL",
            name="pause_by_a_person",
        ),
        sa.CheckConstraint("decided_by <> person_id", name="not_own"),
        one_of("state", FiringState),
        one_of("action", Action),
    )
    op.create_index("ix_control_firing_person_id", "control_firing", ["person_id", "id"])
    op.create_index("ix_control_firing_job_id", "control_firing", ["job_id", "id"])
    op.create_index(
        "uq_control_firing_open",
        "control_firing",
        ["rule_id", "job_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'lifted'"),
    )
    op.create_table(
        "quality_cursor",
        sa.Column("name", sa.Text(), primary_key=True),
        _whole("number"),
    )


def upgrade() -> None:
    """Create the tables, with what may follow what in them, and the two columns."""
    _use_gold()
    _doubt_gold()
    _score_gold()
    _write_rules()
    _keep_firings()
    for table, following in GUARDED.items():
        for statement in lifecycle_guard(table, following):
            op.execute(statement)
    for table, updatable in KEPT.items():
        for statement in append_only(table, updatable=updatable):
            op.execute(statement)
    op.add_column("work_progress", _whole("live_cap", null=True))
    op.add_column("work_progress", _at("stopped_at", null=True))
    op.create_check_constraint(op.f("ck_work_progress_live_cap"), "work_progress", "live_cap >= 1")


def downgrade() -> None:
    """Drop them all; everybody may hold again what their jobs allow."""
    op.drop_constraint(op.f("ck_work_progress_live_cap"), "work_progress", type_="check")
    op.drop_column("work_progress", "stopped_at")
    op.drop_column("work_progress", "live_cap")
    op.drop_constraint("fk_control_rule_replay", "control_rule", type_="foreignkey")
    op.drop_constraint("fk_control_rule_version", "control_rule", type_="foreignkey")
    for table in TABLES:
        op.drop_table(table)
    for table in GUARDED:
        op.execute(f"DROP FUNCTION {table}_lifecycle()")
    for table in KEPT:
        op.execute(f"DROP FUNCTION {table}_append_only()")
