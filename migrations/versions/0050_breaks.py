"""Breaks with their proposals and history, and the closes of months.

Why: what a comparison finds stays until evidence or two people resolve it, with everything that
was said and done about it; a month is closed by a person, with a pack that is kept, and what
opened it again is kept too.
Locks: nothing that exists, but for the moment that the foreign keys to `person` and
`ledger_transaction` take.
Undo: `downgrade` drops the tables, and with them all breaks, proposals and marks; evidence files
and close packs stay in the store.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only, lifecycle_guard, one_of
from marketplace.reconciliation.rules.breaks import (
    NEXT,
    Action,
    BreakKind,
    BreakState,
    Decision,
    ReasonCode,
    Resolution,
    Severity,
)

revision = "0050_breaks"
down_revision = "0049_statements"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLES = ("month_reopening", "month_close", "break_event", "break_proposal", "reconciliation_break")
ENUMS = {
    "reconciliation_break": {
        "kind": BreakKind, "severity": Severity, "state": BreakState, "resolution": Resolution,
    },
    "break_proposal": {"action": Action, "reason": ReasonCode, "decision": Decision},
    "break_event": {"state": BreakState},
}  # fmt: skip
CHECKS = {
    "reconciliation_break": {
        "resolved_at": "(state = 'resolved') = (resolved_at IS NOT NULL)",
        "resolution_said": "(resolved_at IS NULL) = (resolution IS NULL)",
        "assigned_to_somebody": "state <> 'assigned' OR owner_id IS NOT NULL",
    },
    "break_proposal": {
        "two_people": "decision IS NULL OR decision = 'withdrawn' OR decided_by <> proposed_by",
        "decided_in_full": "(decision IS NULL) = (decided_at IS NULL)"
        " AND (decision IN ('approved', 'declined')) <= (decided_by IS NOT NULL)",
        "posting_in_full": "action NOT IN ('adjust', 'write_off')"
        " OR (jsonb_array_length(legs) >= 2"
        " AND effective_on IS NOT NULL AND evidence_sha256 IS NOT NULL)",
        "wait_until": "action NOT IN ('wait', 'external_fix') OR wait_until IS NOT NULL",
        "evidence_sha256": "octet_length(evidence_sha256) = 32",
    },
    "month_close": {
        "first_day": "extract(day FROM month) = 1",
        "round": "round >= 1",
        "pack_in_full": "(pack_reference IS NULL) = (pack_sha256 IS NULL)"
        " AND (pack_reference IS NULL) = (pack_bytes IS NULL)",
        "pack_sha256": "octet_length(pack_sha256) = 32",
    },
    "month_reopening": {
        "two_people": "approved_by <> asked_by",
        "approved_in_full": "(approved_by IS NULL) = (approved_at IS NULL)",
        "reason": "btrim(reason) <> ''",
    },
}
KEPT: dict[str, Sequence[str]] = {
    "break_proposal": ("decision", "decided_by", "decided_at", "transaction_id"),
    "break_event": (),
    "month_close": ("pack_reference", "pack_bytes", "pack_sha256", "reopened_at"),
    "month_reopening": ("approved_by", "approved_at"),
}
ENCRYPTED = {"break_proposal": ("note",), "break_event": ("note",)}


def upgrade() -> None:
    """Create the tables, their indexes, their lifecycle, and what keeps their rows."""
    op.create_table("reconciliation_break", *_break())
    op.create_table("break_proposal", *_proposal())
    op.create_table("break_event", *_event())
    op.create_table("month_close", *_close())
    op.create_table("month_reopening", *_reopening())
    for table, columns in ENUMS.items():
        for column, kind in columns.items():
            check = str(one_of(column, kind).sqltext)
            op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, check)
    for table, checks in CHECKS.items():
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    _indexes()
    for statement in lifecycle_guard("reconciliation_break", NEXT):
        op.execute(statement)
    for table, updatable in KEPT.items():
        for statement in append_only(
            table, updatable=updatable, encrypted=ENCRYPTED.get(table, ())
        ):
            op.execute(statement)


def _indexes() -> None:
    live, breaks = sa.text("state <> 'resolved'"), "reconciliation_break"
    named = ["kind", "source", "key"]
    op.create_index(f"uq_{breaks}_live", breaks, named, unique=True, postgresql_where=live)
    op.create_index(f"ix_{breaks}_settled", breaks, named)
    op.create_index(f"ix_{breaks}_live_since", breaks, ["since", "id"], postgresql_where=live)
    op.create_index("ix_break_proposal_break_id", "break_proposal", ["break_id"])
    op.create_index(
        "uq_break_proposal_undecided",
        "break_proposal",
        ["break_id"],
        unique=True,
        postgresql_where=sa.text("decision IS NULL"),
    )
    op.create_index("ix_break_event_break", "break_event", ["break_id", "id"])
    op.create_index(
        "uq_month_close_standing",
        "month_close",
        ["month"],
        unique=True,
        postgresql_where=sa.text("reopened_at IS NULL"),
    )
    op.create_index("ix_month_reopening_month", "month_reopening", ["month"])


def _person(table: str, column: str, *, nullable: bool = True) -> sa.Column[object]:
    link = sa.ForeignKey("person.id", name=f"fk_{table}_{column}")
    return sa.Column(column, sa.Uuid(), link, nullable=nullable)


def _transaction(table: str) -> sa.Column[object]:
    link = sa.ForeignKey("ledger_transaction.id", name=f"fk_{table}_transaction_id")
    return sa.Column("transaction_id", sa.Uuid(), link)


def _key(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def _break() -> list[sa.schema.SchemaItem]:
    table = "reconciliation_break"
    return [
        *_key(table),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("difference_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("theirs", JSONB(), nullable=False),
        sa.Column("ours", JSONB(), nullable=False),
        _transaction(table),
        sa.Column("balance_transaction_id", sa.Text()),
        sa.Column("since", AT, nullable=False),
        sa.Column("found_at", AT, nullable=False),
        sa.Column("seen_at", AT, nullable=False),
        sa.Column("severity", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _person(table, "owner_id"),
        sa.Column("wait_until", sa.Date()),
        sa.Column("resolution", sa.String(40)),
        sa.Column("resolved_at", AT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("reference", name=f"uq_{table}_reference"),
        sa.UniqueConstraint("year", "number", name=f"uq_{table}_year_number"),
    ]


def _proposal() -> list[sa.schema.SchemaItem]:
    table = "break_proposal"
    of_break = sa.ForeignKey("reconciliation_break.id", name=f"fk_{table}_break_id")
    return [
        *_key(table),
        sa.Column("break_id", sa.Uuid(), of_break, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("legs", JSONB(), nullable=False),
        sa.Column("effective_on", sa.Date()),
        sa.Column("wait_until", sa.Date()),
        sa.Column("evidence_reference", sa.Text()),
        sa.Column("evidence_name", sa.Text()),
        sa.Column("evidence_kind", sa.Text()),
        sa.Column("evidence_bytes", sa.BigInteger()),
        sa.Column("evidence_sha256", sa.LargeBinary()),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        _person(table, "proposed_by", nullable=False),
        sa.Column("proposed_at", AT, nullable=False),
        sa.Column("decision", sa.String(40)),
        _person(table, "decided_by"),
        sa.Column("decided_at", AT),
        _transaction(table),
    ]


def _event() -> list[sa.schema.SchemaItem]:
    table = "break_event"
    of_break = sa.ForeignKey("reconciliation_break.id", name=f"fk_{table}_break_id")
    return [
        *_key(table),
        sa.Column("break_id", sa.Uuid(), of_break, nullable=False),
        sa.Column("at", AT, nullable=False),
        _person(table, "person_id"),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("facts", JSONB(), nullable=False),
    ]


def _close() -> list[sa.schema.SchemaItem]:
    table = "month_close"
    return [
        *_key(table),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        _person(table, "closed_by", nullable=False),
        sa.Column("closed_at", AT, nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("pack_reference", sa.Text()),
        sa.Column("pack_bytes", sa.BigInteger()),
        sa.Column("pack_sha256", sa.LargeBinary()),
        sa.Column("reopened_at", AT),
        sa.UniqueConstraint("month", "round", name=f"uq_{table}_month_round"),
    ]


def _reopening() -> list[sa.schema.SchemaItem]:
    table = "month_reopening"
    of_close = sa.ForeignKey("month_close.id", name=f"fk_{table}_close_id")
    return [
        *_key(table),
        sa.Column("close_id", sa.Uuid(), of_close, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _person(table, "asked_by", nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        _person(table, "approved_by"),
        sa.Column("approved_at", AT),
        sa.UniqueConstraint("close_id", name=f"uq_{table}_close_id"),
    ]


def downgrade() -> None:
    """Drop them again."""
    for table in TABLES:
        op.drop_table(table)
    for table in KEPT:
        op.execute(f"DROP FUNCTION {table}_append_only()")
    op.execute("DROP FUNCTION reconciliation_break_lifecycle()")
