"""Versions of templates in running jobs, and the gallery.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0024_versions"
down_revision = "0023_envelope"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
