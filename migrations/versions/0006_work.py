"""The tables of work.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

revision = "0006_work"
down_revision = "0005_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
