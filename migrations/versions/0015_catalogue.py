"""Professions, specialties and credential types as rows.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0015_catalogue"
down_revision = "0014_terms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
