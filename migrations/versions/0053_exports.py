"""Exports as of an event: parts, manifests, increments, delivery to buckets.

Why: nothing yet.
Locks: nothing. Undo: `downgrade`.
"""

revision = "0053_exports"
down_revision = "0052_corrections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
