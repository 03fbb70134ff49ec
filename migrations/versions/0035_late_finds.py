"""A reason for a pause: personal details that a late scan found and that nobody declared.

Why: the scan goes on in the background, so a job published right after its items came may show
details of people before anybody said why they may be judged; such a job is paused by us.
Locks: `job` exclusively while its rows are checked against the new list, some milliseconds.
Undo: `downgrade`; jobs paused for this are then said to be paused by us.
"""

from alembic import op

revision = "0035_late_finds"
down_revision = "0034_erasure"
branch_labels = None
depends_on = None

NAME = "ck_job_pause_reason"
FORMER = ("lab", "money", "quality", "guideline", "operations")


def _among(*reasons: str) -> None:
    listed = ", ".join(f"'{each}'" for each in reasons)
    op.drop_constraint(op.f(NAME), "job", type_="check")
    op.create_check_constraint(op.f(NAME), "job", f"pause_reason IN ({listed})")


def upgrade() -> None:
    """Let a pause be for personal details."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _among(*FORMER, "personal")


def downgrade() -> None:
    """Say of such pauses that we made them, and forbid the reason."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("UPDATE job SET pause_reason = 'operations' WHERE pause_reason = 'personal'")
    _among(*FORMER)
