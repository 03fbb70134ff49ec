"""Webhooks: endpoints of labs, their secrets, what was delivered.

Why: nothing yet.
Locks: nothing. Undo: `downgrade`.
"""

revision = "0055_webhooks"
down_revision = "0054_provenance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
