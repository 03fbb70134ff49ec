"""Tables for statements of banks and of Stripe, and matches.

Why: filled in with the change that needs them.
Locks: nothing yet. Undo: `downgrade`.
"""

revision = "0049_statements"
down_revision = "0048_payouts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing to undo yet."""
