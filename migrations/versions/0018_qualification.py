"""Qualifications: terms, the items of their banks, attempts; seats that wait for one person.

Why: a qualification is a job whose seats are opened for one candidate at a time.
Locks: `job` and `seat`, for a moment; both columns are null everywhere.
Undo: `downgrade`, which forgets all attempts and their results.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import lifecycle_guard, one_of
from marketplace.jobs.rules.qualification import Feedback
from marketplace.specialists.rules.qualifications import NEXT_ATTEMPT, AttemptState

revision = "0018_qualification"
down_revision = "0017_lists"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
RATIO = sa.Numeric(4, 3)
WORD = sa.String(40)
TERMS = {
    "pass_ratio": "pass_ratio > 0 AND pass_ratio <= 1",
    "sizes": "items_a_form >= 1 AND forms >= 1 AND candidates_max >= 1",
    "days": "cooldown_days >= 0 AND valid_days >= 1",
    "time_limit_seconds": "time_limit_seconds >= 60",
    "places_taken": "places_taken BETWEEN 0 AND candidates_max",
}
RESULTS = {
    "scored": "(state = 'scored') = (score IS NOT NULL AND passed IS NOT NULL)",
    "ended": "(state = 'live') = (finished_at IS NULL)",
    "passed_by_its_score": "passed IS NULL OR passed = (score >= pass_ratio)",
    "expires": "(passed IS TRUE) = (expires_at IS NOT NULL)",
    "counts": "attempt >= 1 AND form >= 1 AND items >= 1",
    "due": "due_at > started_at",
}


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _link(name: str, target: str, *, nullable: bool = False) -> sa.Column[sa.Uuid]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{target}.id"), nullable=nullable)


def upgrade() -> None:
    """Create the tables and add the columns."""
    _terms()
    _bank()
    _results()
    op.add_column("job", sa.Column("seats_max", sa.BigInteger()))
    op.create_check_constraint("seats_max", "job", "seats_max >= 1")
    op.add_column("seat", sa.Column("reserved_for", sa.Uuid(), sa.ForeignKey("person.id")))
    op.create_index(
        "ix_seat_reserved",
        "seat",
        ["reserved_for", "job_id", "rank"],
        postgresql_where=sa.text("state = 'open' AND reserved_for IS NOT NULL"),
    )


def _terms() -> None:
    op.create_table(
        "qualification",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("pass_ratio", RATIO, nullable=False),
        *map(_count, ("items_a_form", "forms", "cooldown_days", "valid_days", "candidates_max")),
        _count("time_limit_seconds"),
        sa.Column("feedback", WORD, nullable=False),
        sa.Column("credential_type", sa.Text()),
        _count("places_taken"),
        one_of("feedback", Feedback),
        *(sa.CheckConstraint(said, name=name) for name, said in TERMS.items()),
    )


def _bank() -> None:
    op.create_table(
        "qualification_item",
        sa.Column("item_id", sa.Uuid(), sa.ForeignKey("item.id"), primary_key=True),
        _link("job_id", "job"),
        sa.Column("concept", sa.Text(), nullable=False),
        sa.Column("form", sa.BigInteger()),
        sa.Column("retired_at", AT),
        _link("retired_by", "person", nullable=True),
        sa.CheckConstraint("form >= 1", name="form"),
        sa.CheckConstraint("(retired_at IS NULL) = (retired_by IS NULL)", name="retired"),
    )
    op.create_index("ix_qualification_item_job_id", "qualification_item", ["job_id", "form"])


def _results() -> None:
    op.create_table(
        "qualification_result",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _link("person_id", "person"),
        _link("job_id", "job"),
        *map(_count, ("attempt", "form")),
        sa.Column("state", WORD, nullable=False),
        _count("items"),
        sa.Column("pass_ratio", RATIO, nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("finished_at", AT),
        sa.Column("score", RATIO),
        sa.Column("by_concept", JSONB(), nullable=False),
        sa.Column("by_item", JSONB(), nullable=False),
        sa.Column("passed", sa.Boolean()),
        sa.Column("expires_at", AT),
        sa.UniqueConstraint("person_id", "job_id", "attempt"),
        sa.UniqueConstraint("person_id", "job_id", "form"),
        one_of("state", AttemptState),
        *(sa.CheckConstraint(said, name=name) for name, said in RESULTS.items()),
    )
    live = sa.text("state = 'live'")
    table = "qualification_result"
    op.create_index(
        "uq_qualification_result_live",
        table,
        ["person_id", "job_id"],
        unique=True,
        postgresql_where=live,
    )
    op.create_index("ix_qualification_result_job_id", table, ["job_id", "id"])
    op.create_index("ix_qualification_result_due", table, ["due_at"], postgresql_where=live)
    for statement in lifecycle_guard(table, NEXT_ATTEMPT):
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_seat_reserved", "seat")
    op.drop_column("seat", "reserved_for")
    op.drop_column("job", "seats_max")
    op.drop_table("qualification_result")
    op.execute("DROP FUNCTION qualification_result_lifecycle()")
    op.drop_table("qualification_item")
    op.drop_table("qualification")
