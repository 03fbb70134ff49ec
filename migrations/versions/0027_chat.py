"""Models that talk in a task.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0027_chat"
down_revision = "0026_images"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
