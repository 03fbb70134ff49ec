"""Overturned decisions and appeals.

Why: a verdict may be overturned, in both directions and with its money: decisions form lines of
which the last stands, pay may be taken back, and what was paid out already is owed. Whoever
disagrees with what was decided on their work appeals to somebody who has to do with neither side.
Locks: `decision`, `accrual`, `submission` and `ledger_transaction` for a moment each, and while
their checks and indexes are made anew, which reads them once.
Undo: `downgrade`, while nothing was overturned; it refuses otherwise, since the former tables
cannot hold that. Appeals that changed nothing, open ones too, are forgotten.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.ledger.rules import SourceKind
from marketplace.review.rules import (
    NEXT_APPEAL,
    AccrualKind,
    AppealState,
    AppealSubject,
    OverturnCause,
)
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
CHECKS = {
    "subject_named": "(subject = 'decision') = (decision_id IS NOT NULL)"
    " AND (subject = 'firing') = (firing_id IS NOT NULL)"
    " AND (subject = 'gold') = (dispute_id IS NOT NULL)",
    "decision_of_a_submission": "subject <> 'decision' OR submission_id IS NOT NULL",
    "somebody_else": "assigned_to NOT IN (appellant_id, first_decider)",
    "filed_is_nobodys": "(state = 'filed') <= (assigned_to IS NULL)",
    "decided_by_a_person": "state NOT IN ('assigned', 'upheld', 'denied')"
    " OR assigned_to IS NOT NULL",
    "ended": "(state IN ('filed', 'assigned')) = (ended_at IS NULL)",
    "statement": "(statement_at IS NULL) = (statement_by IS NULL)",
    "statement_of_the_other_side": "statement_by <> appellant_id",
    "deadline": "decide_by > filed_at",
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
# Nobody looks at an appeal who shares an organisation with its author or belongs to the lab, and
# nobody speaks for the lab who does not.
APART = (
    """CREATE FUNCTION appeal_apart() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.assigned_to IS NOT NULL AND (shares_organisation(NEW.assigned_to, NEW.appellant_id)
          OR EXISTS (SELECT FROM membership WHERE person_id = NEW.assigned_to
                     AND organisation_id = NEW.organisation_id)) THEN
        RAISE EXCEPTION 'who looks at appeal % belongs to one of its sides', NEW.id
          USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_apart';
      END IF;
      IF NEW.statement_by IS NOT NULL AND NOT EXISTS (SELECT FROM membership
          WHERE person_id = NEW.statement_by AND organisation_id = NEW.organisation_id) THEN
        RAISE EXCEPTION 'who speaks for the lab in appeal % is not of it', NEW.id
          USING ERRCODE = 'check_violation', CONSTRAINT = 'appeal_statement';
      END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER appeal_apart BEFORE INSERT OR UPDATE OF assigned_to, statement_by ON appeal
    FOR EACH ROW EXECUTE FUNCTION appeal_apart()""",
)
FROZEN = (
    """CREATE FUNCTION appeal_evidence_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'the evidence of an appeal is frozen' USING ERRCODE = 'restrict_violation';
    END $$""",
    """CREATE TRIGGER appeal_evidence_frozen BEFORE UPDATE ON appeal_evidence
    FOR EACH ROW EXECUTE FUNCTION appeal_evidence_frozen()""",
)


def upgrade() -> None:
    """Widen words and guards, then let decisions and accruals follow one another."""
    _words("ledger_transaction", "source_kind", SourceKind)
    _words("accrual", "kind", AccrualKind)
    _guard("submission", {now.value: then for now, then in rules.NEXT_SUBMISSION.items()})
    _decisions()
    _accruals()
    _appeals()


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


def _to(column: str, target: str, *, needed: bool = False, unique: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{target}.id")
    return sa.Column(column, sa.Uuid(), key, nullable=not needed, unique=unique)


def _appeals() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("subject", sa.String(40), nullable=False),
        _to("decision_id", "decision", unique=True),
        _to("firing_id", "control_firing", unique=True),
        _to("dispute_id", "gold_dispute", unique=True),
        _to("submission_id", "submission"),
        _to("job_id", "job", needed=True),
        _to("organisation_id", "organisation", needed=True),
        _to("appellant_id", "person", needed=True),
        _to("first_decider", "person"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("filed_at", AT, nullable=False),
        sa.Column("decide_by", AT, nullable=False),
        sa.Column("statement", sa.LargeBinary()),
        _to("statement_by", "person"),
        sa.Column("statement_at", AT),
        _to("assigned_to", "person"),
        sa.Column("assigned_at", AT),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("ended_at", AT),
        _to("answer_id", "decision", unique=True),
        *(sa.CheckConstraint(rule, name=name) for name, rule in CHECKS.items()),
        one_of("subject", AppealSubject),
        one_of("state", AppealState),
    )
    op.create_index(
        "ix_appeal_open", "appeal", ["decide_by"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_appeal_submission_id", "appeal", ["submission_id"])
    for side in ("appellant_id", "organisation_id"):
        op.create_index(f"ix_appeal_{side}", "appeal", [side, "id"])
    op.create_table(
        "appeal_evidence",
        sa.Column("appeal_id", sa.Uuid(), sa.ForeignKey("appeal.id"), primary_key=True),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("taken_at", AT, nullable=False),
    )
    lifecycle = {now.value: then for now, then in NEXT_APPEAL.items()}
    for statement in (*lifecycle_guard("appeal", lifecycle), *APART, *FROZEN):
        op.execute(statement)


def downgrade() -> None:
    """Put the former checks, guards and columns back."""
    for table in ("appeal_evidence", "appeal"):
        op.drop_table(table)
    for function in ("appeal_evidence_frozen", "appeal_apart", "appeal_lifecycle"):
        op.execute(f"DROP FUNCTION {function}()")
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
