"""Models that talk in a task.

Why: a lab names the endpoints at which its models answer, with an encrypted key and limits; a
conversation of a specialist with them is kept row by row, each before it is shown.
Locks: nothing, the tables are new. Undo: `downgrade`, which loses endpoints and conversations.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import one_of
from marketplace.endpoints.rules import LimitField, Outcome
from marketplace.work.rules.conversation import EntryKind

revision = "0027_chat"
down_revision = "0026_images"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
# Rows are only ever added; they may be deleted with their job or their person.
ENTRIES = """DO $$ BEGIN EXECUTE format(
  'REVOKE UPDATE, TRUNCATE ON conversation_entry FROM %1$I',
  current_setting('marketplace.app_role'));
END $$"""


def upgrade() -> None:
    """Create the tables."""
    _endpoints()
    op.create_table(
        "model_use",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("endpoint_id", sa.Uuid(), sa.ForeignKey("model_endpoint.id"), primary_key=True),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calls >= 0", name="calls"),
    )
    op.create_index("ix_model_use_endpoint_id", "model_use", ["endpoint_id"])
    op.create_table(
        "conversation_entry",
        sa.Column("claim_id", sa.Uuid(), sa.ForeignKey("claim.id"), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.CheckConstraint("number >= 1", name="number"),
        one_of("kind", EntryKind),
    )
    op.execute(ENTRIES)


def _endpoints() -> None:
    op.create_table(
        "model_endpoint",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("organisation_id", sa.Uuid(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("api_key", sa.LargeBinary()),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("temperature", sa.Numeric(4, 3)),
        sa.Column("top_p", sa.Numeric(4, 3)),
        sa.Column("limit_field", sa.String(40), nullable=False),
        sa.Column("tokens_a_turn_max", sa.BigInteger(), nullable=False),
        sa.Column("turns_max", sa.BigInteger(), nullable=False),
        sa.Column("calls_a_job_max", sa.BigInteger(), nullable=False),
        sa.Column("timeout_seconds", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("retired_at", AT),
        sa.Column("tested_at", AT),
        sa.Column("test_outcome", sa.String(40)),
        sa.UniqueConstraint("organisation_id", "name"),
        one_of("limit_field", LimitField),
        one_of("test_outcome", Outcome),
        sa.CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature"),
        sa.CheckConstraint("top_p > 0 AND top_p <= 1", name="top_p"),
        sa.CheckConstraint(
            "tokens_a_turn_max BETWEEN 1 AND 32000 AND turns_max BETWEEN 1 AND 50"
            " AND calls_a_job_max BETWEEN 1 AND 10000000 AND timeout_seconds BETWEEN 1 AND 120",
            name="limits",
        ),
        sa.CheckConstraint("(tested_at IS NULL) = (test_outcome IS NULL)", name="tested"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("conversation_entry")
    op.drop_table("model_use")
    op.drop_table("model_endpoint")
