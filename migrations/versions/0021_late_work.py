"""Late work and endings that are paid.

Why: an answer whose seat had gone is reviewed and paid beside the task, in states of its own; a
task that several people report is dropped; a gap in the instructions has an answer; pay may be
for a report instead of a submission.
Locks: each table for a moment, and while its checks and partial indexes are made anew, which reads
`submission`, `claim`, `ledger_transaction` and `accrual` once.
Undo: `downgrade`, while there is no surplus answer under decision, no report and no pay for one;
it refuses otherwise, since the former tables cannot hold them.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

import sqlalchemy as sa
from alembic import op

from marketplace.db import lifecycle_guard, one_of
from marketplace.ledger.rules import SourceKind
from marketplace.review.rules import AccrualKind
from marketplace.work import rules

revision = "0021_late_work"
down_revision = "0020_claims"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
LIFECYCLES = {
    "task": rules.NEXT_TASK,
    "claim": rules.NEXT_CLAIM,
    "submission": rules.NEXT_SUBMISSION,
}
LIFECYCLES_BEFORE: Mapping[str, Mapping[str, Collection[str]]] = {
    "task": {"open": ("filled",), "filled": ("open", "final"), "final": ("open",)},
    "claim": {
        "live": ("submitted", "released", "expired"),
        "expired": ("submitted", "live", "released"),
        "submitted": ("returned",),
    },
    "submission": {
        "submitted": ("in_review", "accepted", "rework", "rejected"),
        "in_review": ("accepted", "rework", "rejected"),
    },
}
CLAIMS_BEFORE = ("live", "submitted", "released", "expired", "returned")
SUBMISSIONS_BEFORE = ("submitted", "in_review", "rework", "accepted", "rejected", "surplus")
SOURCES_BEFORE = (
    *("top_up", "reserve", "release", "accept", "clear", "hold", "unhold"),
    *("payout_reserve", "payout_cancel", "transfer"),
)
INDEXES = {
    "ix_submission_arrived": (["id"], "'submitted'", "'surplus'"),
    "ix_submission_undecided": (
        ["job_id", "id"],
        "'submitted', 'in_review'",
        "'surplus', 'surplus_in_review'",
    ),
}


def upgrade() -> None:
    """Widen states and sources, then add what outcomes, tasks and accruals get."""
    _states("claim", "state", rules.ClaimState)
    _states("submission", "state", rules.SubmissionState)
    _states("ledger_transaction", "source_kind", SourceKind)
    for table, allowed in LIFECYCLES.items():
        _guard(table, allowed)
    for name, (columns, before, more) in INDEXES.items():
        _index(name, columns, f"state IN ({before}, {more})")
    op.add_column("task", sa.Column("dropped_at", AT))
    _outcomes()
    _accruals()


def _states(table: str, column: str, members: type[StrEnum] | tuple[str, ...]) -> None:
    """Replace the check of which words a column may hold."""
    op.drop_constraint(column, table, type_="check")
    if isinstance(members, tuple):
        words = ", ".join(f"'{word}'" for word in members)
        op.create_check_constraint(column, table, f"{column} IN ({words})")
    else:
        op.create_check_constraint(column, table, one_of(column, members).sqltext)


def _guard(table: str, allowed: Mapping[str, Collection[str]]) -> None:
    """Replace the guard of a table's lifecycle."""
    op.execute(f"DROP FUNCTION {table}_lifecycle() CASCADE")
    for statement in lifecycle_guard(table, allowed):
        op.execute(statement)


def _index(name: str, columns: list[str], condition: str) -> None:
    op.drop_index(name, "submission")
    op.create_index(name, "submission", columns, postgresql_where=sa.text(condition))


def _outcomes() -> None:
    for column, target in (("task_id", "task"), ("specialist_id", "person")):
        op.add_column("outcome", sa.Column(column, sa.Uuid(), sa.ForeignKey(f"{target}.id")))
    op.execute(
        """UPDATE outcome SET task_id = claim.task_id, specialist_id = claim.specialist_id
        FROM claim WHERE claim.id = outcome.claim_id"""
    )
    for column in ("task_id", "specialist_id"):
        op.alter_column("outcome", column, nullable=False)
    op.add_column("outcome", sa.Column("answer", sa.Text()))
    op.add_column("outcome", sa.Column("answered_at", AT))
    op.add_column("outcome", sa.Column("answered_by", sa.Uuid(), sa.ForeignKey("person.id")))
    for name, other in (("answered", "answer"), ("answered_by", "answered_by")):
        same = f"(answered_at IS NULL) = ({other} IS NULL)"
        op.create_check_constraint(name, "outcome", same)
    op.create_index("ix_outcome_task_id", "outcome", ["task_id"])
    op.create_index("ix_outcome_own", "outcome", ["specialist_id", "id"])
    op.create_index(
        "ix_outcome_open_gap",
        "outcome",
        ["job_id", "id"],
        postgresql_where=sa.text("kind = 'guideline_gap' AND answered_at IS NULL"),
    )


def _accruals() -> None:
    kind = sa.Column("kind", sa.String(40), nullable=False, server_default="accepted")
    op.add_column("accrual", kind)
    op.alter_column("accrual", "kind", server_default=None)
    words = one_of("kind", AccrualKind)
    op.create_check_constraint("kind", "accrual", words.sqltext)
    op.alter_column("accrual", "submission_id", nullable=True)
    op.add_column(
        "accrual", sa.Column("outcome_id", sa.Uuid(), sa.ForeignKey("outcome.id"), unique=True)
    )
    op.create_check_constraint(
        "one_cause", "accrual", "num_nonnulls(submission_id, outcome_id) = 1"
    )
    op.create_check_constraint(
        "kind_of_cause", "accrual", "(kind = 'cannot_complete') = (outcome_id IS NOT NULL)"
    )


def downgrade() -> None:
    """Put the former checks, guards and columns back."""
    for column in ("outcome_id", "kind"):
        op.drop_column("accrual", column)
    op.alter_column("accrual", "submission_id", nullable=False)
    for column in ("answered_by", "answered_at", "answer", "specialist_id", "task_id"):
        op.drop_column("outcome", column)
    op.drop_column("task", "dropped_at")
    for name, (columns, before, _) in INDEXES.items():
        _index(name, columns, f"state IN ({before})")
    for table, allowed in LIFECYCLES_BEFORE.items():
        _guard(table, allowed)
    _states("ledger_transaction", "source_kind", SOURCES_BEFORE)
    _states("submission", "state", SUBMISSIONS_BEFORE)
    _states("claim", "state", CLAIMS_BEFORE)
