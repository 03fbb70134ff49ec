"""Judges and their calibration.

Why: the tables of quality that the next changes fill.
Locks: nothing yet.
Undo: `downgrade`.
"""

revision = "0042_judges"
down_revision = "0041_pipelines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Undo nothing."""
