"""Data cards: what a lab says of a job for the card of its exports, and each card's own facts.

Why: an export explains itself to whoever finds it years later: under what licence, made by whom,
with what agreement. The facts of a card are kept when it is first written, since a file must be
the same bytes whenever it is written again, whatever was learnt of the job meanwhile.
Locks: nothing; both tables are new. Undo: `downgrade`; what labs wrote is lost, exports keep
their files and get a card of new facts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import append_only

revision = "0056_data_cards"
down_revision = "0055_webhooks"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
LICENCES = (
    *("unknown", "internal", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "odc-by"),
    *("apache-2.0", "mit", "other"),
)


def upgrade() -> None:
    """Create both tables; facts of cards are never written over."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    listed = ", ".join(f"'{each}'" for each in LICENCES)
    op.create_table(
        "data_card",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("licence", sa.String(40), nullable=False),
        sa.Column("licence_words", sa.Text(), nullable=False),
        sa.Column("languages", ARRAY(sa.Text()), nullable=False),
        sa.Column("intended_use", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.CheckConstraint(f"licence IN ({listed})", name="licence"),
        sa.CheckConstraint("(licence = 'other') = (licence_words <> '')", name="other_has_words"),
    )
    op.create_table(
        "export_card",
        sa.Column("export_id", sa.Uuid(), sa.ForeignKey("export.id"), primary_key=True),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("frozen_at", AT, nullable=False),
        sa.Column("readme", sa.Text()),
    )
    for statement in append_only("export_card", updatable=["readme"]):
        op.execute(statement)


def downgrade() -> None:
    """Drop both tables."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("export_card")
    op.execute("DROP FUNCTION export_card_append_only()")
    op.drop_table("data_card")
