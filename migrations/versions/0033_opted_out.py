"""An ending of a claim by which somebody stops for their own sake.

Why: harmful material is read by people, who may stop at any time without a reason, without loss of
standing or of the pay of what is done; until now a claim could only be given back, unpaid.
Locks: `outcome` exclusively while its rows are checked against the new list, some milliseconds for
a hundred thousand reports; nothing else.
Undo: `downgrade`; who had stopped is then said to have given a report that a task cannot be done,
which keeps what it earned.
"""

from alembic import op

revision = "0033_opted_out"
down_revision = "0032_scans"
branch_labels = None
depends_on = None

NAME = "ck_outcome_kind"
FORMER = ("cannot_complete", "guideline_gap")


def _among(*kinds: str) -> None:
    listed = ", ".join(f"'{each}'" for each in kinds)
    op.drop_constraint(op.f(NAME), "outcome", type_="check")
    op.create_check_constraint(op.f(NAME), "outcome", f"kind IN ({listed})")


def upgrade() -> None:
    """Let reports say that somebody opted out."""
    _among(*FORMER, "opted_out")


def downgrade() -> None:
    """Say of who opted out that the task could not be done, and forbid the kind."""
    op.execute("UPDATE outcome SET kind = 'cannot_complete' WHERE kind = 'opted_out'")
    _among(*FORMER)
