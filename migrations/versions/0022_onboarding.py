"""What onboarding remembers, and the specialties that people name for themselves.

Why: a newcomer goes on where they stopped; a step that was put off is not asked for again, and
the form of the first credential offers the specialties that were named before.
Locks: `specialist_profile`, for a moment; the default is constant. Undo: `downgrade`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.db import one_of
from marketplace.specialists.rules.onboarding import Step

revision = "0022_onboarding"
down_revision = "0021_late_work"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and add the column."""
    op.create_table(
        "onboarding_step",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "step"),
        one_of("step", Step),
    )
    # Who has a profile was asked for all of this on one page.
    op.execute(
        "INSERT INTO onboarding_step (person_id, step, skipped, at) "
        "SELECT person_id, step, false, changed_at FROM specialist_profile, "
        "unnest(ARRAY['you', 'profession', 'hours']) AS step"
    )
    op.add_column(
        "specialist_profile",
        sa.Column("specialties", ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_column("specialist_profile", "specialties")
    op.drop_table("onboarding_step")
