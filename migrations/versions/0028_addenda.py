"""What authors add to a judgement after it is in.

Why: who calibrates a judge sees its verdict only once their own is handed in, and may then name
its fault; that stands beside the judgement, which never changes.
Locks: `submission` and `person` for a moment, for the foreign keys.
Undo: `downgrade`, which forgets every fault that was named.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only

revision = "0028_addenda"
down_revision = "0027_chat"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which only ever grows."""
    op.create_table(
        "addendum",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("submission_id", sa.Uuid(), sa.ForeignKey("submission.id"), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('judge_fault')", name="kind"),
    )
    op.create_index("ix_addendum_submission_id", "addendum", ["submission_id", "id"])
    for statement in append_only("addendum"):
        op.execute(statement)


def downgrade() -> None:
    """Drop the table with all that stands in it."""
    op.drop_table("addendum")
    op.execute("DROP FUNCTION addendum_append_only()")
