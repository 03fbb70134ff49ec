"""Tables for breaks, their workflow and the close of a month.

Why: filled in with the change that needs them.
Locks: nothing yet. Undo: `downgrade`.
"""

revision = "0050_breaks"
down_revision = "0049_statements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing to undo yet."""
