"""Provenance: what a judgement was when it was handed in, committed to by a salted hash.

Why: nothing yet.
Locks: nothing. Undo: `downgrade`.
"""

revision = "0054_provenance"
down_revision = "0053_exports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
