"""Overturned decisions and appeals.

Why: a verdict may be overturned, in both directions and with its money: decisions form lines of
which the last stands, pay may be taken back, and what was paid out already is owed.
Locks: `decision`, `accrual`, `submission` and `ledger_transaction` for a moment each, and while
their checks and indexes are made anew, which reads them once.
Undo: `downgrade`, while nothing was overturned and nobody appealed; it refuses otherwise, since
the former tables cannot hold that.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

import sqlalchemy as sa
from alembic import op

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.ledger.rules import SourceKind
from marketplace.review.rules import AccrualKind, OverturnCause
from marketplace.work import rules

revision = "0040_appeals"
down_revision = "0039_review"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
SOURCES_BEFORE = (
    *("top_up", "reserve", "release", "accept", "clear", "hold", "unhold"),
    *("payout_reserve", "payout_cancel", "transfer", "surplus", "cannot_complete"),
)
ACCRUALS_BEFORE = ("accepted", "surplus", "cannot_complete")
SUBMISSIONS_BEFORE: Mapping[str, Collection[str]] = {
    "submitted": ("in_review", "accepted", "rework", "rejected"),
    "in_review": ("accepted", "rework", "rejected"),
    "surplus": ("surplus_in_review", "surplus_accepted", "surplus_rejected"),
    "surplus_in_review": ("surplus_accepted", "surplus_rejected"),
}
# A verdict is overturned by another one, of somebody else.
OVERTURNING = (
    """CREATE FUNCTION decision_overturns() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE former decision%ROWTYPE;
    BEGIN
      SELECT * INTO former FROM decision WHERE id = NEW.overturns_id;
      IF former.verdict = NEW.verdict THEN
        RAISE EXCEPTION 'decision % says what it overturns', NEW.id
          USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_overturns_another';
      END IF;
      IF former.reviewer_id = NEW.reviewer_id THEN
        RAISE EXCEPTION 'decision % comes from who said the one that it overturns', NEW.id
          USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_by_somebody_else';
      END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER decision_overturns BEFORE INSERT ON decision
    FOR EACH ROW WHEN (NEW.overturns_id IS NOT NULL) EXECUTE FUNCTION decision_overturns()""",
)
# Of clearing and taking back, whichever comes first is found by the other.
CLEARING = (
    """CREATE FUNCTION accrual_clears() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'accrual % was taken back', NEW.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'accrual_clears';
    END $$""",
    """CREATE TRIGGER accrual_clears BEFORE UPDATE OF cleared_at ON accrual
    FOR EACH ROW WHEN (OLD.reversed_at IS NOT NULL AND OLD.cleared_at IS NULL
      AND NEW.cleared_at IS NOT NULL) EXECUTE FUNCTION accrual_clears()""",
)


def upgrade() -> None:
    """Widen words and guards, then let decisions and accruals follow one another."""
    _words("ledger_transaction", "source_kind", SourceKind)
    _words("accrual", "kind", AccrualKind)
    _guard("submission", {now.value: then for now, then in rules.NEXT_SUBMISSION.items()})
    _decisions()
    _accruals()


def _words(table: str, column: str, members: type[StrEnum] | tuple[str, ...]) -> None:
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


def _append_only(table: str, *updatable: str) -> None:
    """Replace the guard of a table that only grows."""
    op.execute(f"DROP FUNCTION {table}_append_only() CASCADE")
    for statement in append_only(table, updatable=updatable):
        op.execute(statement)


def _decisions() -> None:
    op.add_column("decision", sa.Column("overturns_id", sa.Uuid(), unique=True))
    op.add_column("decision", sa.Column("cause", sa.String(40)))
    op.drop_constraint("uq_decision_submission_id", "decision", type_="unique")
    op.create_unique_constraint(None, "decision", ["id", "submission_id"])
    op.create_foreign_key(
        "fk_decision_overturns_id",
        "decision",
        "decision",
        ["overturns_id", "submission_id"],
        ["id", "submission_id"],
    )
    op.create_check_constraint(
        "cause_of_overturning", "decision", "(overturns_id IS NULL) = (cause IS NULL)"
    )
    op.create_check_constraint("cause", "decision", one_of("cause", OverturnCause).sqltext)
    op.create_index("ix_decision_submission_id", "decision", ["submission_id"])
    op.create_index(
        "uq_decision_first",
        "decision",
        ["submission_id"],
        unique=True,
        postgresql_where=sa.text("overturns_id IS NULL"),
    )
    for statement in OVERTURNING:
        op.execute(statement)


def _accruals() -> None:
    op.add_column(
        "accrual", sa.Column("decision_id", sa.Uuid(), sa.ForeignKey("decision.id"), unique=True)
    )
    op.add_column("accrual", sa.Column("reversed_at", AT))
    op.drop_constraint("uq_accrual_submission_id", "accrual", type_="unique")
    op.create_check_constraint(
        "overturned_by_a_decision", "accrual", "kind <> 'overturned' OR decision_id IS NOT NULL"
    )
    for statement in CLEARING:
        op.execute(statement)
    op.create_index("ix_accrual_submission_id", "accrual", ["submission_id"])
    op.create_index(
        "uq_accrual_standing",
        "accrual",
        ["submission_id"],
        unique=True,
        postgresql_where=sa.text("reversed_at IS NULL"),
    )
    _due("cleared_at IS NULL AND reversed_at IS NULL")
    _append_only("accrual", "cleared_at", "reversed_at")


def _due(condition: str) -> None:
    op.drop_index("ix_accrual_due", "accrual")
    op.create_index("ix_accrual_due", "accrual", ["clears_at"], postgresql_where=sa.text(condition))


def downgrade() -> None:
    """Put the former checks, guards and columns back."""
    op.execute("DROP FUNCTION accrual_clears() CASCADE")
    _append_only("accrual", "cleared_at")
    _due("cleared_at IS NULL")
    for name in ("uq_accrual_standing", "ix_accrual_submission_id"):
        op.drop_index(name, "accrual")
    op.create_unique_constraint("uq_accrual_submission_id", "accrual", ["submission_id"])
    for column in ("reversed_at", "decision_id"):
        op.drop_column("accrual", column)
    op.execute("DROP FUNCTION decision_overturns() CASCADE")
    for name in ("uq_decision_first", "ix_decision_submission_id"):
        op.drop_index(name, "decision")
    for column in ("cause", "overturns_id"):
        op.drop_column("decision", column)
    op.drop_constraint("uq_decision_id_submission_id", "decision", type_="unique")
    op.create_unique_constraint("uq_decision_submission_id", "decision", ["submission_id"])
    _guard("submission", SUBMISSIONS_BEFORE)
    _words("accrual", "kind", ACCRUALS_BEFORE)
    _words("ledger_transaction", "source_kind", SOURCES_BEFORE)
