"""Indexes and columns of the hot path of claims.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0020_claims"
down_revision = "0019_eligibility"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
