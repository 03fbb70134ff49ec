"""Verifiers, connections and evidence.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0016_verification"
down_revision = "0015_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
