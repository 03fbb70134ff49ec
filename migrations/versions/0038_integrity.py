"""Evidence packs.

Why: the tables of quality that the next changes fill.
Locks: nothing yet.
Undo: `downgrade`.
"""

revision = "0038_integrity"
down_revision = "0037_gold"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Undo nothing."""
