"""Appeals and overturned decisions.

Why: the tables of quality that the next changes fill.
Locks: nothing yet.
Undo: `downgrade`.
"""

revision = "0040_appeals"
down_revision = "0039_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Undo nothing."""
