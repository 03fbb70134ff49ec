"""Published lists, their hits, and reminders.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0017_lists"
down_revision = "0016_verification"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
