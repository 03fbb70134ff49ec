"""Skill, links between people, authors of items.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0019_eligibility"
down_revision = "0018_qualification"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
