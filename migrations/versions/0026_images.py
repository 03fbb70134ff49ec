"""Images that items name.

Why: a task about an image needs the image, with its size and hash, before anybody opens it. The
files are in the store; a row says which content stands under which name of a job.
Locks: nothing, the table is new. Undo: `downgrade`; the files stay in the store.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import one_of
from marketplace.jobs.rules import ImageFormat

revision = "0026_images"
down_revision = "0025_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "item_image",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(40), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger()),
        sa.Column("high", sa.BigInteger()),
        sa.Column("window", sa.BigInteger()),
        sa.Column("level", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name"),
        one_of("format", ImageFormat),
        sa.CheckConstraint("bits IN (8, 16)", name="bits"),
        sa.CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name="sizes"),
        sa.CheckConstraint(
            '(bits = 16) = (num_nulls(low, high, "window", level) = 0)', name="tones"
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("item_image")
