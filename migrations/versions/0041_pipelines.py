"""Hybrid pipelines: models first, specialists for what is unsure, and an audit of the rest.

Why: a job of many items that models judged before pays specialists only where it changes the
result; each item keeps its route with the chance it had, since estimates stand on that.
Locks: `job` for a moment, its new column is empty; the tables are new.
Undo: `downgrade`; jobs with a pipeline are then priced as if specialists judged every item.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.quality.rules.pipeline import Reason, Route
from marketplace.quality.rules.pipeline_words import NEXT_PIPELINE, PipelineState

revision = "0041_pipelines"
down_revision = "0040_appeals"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def _number(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _to(table: str, *, key: bool = False) -> sa.Column:
    name = f"{table}_id"
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=False, primary_key=key)


def upgrade() -> None:
    """Add the column of jobs and create the tables."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("job", sa.Column("specialist_items_max", sa.BigInteger()))
    op.create_check_constraint(
        op.f("ck_job_specialist_items_max"), "job", "specialist_items_max >= 1"
    )
    _create_pipeline()
    _create_items()
    op.create_table(
        "pipeline_round",
        _to("job"),
        _number("number"),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number"),
    )
    for statement in lifecycle_guard("pipeline", NEXT_PIPELINE) + append_only("pipeline_round"):
        op.execute(statement)


def _create_pipeline() -> None:
    op.create_table(
        "pipeline",
        _to("job", key=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("confidence_target", sa.Numeric(4, 3), nullable=False),
        sa.Column("audit_ratio", sa.Numeric(4, 3), nullable=False),
        sa.Column("kept_share", sa.Numeric(4, 3), nullable=False),
        sa.Column("slice_field", sa.Text()),
        *map(_number, ("items_max", "rounds_max", "seed", "round", "items_routed")),
        sa.Column("slices", ARRAY(sa.Text()), nullable=False),
        _number("judged"),
        sa.Column("report", JSONB()),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.Column("computed_at", AT),
        sa.Column("finished_at", AT),
        one_of("state", PipelineState),
        sa.CheckConstraint("confidence_target BETWEEN 0 AND 1", name="confidence_target"),
        sa.CheckConstraint("audit_ratio BETWEEN 0 AND 1", name="audit_ratio"),
        sa.CheckConstraint("items_max >= 1", name="items_max"),
        sa.CheckConstraint("kept_share BETWEEN 0 AND 0.9", name="kept_share"),
        sa.CheckConstraint("rounds_max BETWEEN 1 AND 10", name="rounds_max"),
        sa.CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="done_has_time"),
    )


def _create_items() -> None:
    op.create_table(
        "pipeline_item",
        _to("item", key=True),
        _to("job"),
        *map(_number, ("position", "slice")),
        sa.Column("route", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("inclusion", sa.Float(), nullable=False),
        *map(_number, ("stratum", "round")),
        one_of("route", Route),
        one_of("reason", Reason),
        sa.CheckConstraint("inclusion BETWEEN 0 AND 1", name="inclusion"),
        sa.CheckConstraint("(route = 'model') = (round = 0)", name="round"),
    )
    op.create_index(
        "ix_pipeline_item_position", "pipeline_item", ["job_id", "position"], unique=True
    )
    op.create_table(
        "pipeline_label",
        _to("item"),
        sa.Column("unit", sa.Text(), nullable=False),
        _to("job"),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        *map(_number, ("humans", "models")),
        sa.PrimaryKeyConstraint("item_id", "unit"),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    )
    op.create_index("ix_pipeline_label_job_id", "pipeline_label", ["job_id"])


def downgrade() -> None:
    """Drop them."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("pipeline_round", "pipeline_label", "pipeline_item", "pipeline"):
        op.drop_table(table)
    for table, guard in (("pipeline_round", "append_only"), ("pipeline", "lifecycle")):
        op.execute(f"DROP FUNCTION {table}_{guard}()")
    op.drop_constraint(op.f("ck_job_specialist_items_max"), "job", type_="check")
    op.drop_column("job", "specialist_items_max")
