"""What onboarding remembers.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0022_onboarding"
down_revision = "0021_late_work"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
