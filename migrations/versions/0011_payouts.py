"""The tables of payouts: payee accounts, runs, lines and attempts.

Why: specialists' pay leaves through Stripe, with two people's consent and a journal of every call.
Locks: nothing that exists, but for the moment that the foreign keys to person take. Undo:
`downgrade` drops the tables and their triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_payouts"
down_revision = "0010_billing"
branch_labels = None
depends_on = None

CHECKS = {
    "payee_account": {
        "version": "version >= 1",
        "active_has_account": "NOT transfers_active OR stripe_account_id IS NOT NULL",
    },
    "payout_run": {
        "state": (
            "state IN ('draft', 'approved', 'releasing', 'sent', 'partially_sent', 'cancelled')"
        ),
        "two_people": "approved_by <> prepared_by",
        "approved_in_full": (
            "(approved_by IS NULL) = (approved_sha256 IS NULL)"
            " AND (approved_by IS NULL) = (approved_at IS NULL)"
        ),
        "approved_content": (
            "state NOT IN ('approved', 'releasing', 'sent', 'partially_sent')"
            " OR coalesce(approved_sha256 = content_sha256, false)"
        ),
        "released_by_one_of_two": (
            "released_by IS NULL OR released_by = prepared_by"
            " OR coalesce(released_by = approved_by, false)"
        ),
        "released_in_full": (
            "state NOT IN ('releasing', 'sent', 'partially_sent')"
            " OR (released_by IS NOT NULL AND released_at IS NOT NULL)"
        ),
        "paused_gap": "(paused_at IS NULL) = (funding_gap_minor IS NULL)",
        "ended_at": ("(state IN ('sent', 'partially_sent', 'cancelled')) = (ended_at IS NOT NULL)"),
    },
    "payout_line": {
        "state": (
            "state IN ('draft', 'approved', 'submitting', 'transferred', 'rejected', 'unknown',"
            " 'cancelled')"
        ),
        "amount": "amount_minor > 0",
        "transferred_in_full": (
            "(state = 'transferred') = (transfer_id IS NOT NULL"
            " AND balance_transaction_id IS NOT NULL AND destination_amount_minor IS NOT NULL"
            " AND destination_currency IS NOT NULL)"
        ),
        "rejected_reason": "(state = 'rejected') = (reason_code IS NOT NULL)",
        "ended_at": (
            "(state IN ('transferred', 'rejected', 'cancelled')) = (ended_at IS NOT NULL)"
        ),
    },
    "payout_attempt": {
        "state": "state IN ('open', 'transferred', 'rejected', 'absent')",
        "ended_at": "(state = 'open') = (ended_at IS NULL)",
    },
}
# For each table: the first state, the steps, and the columns that never change.
LIFECYCLES = {
    "payout_run": (
        "draft",
        "('draft', 'approved'), ('draft', 'cancelled'), ('approved', 'draft'), "
        "('approved', 'releasing'), ('approved', 'cancelled'), ('releasing', 'sent'), "
        "('releasing', 'partially_sent'), ('releasing', 'cancelled')",
        ("reference", "currency", "prepared_by"),
    ),
    "payout_line": (
        "draft",
        "('draft', 'approved'), ('draft', 'cancelled'), ('approved', 'draft'), "
        "('approved', 'submitting'), ('approved', 'rejected'), ('approved', 'cancelled'), "
        "('submitting', 'transferred'), ('submitting', 'rejected'), ('submitting', 'unknown'), "
        "('unknown', 'transferred'), ('unknown', 'rejected'), ('unknown', 'approved')",
        (
            "run_id",
            "specialist_id",
            "stripe_account_id",
            "payee_version",
            "amount_minor",
            "currency",
        ),
    ),
    "payout_attempt": (
        "open",
        "('open', 'transferred'), ('open', 'rejected'), ('open', 'absent')",
        ("line_id", "number", "params_sha256", "started_at", "deadline_at"),
    ),
}
ONLY_RELEASED = """CREATE FUNCTION payout_line_only_released() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM payout_run WHERE id = NEW.run_id AND state = 'releasing') THEN
    RAISE EXCEPTION 'a line is sent only while its run is releasing'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def upgrade() -> None:
    """Create the tables, their indexes, and the triggers that keep their lifecycles."""
    for table, columns in (
        ("payee_account", _payee_account()),
        ("payout_run", _payout_run()),
        ("payout_line", _payout_line()),
        ("payout_attempt", _payout_attempt()),
    ):
        op.create_table(table, *columns)
        for name, condition in CHECKS[table].items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.create_index("ix_payout_line_specialist_id", "payout_line", ["specialist_id"])
    op.create_index(
        "ix_payout_line_waiting",
        "payout_line",
        ["next_look_at"],
        postgresql_where=sa.text("state IN ('approved', 'submitting', 'unknown')"),
    )
    op.create_index(
        "uq_payout_attempt_live",
        "payout_attempt",
        ["line_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'transferred')"),
    )
    for table, (first, steps, fixed) in LIFECYCLES.items():
        _keep_lifecycle(table, first, steps, fixed)
    op.execute(ONLY_RELEASED)
    op.execute(
        """CREATE TRIGGER payout_line_only_released BEFORE UPDATE ON payout_line
        FOR EACH ROW WHEN (NEW.state = 'submitting' AND OLD.state <> 'submitting')
        EXECUTE FUNCTION payout_line_only_released()"""
    )


def _keep_lifecycle(table: str, first: str, steps: str, fixed: tuple[str, ...]) -> None:
    new = ", ".join(f"NEW.{column}" for column in fixed)
    old = ", ".join(f"OLD.{column}" for column in fixed)
    op.execute(
        f"""CREATE FUNCTION {table}_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'INSERT' THEN
            IF NEW.state <> '{first}' THEN
              RAISE EXCEPTION '{table} starts as {first}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
          END IF;
          IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION '{table} keeps its rows' USING ERRCODE = 'restrict_violation';
          END IF;
          IF ({new}) IS DISTINCT FROM ({old}) THEN
            RAISE EXCEPTION '{table}: this column does not change'
              USING ERRCODE = 'restrict_violation';
          END IF;
          IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({steps}) THEN
            RAISE EXCEPTION '{table} does not go from % to %', OLD.state, NEW.state
              USING ERRCODE = 'check_violation';
          END IF;
          RETURN NEW;
        END $$"""
    )
    op.execute(
        f"""CREATE TRIGGER {table}_lifecycle BEFORE INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_lifecycle()"""
    )


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _link(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")


def _payee_account() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_key", sa.Uuid(), nullable=False),
        sa.Column("stripe_account_id", sa.Text()),
        sa.Column("payee_name", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.CHAR(2), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("transfers_active", sa.Boolean(), nullable=False),
        sa.Column("details_submitted", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text()),
        sa.Column("requirements", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("paid_to", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        _time("changed_at", nullable=False),
        _time("checked_at"),
        _time("created_at", nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_payee_account"),
        sa.UniqueConstraint("stripe_account_id", name="uq_payee_account_stripe_account_id"),
        _link("payee_account", "person_id", "person"),
        _link("payee_account", "changed_by", "person"),
    ]


def _payout_run() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        _time("prepared_at", nullable=False),
        sa.Column("approved_by", sa.Uuid()),
        _time("approved_at"),
        sa.Column("approved_sha256", sa.Text()),
        sa.Column("released_by", sa.Uuid()),
        _time("released_at"),
        _time("paused_at"),
        sa.Column("funding_gap_minor", sa.BigInteger()),
        _time("ended_at"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payout_run"),
        sa.UniqueConstraint("reference", name="uq_payout_run_reference"),
        sa.UniqueConstraint("year", "number", name="uq_payout_run_year_number"),
        _link("payout_run", "prepared_by", "person"),
        _link("payout_run", "approved_by", "person"),
        _link("payout_run", "released_by", "person"),
    ]


def _payout_line() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_account_id", sa.Text(), nullable=False),
        sa.Column("payee_version", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _time("since", nullable=False),
        _time("next_look_at", nullable=False),
        sa.Column("reason_code", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("transfer_id", sa.Text()),
        sa.Column("balance_transaction_id", sa.Text()),
        sa.Column("destination_amount_minor", sa.BigInteger()),
        sa.Column("destination_currency", sa.CHAR(3)),
        _time("frozen_at"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payout_line"),
        sa.UniqueConstraint("run_id", "specialist_id", name="uq_payout_line_run_id_specialist_id"),
        sa.UniqueConstraint("transfer_id", name="uq_payout_line_transfer_id"),
        sa.UniqueConstraint("balance_transaction_id", name="uq_payout_line_balance_transaction_id"),
        _link("payout_line", "run_id", "payout_run"),
        _link("payout_line", "specialist_id", "person"),
    ]


def _payout_attempt() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("params_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _time("started_at", nullable=False),
        _time("deadline_at", nullable=False),
        _time("ended_at"),
        sa.Column("error_code", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_payout_attempt"),
        sa.UniqueConstraint("line_id", "number", name="uq_payout_attempt_line_id_number"),
        _link("payout_attempt", "line_id", "payout_line"),
    ]


def downgrade() -> None:
    """Drop them again."""
    for table in ("payout_attempt", "payout_line", "payout_run", "payee_account"):
        op.drop_table(table)
    for table in LIFECYCLES:
        op.execute(f"DROP FUNCTION {table}_lifecycle()")
    op.execute("DROP FUNCTION payout_line_only_released()")
