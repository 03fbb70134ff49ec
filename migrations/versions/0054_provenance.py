"""Provenance: what a judgement was when it was handed in, committed to by a salted hash.

Why: the event of each hand-in carries a commitment to all that was handed in, which a salt beside
the judgement opens, until its author is erased; each day's heads of the chains are kept, signed.
Locks: `submission` for a moment, for a column without a value; `event` while its index by subject
is built: stop the workers for it where there are many millions. Undo: `downgrade`; it forgets salts
and heads, so that no commitment is ever opened again.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import append_only

revision = "0054_provenance"
down_revision = "0053_exports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the salts and the days' heads."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("submission", sa.Column("salt", sa.LargeBinary()))
    op.create_table(
        "day_head",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "day", name="pk_day_head"),
        sa.CheckConstraint("number >= 1", name="ck_day_head_number"),
    )
    op.create_index("ix_event_subject_id", "event", ["subject_id", "id"])
    for statement in append_only("day_head"):
        op.execute(statement)


def downgrade() -> None:
    """Forget both."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_event_subject_id", "event")
    op.drop_table("day_head")
    op.execute("DROP FUNCTION day_head_append_only()")
    op.drop_column("submission", "salt")
