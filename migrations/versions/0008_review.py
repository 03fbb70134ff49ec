"""The tables of review.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

revision = "0008_review"
down_revision = "0007_quality"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
