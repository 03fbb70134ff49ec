"""The kernel's tables: outbox, events, chain heads, audit, mail.

Why: the first version. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only

revision = "0001_kernel"
down_revision = None
branch_labels = None
depends_on = None

# The application reads which revision it runs on, and never changes it.
READ_ONLY = """DO $$ BEGIN EXECUTE format(
  'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM %1$I;
   GRANT SELECT ON alembic_version TO %1$I', current_setting('marketplace.app_role'));
END $$"""
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create them."""
    if op.get_bind().scalar(
        sa.text("SELECT current_user <> current_setting('marketplace.app_role')")
    ):
        op.execute(READ_ONLY)
    _outbox()
    _events()
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", AT, nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("organisation_id", sa.Uuid()),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("number", sa.BigInteger(), unique=True),
        sa.Column("hash", sa.LargeBinary()),
    )
    op.create_index("ix_audit_subject_id", "audit", ["subject_id", "id"])
    op.create_index(
        "ix_audit_unnumbered", "audit", ["id"], postgresql_where=sa.text("number IS NULL")
    )
    op.create_table(
        "mail_message",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("to", sa.LargeBinary()),
        sa.Column("subject", sa.LargeBinary()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("written_at", AT, nullable=False),
        sa.Column("sent_at", AT),
    )
    for statement in append_only("audit", updatable=("number", "hash")):
        op.execute(statement)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("arguments", JSONB(), nullable=False),
        sa.Column("once_key", sa.Text(), unique=True),
        sa.Column("not_before", AT, nullable=False),
        sa.Column("leased_until", AT),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("done_at", AT),
    )
    op.create_index(
        "ix_outbox_due", "outbox", ["not_before"], postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index("ix_outbox_done_at", "outbox", ["done_at"])


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid()),
        sa.Column("job_id", sa.Uuid()),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("announced_at", AT, nullable=False),
        sa.Column("number", sa.BigInteger(), unique=True),
        sa.Column("organisation_number", sa.BigInteger()),
        sa.Column("organisation_hash", sa.LargeBinary()),
        sa.Column("job_number", sa.BigInteger()),
        sa.Column("job_hash", sa.LargeBinary()),
        sa.UniqueConstraint("organisation_id", "organisation_number"),
        sa.UniqueConstraint("job_id", "job_number"),
    )
    op.create_index(
        "ix_event_unnumbered", "event", ["id"], postgresql_where=sa.text("number IS NULL")
    )
    op.create_table(
        "chain_head",
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    numbers = ("number", "organisation_number", "organisation_hash", "job_number", "job_hash")
    for statement in append_only("event", updatable=numbers):
        op.execute(statement)


def downgrade() -> None:
    """Drop them all."""
    for table in ("chain_head", "event", "outbox", "mail_message", "audit"):
        op.drop_table(table)
    for table in ("event", "audit"):
        op.execute(f"DROP FUNCTION {table}_append_only()")
