"""Fewer foreign keys to check for each claim and each answer.

Why: an answer names its claim, and copies from it the seat, task, job, author and version, none
of which ever changes; a claim names its seat, and copies from it the task and the job. The server
looked up every copy for every row, seven look-ups for each pair of an answer and the next claim.
The keys to the claim and to the seat stay, and the self-check asks that the copies agree.
Locks: `claim` and `submission`, and for a moment the tables that they named; nothing is read.
Undo: `downgrade`, which makes the keys anew and reads both tables once to check them.
"""

from alembic import op

revision = "0029_hot_path"
down_revision = "0028_addenda"
branch_labels = None
depends_on = None

# Table, column, and the table that it named.
COPIES = (
    ("submission", "seat_id", "seat"),
    ("submission", "task_id", "task"),
    ("submission", "job_id", "job"),
    ("submission", "specialist_id", "person"),
    ("submission", "template_version_id", "template_version"),
    ("claim", "task_id", "task"),
    ("claim", "job_id", "job"),
)


def upgrade() -> None:
    """Drop the keys of what is copied."""
    for table, column, _ in COPIES:
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")


def downgrade() -> None:
    """Make them anew."""
    for table, column, named in COPIES:
        op.create_foreign_key(f"fk_{table}_{column}", table, named, [column], ["id"])
