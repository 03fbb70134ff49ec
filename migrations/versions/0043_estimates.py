"""Estimates of units that are numbers, and strengths of what is compared across a job.

Why: a score has a value with an interval, and its authors a bias and a noise, which classes do not
tell; systems that are compared in many items have a strength in the job as a whole.
Locks: `posterior`, `label_author` and `question_fit` exclusively for a moment; columns that may be
NULL rewrite nothing. Undo: `downgrade`; the next fit fills them again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043_estimates"
down_revision = "0042_judges"
branch_labels = None
depends_on = None

COLUMNS = {
    "posterior": ("estimate", "estimate_lower", "estimate_upper"),
    "label_author": ("bias", "noise"),
}


def upgrade() -> None:
    """Add what numbers say, and keep the strengths of each question of a job."""
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True))
    op.add_column("question_fit", sa.Column("method", sa.Text(), nullable=True))
    op.create_table(
        "job_strengths",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("result", JSONB(), nullable=False),
        sa.Column("fit", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "question"),
    )


def downgrade() -> None:
    """Forget estimates and strengths."""
    op.drop_table("job_strengths")
    op.drop_column("question_fit", "method")
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
