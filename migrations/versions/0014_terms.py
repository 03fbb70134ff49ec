"""What jobs ask of people and pay for work that is late, and what people say of their work.

Why: conflicts, load caps, late pay and the name on the papers came after the first version.
Locks: `job` and `specialist_profile`, for a moment; every default is constant.
Undo: `downgrade`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.db import one_of
from marketplace.jobs.rules import LatePay

revision = "0014_terms"
down_revision = "0013_delivery"
branch_labels = None
depends_on = None

RATIO = sa.Numeric(4, 3)


def job_columns() -> tuple[sa.Column[Any], ...]:
    """What jobs get."""
    return (
        sa.Column("qualification_ids", ARRAY(sa.Uuid()), nullable=False, server_default="{}"),
        sa.Column("distinct_by", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("claims_live_max", sa.BigInteger(), nullable=False, server_default="5"),
        sa.Column("tasks_a_person_max", sa.BigInteger()),
        sa.Column("late_pay", sa.String(40), nullable=False, server_default="full"),
        sa.Column("cannot_complete_ratio", RATIO, nullable=False, server_default="0"),
        sa.Column("contingency_ratio", RATIO, nullable=False, server_default="0"),
    )


JOB_CHECKS = {
    "claims_live_max": "claims_live_max BETWEEN 1 AND 100",
    "tasks_a_person_max": "tasks_a_person_max >= 1",
    "cannot_complete_ratio": "cannot_complete_ratio BETWEEN 0 AND 0.5",
    "contingency_ratio": "contingency_ratio BETWEEN 0 AND 1",
    "distinct_by": "distinct_by <@ ARRAY['household', 'device', 'organisation']",
}


def profile_columns() -> tuple[sa.Column[Any], ...]:
    """What profiles get."""
    return (
        sa.Column("legal_name", sa.LargeBinary()),
        sa.Column("born_on", sa.LargeBinary()),
        sa.Column("employers", ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )


def upgrade() -> None:
    """Add the columns with their checks."""
    for column in job_columns():
        op.add_column("job", column)
    for name, check in JOB_CHECKS.items():
        op.create_check_constraint(name, "job", check)
    late = one_of("late_pay", LatePay)
    op.create_check_constraint(str(late.name), "job", late.sqltext)
    for column in profile_columns():
        op.add_column("specialist_profile", column)


def downgrade() -> None:
    """Drop the columns; their checks go with them."""
    for column in profile_columns():
        op.drop_column("specialist_profile", column.name)
    for column in job_columns():
        op.drop_column("job", column.name)
