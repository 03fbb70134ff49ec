"""Pre-labels: when a judge's verdict was added to an item that was there already.

Why: an export tells what models had said of its items at its event. Verdicts of judges that run
later stood in the file when it was written again, which then was not the same.
Locks: `prelabel` for a moment, to add a column without a default; rows that are there keep NULL,
which reads as "came with the item". Undo: `downgrade`; the moments are lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057_prelabel_moments"
down_revision = "0056_data_cards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("prelabel", sa.Column("made_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take it away again."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("prelabel", "made_at")
