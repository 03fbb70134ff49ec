"""More kinds of imports, and what scans found in them.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0025_imports"
down_revision = "0024_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
