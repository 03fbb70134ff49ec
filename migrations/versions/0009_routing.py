"""How far each job's items have money.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_routing"
down_revision = "0008_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job_reserve",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("items_reserved", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("items_reserved >= 0", name="items_reserved"),
    )
    op.create_index(
        "ix_job_reserve_unsettled",
        "job_reserve",
        ["job_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("job_reserve")
