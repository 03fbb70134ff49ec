"""The tables of delivery.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

revision = "0013_delivery"
down_revision = "0012_reconciliation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
