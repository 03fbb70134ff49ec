"""The table of exports.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import lifecycle_guard, one_of
from marketplace.delivery.rules import NEXT, ExportState

revision = "0013_delivery"
down_revision = "0012_reconciliation"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create it with its guards."""
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("as_of", AT, nullable=False),
        sa.Column("items_total", sa.BigInteger(), nullable=False),
        sa.Column("items_read", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("counts", JSONB()),
        sa.Column("failure", sa.Text()),
        sa.Column("requested_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("finished_at", AT),
        sa.CheckConstraint("(state = 'done') = (sha256 IS NOT NULL)", name="done_has_hash"),
        one_of("state", ExportState),
    )
    op.create_index("ix_export_job_id", "export", ["job_id", "id"])
    op.create_index("ix_export_organisation_id", "export", ["organisation_id", "id"])
    for statement in lifecycle_guard("export", NEXT):
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("export")
    op.execute("DROP FUNCTION export_lifecycle()")
