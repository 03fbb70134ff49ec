"""The tables of review: decisions and accruals.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only, one_of
from marketplace.review.rules import Verdict

revision = "0008_review"
down_revision = "0007_quality"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create them with their guards."""
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _unique_submission(),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), sa.ForeignKey("person.id")),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("defects", JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decided_at", AT, nullable=False),
        sa.CheckConstraint("reviewer_id <> author_id", name="not_own_work"),
        one_of("verdict", Verdict),
    )
    op.create_index("ix_decision_job_id", "decision", ["job_id", "id"])
    op.create_table(
        "accrual",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _unique_submission(),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("accrued_at", AT, nullable=False),
        sa.Column("clears_at", AT, nullable=False),
        sa.Column("cleared_at", AT),
        sa.CheckConstraint("amount_minor >= 0", name="not_negative"),
    )
    op.create_index("ix_accrual_specialist_id", "accrual", ["specialist_id", "id"])
    op.create_index(
        "ix_accrual_due", "accrual", ["clears_at"], postgresql_where=sa.text("cleared_at IS NULL")
    )
    for table, updatable in (("decision", ()), ("accrual", ("cleared_at",))):
        for statement in append_only(table, updatable=updatable):
            op.execute(statement)


def _unique_submission() -> sa.Column[sa.Uuid]:
    return sa.Column(
        "submission_id", sa.Uuid(), sa.ForeignKey("submission.id"), nullable=False, unique=True
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("accrual", "decision"):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_append_only()")
