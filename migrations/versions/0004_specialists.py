"""The tables of specialists.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

revision = "0004_specialists"
down_revision = "0003_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
