"""Data cards: what a lab says of a job for the card of its exports.

Why: nothing yet.
Locks: nothing. Undo: `downgrade`.
"""

revision = "0056_data_cards"
down_revision = "0055_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
