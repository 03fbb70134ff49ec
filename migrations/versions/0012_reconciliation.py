"""The tables of reconciliation: what Stripe told us, which nobody alters.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them; the
next pull fetches the lines again, the former statements are gone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import append_only

revision = "0012_reconciliation"
down_revision = "0011_payouts"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLES = ("stripe_statement", "stripe_statement_line")


def upgrade() -> None:
    """Create both, append-only."""
    op.create_table(
        "stripe_statement",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("taken_at", AT, nullable=False),
        sa.Column("lines_through", AT),
        sa.Column("balances", postgresql.JSONB(), nullable=False),
        sa.Column("body", postgresql.JSON(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
    )
    op.create_index("ix_stripe_statement_taken_at", "stripe_statement", ["taken_at"])
    op.create_table(
        "stripe_statement_line",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text()),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("available_at", AT, nullable=False),
        sa.Column("seen_at", AT, nullable=False),
        sa.Column("body", postgresql.JSON(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("net = amount - fee", name="net"),
        sa.CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
    )
    op.create_index(
        "ix_stripe_statement_line_created_at", "stripe_statement_line", ["created_at", "id"]
    )
    for table in TABLES:
        for statement in append_only(table):
            op.execute(statement)


def downgrade() -> None:
    """Drop both, with the functions of their triggers."""
    for table in reversed(TABLES):
        op.drop_table(table)
        op.execute(f"DROP FUNCTION {table}_append_only()")
