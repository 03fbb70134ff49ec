"""A new version in a running job: finish on the old one, ask judged tasks again, or qualify again.

Why: a version says what its change meant for work that was begun; a job remembers whether any
begun task keeps an older version, and since when its qualifications must be passed anew; a seat
remembers that its judgement was set aside, and a price of its own where the lab stated one.
Locks: `template_version`, `job` and `seat` for a moment each (new columns without a rewrite; the
checks read only rows that have the new columns set, which none has).
Undo: `downgrade`; it refuses once a judgement was set aside, since nothing else tells it apart.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024_versions"
down_revision = "0023_envelope"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
CHOICES = "change IN ('finish', 'reopen', 'requalify')"
NONE_SET_ASIDE = """DO $$ BEGIN
  IF EXISTS (SELECT FROM seat WHERE set_aside_at IS NOT NULL) THEN
    RAISE EXCEPTION 'Judgements were set aside; this cannot be taken back.';
  END IF;
END $$"""


def upgrade() -> None:
    """Add the columns."""
    op.add_column("template_version", sa.Column("change", sa.String(40)))
    op.create_check_constraint("change", "template_version", CHOICES)
    op.add_column(
        "job", sa.Column("keeps_versions", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column("job", sa.Column("requalify_since", AT))
    requalified = sa.text("requalify_since IS NOT NULL")
    op.create_index("ix_job_requalified", "job", ["id"], postgresql_where=requalified)
    op.add_column("seat", sa.Column("set_aside_at", AT))
    op.add_column("seat", sa.Column("price_minor", sa.BigInteger()))
    op.create_check_constraint("price_minor", "seat", "price_minor >= 0")


def downgrade() -> None:
    """Take them back, while no judgement was set aside."""
    op.execute(NONE_SET_ASIDE)
    op.drop_column("seat", "price_minor")
    op.drop_column("seat", "set_aside_at")
    op.drop_index("ix_job_requalified", "job")
    op.drop_column("job", "requalify_since")
    op.drop_column("job", "keeps_versions")
    op.drop_column("template_version", "change")
