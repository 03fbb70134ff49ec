"""Payouts to the end: the bank, reversals, schedules, approvals with their limits, and a gate.

Why: a transfer is final, what happens at the specialist's bank is not, so it gets a lifecycle of
its own beside the line's, and Stripe's payouts a table; a transfer is taken back by two people and
a journal; a large run needs two approvals, each with the limit that it was judged by; a run may be
drafted on a schedule; nothing is sent after a restored backup until what is missing was looked for.
Locks: payout_run and payout_line for as long as their columns, checks and indexes take: both are
small, and new columns have constant defaults. Undo: `downgrade` drops all of it; what the bank did
with transfers can be read from Stripe again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import append_only, lifecycle_guard

revision = "0048_payouts"
down_revision = "0047_tax"
branch_labels = None
depends_on = None

ON_LINES = {
    "bank_state": (
        "bank_state IN ('bank_pending', 'bank_paid', 'bank_failed', 'reversed')"
        " AND (bank_state IS NULL OR state = 'transferred')"
        " AND (bank_state IS NULL) = (bank_since IS NULL)"
    ),
    "reversed_minor": "reversed_minor BETWEEN 0 AND amount_minor",
    "withheld_minor": "withheld_minor >= 0",
}
ON_RUNS = {
    "approvals_needed": "approvals_needed IN (1, 2)",
    "paused_gap": "funding_gap_minor IS NULL OR paused_at IS NOT NULL",
    "paused_by": "paused_by IS NULL OR paused_at IS NOT NULL",
}
CONNECTED_NEXT: Mapping[str, tuple[str, ...]] = {
    "created": ("paid", "failed", "cancelled"),
    "paid": ("returned", "reversed"),
    "failed": (),
    "returned": (),
    "reversed": (),
    "cancelled": (),
}
REVERSAL_NEXT: Mapping[str, tuple[str, ...]] = {
    "asked": ("approved", "cancelled"),
    "approved": ("submitting", "cancelled"),
    "submitting": ("reversed", "rejected", "unknown"),
    "unknown": ("reversed", "rejected"),
    "reversed": (),
    "rejected": (),
    "cancelled": (),
}
ON_REVERSALS = {
    "state": (
        "state IN ('asked', 'approved', 'submitting', 'reversed', 'rejected', 'unknown',"
        " 'cancelled')"
    ),
    "amount": "amount_minor > 0",
    "two_people": "approved_by <> asked_by",
    "approved": (
        "state IN ('asked', 'cancelled') OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)"
    ),
    "reversed_in_full": (
        "(state = 'reversed') = (reversal_id IS NOT NULL AND balance_transaction_id IS NOT NULL"
        " AND destination_amount_minor IS NOT NULL AND destination_currency IS NOT NULL)"
    ),
    "ended_at": "(state IN ('reversed', 'rejected', 'cancelled')) = (ended_at IS NOT NULL)",
}
# What the bank may do after what: a returned payout is tried again by Stripe with the next one.
BANK_STEPS = """CREATE FUNCTION payout_line_bank_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.reversed_minor < OLD.reversed_minor THEN
    RAISE EXCEPTION 'what was taken back from a line stays so' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.bank_state IS DISTINCT FROM OLD.bank_state
     AND (coalesce(OLD.bank_state, '-'), coalesce(NEW.bank_state, '-')) NOT IN (
       ('-', 'bank_pending'), ('-', 'reversed'), ('bank_pending', 'bank_paid'),
       ('bank_pending', 'bank_failed'), ('bank_pending', 'reversed'), ('bank_paid', 'bank_failed'),
       ('bank_paid', 'reversed'), ('bank_failed', 'bank_pending'), ('bank_failed', 'reversed')) THEN
    RAISE EXCEPTION 'a line cannot go from % to % at the bank', OLD.bank_state, NEW.bank_state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
# The preparer signs nothing, and a run is approved only by as many people as it needs.
SIGNED = (
    """CREATE FUNCTION payout_approval_two_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payout_run r
             WHERE r.id = NEW.run_id AND r.prepared_by = NEW.person_id) THEN
    RAISE EXCEPTION 'the preparer of a run does not approve it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    """CREATE TRIGGER payout_approval_two_people BEFORE INSERT ON payout_approval
FOR EACH ROW EXECUTE FUNCTION payout_approval_two_people()""",
    """CREATE FUNCTION payout_run_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM payout_approval a
      WHERE a.run_id = NEW.id AND a.content_sha256 = NEW.content_sha256) < NEW.approvals_needed THEN
    RAISE EXCEPTION 'this run is not approved by as many people as it needs'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    """CREATE TRIGGER payout_run_is_signed BEFORE UPDATE ON payout_run FOR EACH ROW
WHEN (NEW.state IN ('approved', 'releasing') AND NEW.state <> OLD.state)
EXECUTE FUNCTION payout_run_is_signed()""",
)
# Runs that were approved before keep their one approval.
FORMER_APPROVALS = """INSERT INTO payout_approval
  (id, run_id, person_id, content_sha256, at, total_minor, day_used_minor)
SELECT gen_random_uuid(), id, approved_by, approved_sha256, approved_at, total_minor, 0
FROM payout_run WHERE approved_by IS NOT NULL"""


def upgrade() -> None:
    """Add the columns, make the tables, and the triggers that keep them."""
    _change_runs_and_lines()
    _make_tables()
    op.execute(BANK_STEPS)
    op.execute(
        """CREATE TRIGGER payout_line_bank_steps BEFORE UPDATE OF bank_state, reversed_minor
        ON payout_line FOR EACH ROW EXECUTE FUNCTION payout_line_bank_steps()"""
    )
    for statement in (
        *SIGNED,
        FORMER_APPROVALS,
        *lifecycle_guard("connected_payout", CONNECTED_NEXT),
        *lifecycle_guard("payout_reversal", REVERSAL_NEXT),
        *append_only("payout_approval"),
        *append_only("connected_payout_part"),
        "INSERT INTO payout_gate (id, state) VALUES (1, 'open')",
    ):
        op.execute(statement)


def _run_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("asked", postgresql.JSONB(), nullable=False, server_default="{}"),
        sa.Column("approvals_needed", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("paused_by", sa.Uuid()),
        sa.Column("schedule_id", sa.Uuid()),
    ]


def _line_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("payee_currency", sa.CHAR(3)),
        sa.Column("destination_payment_id", sa.Text()),
        sa.Column("bank_state", sa.String(40)),
        _time("bank_since"),
        sa.Column("reversed_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("withheld_minor", sa.BigInteger(), nullable=False, server_default="0"),
    ]


def _change_runs_and_lines() -> None:
    for table, columns in (("payout_line", _line_columns()), ("payout_run", _run_columns())):
        for added in columns:
            op.add_column(table, added)
    op.drop_constraint("ck_payout_run_paused_gap", "payout_run")
    unique = op.f("uq_payout_line_destination_payment_id")
    op.create_unique_constraint(unique, "payout_line", ["destination_payment_id"])
    for table, checks in (("payout_line", ON_LINES), ("payout_run", ON_RUNS)):
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    for name, column, condition in (
        ("ix_payout_line_open", "run_id", "ended_at IS NULL"),
        ("ix_payout_line_at_bank", "stripe_account_id", "state = 'transferred'"),
    ):
        op.create_index(name, "payout_line", [column], postgresql_where=sa.text(condition))


def _make_tables() -> None:
    for table, columns in TABLES.items():
        op.create_table(table, *columns())
    for column, target in (("paused_by", "person"), ("schedule_id", "payout_schedule")):
        key = op.f(f"fk_payout_run_{column}")
        op.create_foreign_key(key, "payout_run", target, [column], ["id"])
    op.create_index("ix_payout_approval_person_at", "payout_approval", ["person_id", "at"])
    op.create_index("ix_connected_payout_account", "connected_payout", ["stripe_account_id"])
    op.create_index("ix_connected_payout_part_line_id", "connected_payout_part", ["line_id"])
    for name, table, column, condition in (
        (
            "uq_payout_reversal_live",
            "payout_reversal",
            "line_id",
            "state IN ('asked', 'approved', 'submitting', 'unknown')",
        ),
        ("ix_stray_transfer_open", "stray_transfer", "specialist_id", "settled_at IS NULL"),
    ):
        where = sa.text(condition)
        unique = name.startswith("uq")
        op.create_index(name, table, [column], unique=unique, postgresql_where=where)


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _needed(name: str, kind: sa.types.TypeEngine[Any], link: str = "") -> sa.Column[object]:
    links = [sa.ForeignKey(f"{link}.id")] if link else []
    return sa.Column(name, kind, *links, nullable=False)


def _person(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("person.id"))


def _texts(*names: str) -> list[sa.schema.SchemaItem]:
    return [sa.Column(name, sa.Text()) for name in names]


def _money() -> list[sa.schema.SchemaItem]:
    return [_needed("amount_minor", sa.BigInteger()), _needed("currency", sa.CHAR(3))]


def _checks(table: str, **conditions: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))
        for name, condition in conditions.items()
    ]


def _schedule() -> list[sa.schema.SchemaItem]:
    return [
        _needed("id", sa.Uuid()),
        _needed("currency", sa.CHAR(3)),
        _needed("every", sa.String(40)),
        _needed("on_day", sa.SmallInteger()),
        _needed("minimum_minor", sa.BigInteger()),
        sa.Column("country", sa.CHAR(2)),
        _needed("enabled", sa.Boolean()),
        _time("next_at", nullable=False),
        *_texts("last_outcome"),
        _time("last_at"),
        _needed("owner_id", sa.Uuid(), "person"),
        _time("changed_at", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        *_checks(
            "payout_schedule",
            every="every IN ('week', 'month')",
            on_day="on_day BETWEEN 1 AND CASE every WHEN 'week' THEN 7 ELSE 28 END",
            minimum_minor="minimum_minor > 0",
        ),
    ]


def _approval() -> list[sa.schema.SchemaItem]:
    return [
        _needed("id", sa.Uuid()),
        _needed("run_id", sa.Uuid(), "payout_run"),
        _needed("person_id", sa.Uuid(), "person"),
        _needed("content_sha256", sa.Text()),
        _time("at", nullable=False),
        _needed("total_minor", sa.BigInteger()),
        _needed("day_used_minor", sa.BigInteger()),
        sa.Column("day_limit_minor", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "content_sha256", "person_id"),
        *_checks(
            "payout_approval",
            within_limit="day_limit_minor IS NULL"
            " OR day_used_minor + total_minor <= day_limit_minor",
        ),
    ]


def _connected() -> list[sa.schema.SchemaItem]:
    return [
        _needed("id", sa.Uuid()),
        _needed("payout_id", sa.Text()),
        _needed("stripe_account_id", sa.Text()),
        _person("specialist_id"),
        *_money(),
        _needed("state", sa.String(40)),
        _needed("stripe_status", sa.Text()),
        _needed("automatic", sa.Boolean()),
        sa.Column("arrives_on", sa.Date()),
        *_texts("trace_id", "failure_code", "failure_message", "trouble"),
        *[_time(name, nullable=False) for name in ("made_at", "since", "read_at")],
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("payout_id"),
        *_checks(
            "connected_payout",
            state="state IN ('created', 'paid', 'failed', 'returned', 'reversed', 'cancelled')",
            amount="amount_minor > 0",
        ),
    ]


def _part() -> list[sa.schema.SchemaItem]:
    return [
        _needed("connected_payout_id", sa.Uuid(), "connected_payout"),
        _needed("line_id", sa.Uuid(), "payout_line"),
        _needed("balance_transaction_id", sa.Text()),
        sa.PrimaryKeyConstraint("connected_payout_id", "line_id"),
    ]


def _reversal() -> list[sa.schema.SchemaItem]:
    return [
        _needed("id", sa.Uuid()),
        _needed("line_id", sa.Uuid(), "payout_line"),
        *_money(),
        _needed("state", sa.String(40)),
        _needed("hold", sa.Boolean()),
        _needed("why", sa.String(40)),
        _needed("note", sa.LargeBinary()),
        _needed("asked_by", sa.Uuid(), "person"),
        _time("asked_at", nullable=False),
        _person("approved_by"),
        *[_time(name) for name in ("approved_at", "started_at", "next_look_at")],
        sa.Column("reversal_id", sa.Text(), unique=True),
        *_texts("balance_transaction_id"),
        sa.Column("destination_amount_minor", sa.BigInteger()),
        sa.Column("destination_currency", sa.CHAR(3)),
        *_texts("reason_code", "reason"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id"),
        *_checks("payout_reversal", **ON_REVERSALS),
    ]


def _gate() -> list[sa.schema.SchemaItem]:
    return [
        _needed("id", sa.SmallInteger()),
        _needed("state", sa.String(40)),
        *_texts("reason"),
        *[_time(name) for name in ("checked_at", "closed_at", "resynced_at")],
        sa.PrimaryKeyConstraint("id"),
        *_checks(
            "payout_gate",
            state="state IN ('open', 'closed') AND id = 1",
            closed_at="(state = 'closed') = (closed_at IS NOT NULL)",
        ),
    ]


def _stray() -> list[sa.schema.SchemaItem]:
    return [
        _needed("transfer_id", sa.Text()),
        _needed("stripe_account_id", sa.Text()),
        _person("specialist_id"),
        _needed("line_id", sa.Text()),
        *_money(),
        *(_time("found_at", nullable=False), _time("settled_at"), _person("settled_by")),
        sa.Column("note", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("transfer_id"),
    ]


TABLES = {
    "payout_schedule": _schedule,
    "payout_approval": _approval,
    "connected_payout": _connected,
    "connected_payout_part": _part,
    "payout_reversal": _reversal,
    "payout_gate": _gate,
    "stray_transfer": _stray,
}
FUNCTIONS = (
    "payout_run_is_signed(), payout_approval_two_people(), payout_approval_append_only(), "
    "connected_payout_part_append_only(), connected_payout_lifecycle(), "
    "payout_reversal_lifecycle(), payout_line_bank_steps()"
)


def downgrade() -> None:
    """Drop all of it again."""
    op.execute("DROP TRIGGER payout_run_is_signed ON payout_run")
    op.execute("DROP TRIGGER payout_line_bank_steps ON payout_line")
    for column in ("schedule_id", "paused_by"):
        op.drop_constraint(f"fk_payout_run_{column}", "payout_run")
    for table in reversed(list(TABLES)):
        op.drop_table(table)
    op.execute(f"DROP FUNCTION {FUNCTIONS}")
    for name in ("ix_payout_line_open", "ix_payout_line_at_bank"):
        op.drop_index(name, "payout_line")
    for table, checks in (("payout_line", ON_LINES), ("payout_run", ON_RUNS)):
        for check in checks:
            op.drop_constraint(f"ck_{table}_{check}", table)
    op.drop_constraint("uq_payout_line_destination_payment_id", "payout_line")
    for table, columns in (("payout_line", _line_columns()), ("payout_run", _run_columns())):
        for each in columns:
            op.drop_column(table, each.name)
    op.execute("UPDATE payout_run SET paused_at = NULL WHERE funding_gap_minor IS NULL")
    op.create_check_constraint(
        op.f("ck_payout_run_paused_gap"),
        "payout_run",
        "(paused_at IS NULL) = (funding_gap_minor IS NULL)",
    )
