"""The scan for personal details in items, and what labs declare of what it found.

Why: a lab should know before publishing that its items seem to name people, and say why they may
be judged all the same. Counts and covered excerpts are kept, never a value.
Locks: nothing, the tables are new. Undo: `downgrade`; what labs declared stays in the audit.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import one_of
from marketplace.jobs.rules.scan import Declaration, Personal

revision = "0032_scans"
down_revision = "0030_amendments"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "item_scan",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("scanner_version", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("scanned_at", AT),
        sa.Column("declaration", sa.String(40)),
        sa.Column("declared_found", sa.BigInteger()),
        sa.Column("declared_by", sa.Uuid(), sa.ForeignKey("person.id")),
        sa.Column("declared_at", AT),
        one_of("declaration", Declaration),
        sa.CheckConstraint(
            "num_nulls(declaration, declared_found, declared_by, declared_at) IN (0, 4)",
            name="declared",
        ),
    )
    op.create_table(
        "scan_finding",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("places", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "kind", "field"),
        one_of("kind", Personal),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("scan_finding")
    op.drop_table("item_scan")
