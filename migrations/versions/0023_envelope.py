"""The whole envelope of a judgement, tasks that are asked twice, and how a person likes to work.

Why: a submission keeps its rationale as claims with evidence, its flags, and its time as stretches
with notes; a claim may repeat an earlier answer of its own holder, beside the task's seats; what a
person has moved on the keyboard, and which instructions they read last, is remembered.
Locks: `submission`, `claim`, `job` and `work_progress` for a moment (the defaults are constant),
and `claim` while two partial indexes are made anew, about ten seconds for 10 million claims.
Undo: `downgrade`, while no claim repeats an answer; it refuses otherwise, since the former indexes
cannot hold both.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0023_envelope"
down_revision = "0022_onboarding"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
HOLDING = {
    "uq_claim_live_seat": (["seat_id"], "state = 'live'"),
    "uq_claim_holding": (["task_id", "specialist_id"], "state IN ('live', 'submitted')"),
}
FLAGS = "flags <@ ARRAY['unsure', 'outside_competence', 'bad_item']::text[]"


def upgrade() -> None:
    """Add the columns and the table, and leave repeats out of the indexes on seats."""
    empty_list = sa.text("'[]'::jsonb")
    for name in ("rationale_claims", "spent"):
        column = sa.Column(name, JSONB(), nullable=False, server_default=empty_list)
        op.add_column("submission", column)
    op.add_column(
        "submission", sa.Column("flags", ARRAY(sa.Text()), nullable=False, server_default="{}")
    )
    op.create_check_constraint("flags", "submission", FLAGS)
    for table in ("submission", "claim"):
        target = sa.ForeignKey("submission.id")
        op.add_column(table, sa.Column("repeats_submission_id", sa.Uuid(), target))
    _indexes(" AND repeats_submission_id IS NULL")
    op.create_index(
        "uq_claim_repeat",
        "claim",
        ["repeats_submission_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('live', 'submitted')"),
    )
    op.add_column(
        "job", sa.Column("repeat_ratio", sa.Numeric(4, 3), nullable=False, server_default="0")
    )
    op.create_check_constraint("repeat_ratio", "job", "repeat_ratio BETWEEN 0 AND 0.2")
    op.add_column(
        "work_progress", sa.Column("repeats", sa.BigInteger(), nullable=False, server_default="0")
    )
    version = sa.ForeignKey("template_version.id")
    op.add_column("work_progress", sa.Column("seen_version_id", sa.Uuid(), version))
    op.create_table(
        "work_preference",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("keys", JSONB(), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
    )


def _indexes(further: str) -> None:
    for name, (columns, condition) in HOLDING.items():
        op.drop_index(name, "claim")
        where = sa.text(condition + further)
        op.create_index(name, "claim", columns, unique=True, postgresql_where=where)


def downgrade() -> None:
    """Take it all back."""
    op.drop_table("work_preference")
    op.drop_column("work_progress", "seen_version_id")
    op.drop_column("work_progress", "repeats")
    op.drop_column("job", "repeat_ratio")
    op.drop_index("uq_claim_repeat", "claim")
    _indexes("")
    for table in ("claim", "submission"):
        op.drop_column(table, "repeats_submission_id")
    for name in ("flags", "spent", "rationale_claims"):
        op.drop_column("submission", name)
