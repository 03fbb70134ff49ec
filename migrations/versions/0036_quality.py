"""Posteriors, authors, fits, evidence of skill and its history.

Why: the tables of quality that the next changes fill.
Locks: nothing yet.
Undo: `downgrade`.
"""

revision = "0036_quality"
down_revision = "0035_late_finds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Undo nothing."""
