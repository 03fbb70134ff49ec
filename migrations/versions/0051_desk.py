"""Tables for what the finance desk keeps.

Why: filled in with the change that needs them.
Locks: nothing yet. Undo: `downgrade`.
"""

revision = "0051_desk"
down_revision = "0050_breaks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing to undo yet."""
