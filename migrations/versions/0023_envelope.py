"""What stands beside a judgement, repeats, keys.

Why: reserved for this change. Locks: nothing. Undo: `downgrade`.
"""

revision = "0023_envelope"
down_revision = "0022_onboarding"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Change nothing yet."""
