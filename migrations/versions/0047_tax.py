"""Tables for tax forms, dated thresholds and specialists' statements.

Why: filled in with the change that needs them.
Locks: nothing yet. Undo: `downgrade`.
"""

revision = "0047_tax"
down_revision = "0046_spending"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing to undo yet."""
