"""Qualifications: terms, forms, attempts.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0018_qualification"
down_revision = "0017_lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
