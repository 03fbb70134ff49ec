"""Late work and endings that are paid.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0021_late_work"
down_revision = "0020_claims"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
