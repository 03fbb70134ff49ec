"""Tables for refunds, disputes, automatic top-ups and spend limits.

Why: filled in with the change that needs them.
Locks: nothing yet. Undo: `downgrade`.
"""

revision = "0046_spending"
down_revision = "0045_invoices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing to make yet."""


def downgrade() -> None:
    """Nothing to undo yet."""
