"""The tables of ledger.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

revision = "0003_ledger"
down_revision = "0002_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
