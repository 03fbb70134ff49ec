"""The tables of work: tasks, seats, claims, drafts, time, outcomes, submissions.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import lifecycle_guard, one_of
from marketplace.work import rules

revision = "0006_work"
down_revision = "0005_jobs"
branch_labels = None
depends_on = None

# Revisions are only ever added; they may be deleted with their job or their person.
DRAFTS = """DO $$ BEGIN EXECUTE format(
  'REVOKE UPDATE, TRUNCATE ON draft FROM %1$I', current_setting('marketplace.app_role'));
END $$"""
AT = sa.DateTime(timezone=True)
STATE = sa.String(40)
LIFECYCLES = {
    "task": rules.NEXT_TASK,
    "seat": rules.NEXT_SEAT,
    "claim": rules.NEXT_CLAIM,
    "submission": rules.NEXT_SUBMISSION,
}


def _id() -> sa.Column[sa.Uuid]:
    return sa.Column("id", sa.Uuid(), primary_key=True)


def _link(name: str, target: str, *, nullable: bool = False) -> sa.Column[sa.Uuid]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{target}.id"), nullable=nullable)


def upgrade() -> None:
    """Create them with their guards."""
    op.execute("CREATE SEQUENCE seat_rank_seq")
    op.execute("CREATE SEQUENCE claim_fence_seq")
    _tasks_and_seats()
    _claims()
    _what_claims_hold()
    _submissions()
    for table, allowed in LIFECYCLES.items():
        for statement in lifecycle_guard(table, allowed):
            op.execute(statement)
    op.execute(DRAFTS)


def _tasks_and_seats() -> None:
    op.create_table(
        "task",
        _id(),
        _link("job_id", "job"),
        _link("item_id", "item"),
        sa.Column("state", STATE, nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("filled_at", AT),
        sa.UniqueConstraint("item_id"),
        sa.CheckConstraint("counted BETWEEN 0 AND wanted", name="counted_within_wanted"),
        sa.CheckConstraint("decided BETWEEN 0 AND counted", name="decided_within_counted"),
        one_of("state", rules.TaskState),
    )
    op.create_index("ix_task_job_id_id", "task", ["job_id", "id"])
    op.create_table(
        "seat",
        _id(),
        _link("task_id", "task"),
        _link("job_id", "job"),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.UniqueConstraint("task_id", "round"),
        one_of("state", rules.SeatState),
    )
    op.create_index(
        "ix_seat_open", "seat", ["job_id", "rank"], postgresql_where=sa.text("state = 'open'")
    )


def _claims() -> None:
    op.create_table(
        "claim",
        _id(),
        _link("seat_id", "seat"),
        _link("task_id", "task"),
        _link("job_id", "job"),
        _link("specialist_id", "person"),
        _link("template_version_id", "template_version"),
        sa.Column("reworks_submission_id", sa.Uuid()),
        sa.Column("seat_rank", sa.BigInteger(), nullable=False),
        sa.Column(
            "fence",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("nextval('claim_fence_seq')"),
        ),
        sa.Column("state", STATE, nullable=False),
        sa.Column("claimed_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("ended_at", AT),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_seconds_max", sa.BigInteger()),
        sa.Column("credential_level", sa.BigInteger(), nullable=False),
        sa.Column("presented_order", ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
        one_of("state", rules.ClaimState),
    )
    live = sa.text("state = 'live'")
    op.create_index("uq_claim_live_seat", "claim", ["seat_id"], unique=True, postgresql_where=live)
    op.create_index(
        "uq_claim_holding",
        "claim",
        ["task_id", "specialist_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('live', 'submitted')"),
    )
    op.create_index("ix_claim_own", "claim", ["specialist_id", "job_id", "id"])
    op.create_index("ix_claim_expiry", "claim", ["expires_at"], postgresql_where=live)


def _what_claims_hold() -> None:
    op.create_table(
        "draft",
        sa.Column("claim_id", sa.Uuid(), sa.ForeignKey("claim.id"), primary_key=True),
        sa.Column("revision", sa.BigInteger(), primary_key=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("saved_at", AT, nullable=False),
    )
    op.create_table(
        "time_interval",
        _id(),
        _link("claim_id", "claim"),
        sa.Column("kind", STATE, nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=False),
        sa.CheckConstraint("started_at < ended_at", name="has_length"),
        one_of("kind", rules.IntervalKind),
    )
    op.create_index("ix_time_interval_claim_id", "time_interval", ["claim_id"])
    op.create_table(
        "outcome",
        _id(),
        sa.Column("claim_id", sa.Uuid(), sa.ForeignKey("claim.id"), nullable=False, unique=True),
        _link("job_id", "job"),
        sa.Column("kind", STATE, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reported_at", AT, nullable=False),
        one_of("kind", rules.OutcomeKind),
    )
    op.create_index("ix_outcome_job_id", "outcome", ["job_id", "id"])


def _submissions() -> None:
    op.create_table(
        "submission",
        _id(),
        sa.Column("claim_id", sa.Uuid(), sa.ForeignKey("claim.id"), nullable=False, unique=True),
        _link("seat_id", "seat"),
        _link("task_id", "task"),
        _link("job_id", "job"),
        _link("specialist_id", "person"),
        _link("template_version_id", "template_version"),
        sa.Column("judgement", sa.JSON(), nullable=False),
        sa.Column("rationale", sa.Text()),
        sa.Column("confidence", sa.Float()),
        sa.Column("references", JSONB(), nullable=False),
        sa.Column("ai_use", JSONB()),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("presented_order", ARRAY(sa.Text()), nullable=False),
        sa.Column("credential_level", sa.BigInteger(), nullable=False),
        sa.Column("active_seconds", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_seconds_max", sa.BigInteger()),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", AT, nullable=False),
        sa.Column("submitted_at", AT, nullable=False),
        sa.Column("decided_at", AT),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_a_share"),
        one_of("state", rules.SubmissionState),
    )
    op.create_index("ix_submission_job_id_id", "submission", ["job_id", "id"])
    op.create_index("ix_submission_own", "submission", ["specialist_id", "id"])
    op.create_index("ix_submission_task_id", "submission", ["task_id"])
    arrived = sa.text("state = 'submitted'")
    op.create_index("ix_submission_arrived", "submission", ["id"], postgresql_where=arrived)
    op.create_index(
        "ix_submission_undecided",
        "submission",
        ["job_id", "id"],
        postgresql_where=sa.text("state IN ('submitted', 'in_review')"),
    )
    op.create_foreign_key(
        "fk_claim_reworks_submission_id", "claim", "submission", ["reworks_submission_id"], ["id"]
    )


def downgrade() -> None:
    """Drop them all."""
    op.drop_constraint("fk_claim_reworks_submission_id", "claim")
    for table in ("submission", "outcome", "time_interval", "draft", "claim", "seat", "task"):
        op.drop_table(table)
    for name in (f"{table}_lifecycle" for table in LIFECYCLES):
        op.execute(f"DROP FUNCTION {name}()")
    op.execute("DROP SEQUENCE seat_rank_seq")
    op.execute("DROP SEQUENCE claim_fence_seq")
