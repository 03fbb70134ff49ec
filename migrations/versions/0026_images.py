"""Images of items.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0026_images"
down_revision = "0025_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
