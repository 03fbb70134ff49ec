"""Second looks, the brake, adjudication.

Why: the tables of quality that the next changes fill.
Locks: nothing yet.
Undo: `downgrade`.
"""

revision = "0039_review"
down_revision = "0038_integrity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Undo nothing."""
