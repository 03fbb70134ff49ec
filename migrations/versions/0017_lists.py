"""Published lists, whom they may name here, reminders, and holds on payees.

Why: people are screened against LEIE and OFAC by their monthly editions, are told before a
credential runs out, and are not paid to an account in another name than the licence's.
Locks: `payee_account` for a moment, for two empty columns; nothing else that exists, but `person`
and `credential_claim` for the moment that foreign keys take. Undo: `downgrade` drops it all.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.db import lifecycle_guard

revision = "0017_lists"
down_revision = "0016_verification"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text())
SOURCES = "leie ofac"
SNAPSHOT_STEPS = {"loading": ("loaded", "failed")}
HIT_STEPS = {
    "open": ("cleared", "confirmed", "closed"),
    "cleared": ("open", "closed"),
    "confirmed": ("open", "closed"),
}
HOLD_STEPS = {"open": ("cleared", "ended")}


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _member(table: str, column: str, values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values.split())
    return _check(table, column, f"{column} IN ({listed})")


def _to(
    table: str, column: str, *, nullable: bool = False, primary_key: bool = False
) -> sa.Column[Any]:
    target = sa.ForeignKey(f"{table}.id")
    return sa.Column(column, sa.Uuid(), target, nullable=nullable, primary_key=primary_key)


def _text(column: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(column, sa.Text(), nullable=nullable)


def _at(column: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(column, AT, nullable=nullable)


def upgrade() -> None:
    """Create them."""
    _reference_snapshot()
    _list_entry()
    _list_screening()
    _sanction_hit()
    _credential_reminder()
    _payee_hold()
    for table, steps in (
        ("reference_snapshot", SNAPSHOT_STEPS),
        ("sanction_hit", HIT_STEPS),
        ("payee_hold", HOLD_STEPS),
    ):
        for statement in lifecycle_guard(table, steps):
            op.execute(statement)


def _reference_snapshot() -> None:
    table = "reference_snapshot"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("files", TEXTS, nullable=False),
        sa.Column("stored", TEXTS, nullable=False),
        _text("sha256"),
        sa.Column("source_on", sa.Date(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger()),
        sa.Column("added", sa.BigInteger()),
        sa.Column("removed", sa.BigInteger()),
        sa.Column("changed", sa.BigInteger()),
        sa.Column("shrink_accepted", sa.Boolean(), nullable=False),
        _text("failure", nullable=True),
        _to("person", "loaded_by", nullable=True),
        _at("began_at"),
        _at("loaded_at", nullable=True),
        _at("screened_at", nullable=True),
        _member(table, "source", SOURCES),
        _member(table, "state", "loading loaded failed"),
        _check(table, "loaded_at", "(state = 'loaded') = (loaded_at IS NOT NULL)"),
        _check(table, "failure", "(state = 'failed') = (failure IS NOT NULL)"),
    )
    for name, columns, state in (
        ("sha256", ["source", "sha256"], "state <> 'failed'"),
        ("loading", ["source"], "state = 'loading'"),
    ):
        index = f"uq_{table}_{name}"
        op.create_index(index, table, columns, unique=True, postgresql_where=sa.text(state))


def _said_columns() -> tuple[sa.Column[Any], ...]:
    """What a list says of a person; the same in the rows that are loaded and in the entries."""
    return (
        _text("entry_key"),
        _text("content"),
        sa.Column("names", TEXTS, nullable=False),
        _text("npi", nullable=True),
        sa.Column("born", TEXTS, nullable=False),
        sa.Column("places", TEXTS, nullable=False),
        _text("listed_as"),
        sa.Column("listed_on", sa.Date()),
        sa.Column("keys", TEXTS, nullable=False),
    )


def _list_entry() -> None:
    # Unlogged: what a crash takes of it is read again from the file.
    op.create_table(
        "list_row_staged",
        _to("reference_snapshot", "snapshot_id", primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        *_said_columns(),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_list_row_staged_entry", "list_row_staged", ["snapshot_id", "entry_key"])
    table = "list_entry"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        *_said_columns(),
        _to("reference_snapshot", "since_id"),
        _to("reference_snapshot", "until_id", nullable=True),
        _member(table, "source", SOURCES),
        _check(table, "npi", "npi <> '0000000000'"),
    )
    current = sa.text("until_id IS NULL")
    op.create_index(
        "uq_list_entry_current",
        table,
        ["source", "entry_key"],
        unique=True,
        postgresql_where=current,
    )
    op.create_index("ix_list_entry_since_id", table, ["since_id"])
    op.create_index("ix_list_entry_until_id", table, ["until_id"])
    with_npi = sa.text("npi IS NOT NULL AND until_id IS NULL")
    op.create_index("ix_list_entry_npi", table, ["npi"], postgresql_where=with_npi)
    op.create_index(
        "ix_list_entry_keys", table, ["keys"], postgresql_using="gin", postgresql_where=current
    )


def _list_screening() -> None:
    op.create_table(
        "list_screening",
        _to("person", "person_id", primary_key=True),
        sa.Column("source", sa.String(40), primary_key=True),
        _to("reference_snapshot", "snapshot_id"),
        _at("screened_at"),
        _member("list_screening", "source", SOURCES),
    )


def _sanction_hit() -> None:
    table = "sanction_hit"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("person", "person_id"),
        sa.Column("source", sa.String(40), nullable=False),
        _text("entry_key"),
        _to("list_entry", "entry_id"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("grade", sa.String(40), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("matched", TEXTS, nullable=False),
        _text("reason", nullable=True),
        sa.Column("note", sa.LargeBinary()),
        _to("person", "proposed_by", nullable=True),
        _at("proposed_at", nullable=True),
        _to("person", "cleared_by", nullable=True),
        _to("person", "confirmed_by", nullable=True),
        _at("expires_at", nullable=True),
        _at("opened_at"),
        _at("changed_at"),
        _member(table, "source", SOURCES),
        _member(table, "state", "open cleared confirmed closed"),
        _member(table, "grade", "strong weak"),
        _check(table, "score", "score BETWEEN 0 AND 1"),
        _check(
            table,
            "cleared_in_full",
            "(state = 'cleared') = (expires_at IS NOT NULL)"
            " AND (state = 'cleared') = (cleared_by IS NOT NULL)",
        ),
        _check(
            table,
            "confirmed_by_two",
            "state <> 'confirmed' OR coalesce(confirmed_by <> proposed_by, false)",
        ),
        _check(table, "not_by_oneself", "person_id NOT IN (cleared_by, confirmed_by, proposed_by)"),
    )
    live = sa.text("state <> 'closed'")
    columns = ["person_id", "source", "entry_key"]
    op.create_index("uq_sanction_hit_live", table, columns, unique=True, postgresql_where=live)
    op.create_index("ix_sanction_hit_state_id", table, ["state", "id"])
    op.create_index("ix_sanction_hit_entry", table, ["source", "entry_key"])


def _credential_reminder() -> None:
    op.create_table(
        "credential_reminder",
        _to("credential_claim", "claim_id", primary_key=True),
        sa.Column("valid_until", sa.Date(), primary_key=True),
        sa.Column("days", sa.BigInteger(), primary_key=True, autoincrement=False),
        _at("sent_at"),
        _check("credential_reminder", "days", "days IN (60, 30, 7)"),
    )


def _payee_hold() -> None:
    op.add_column("payee_account", _text("name_check", nullable=True))
    op.add_column("payee_account", _at("name_checked_at", nullable=True))
    op.create_check_constraint(
        "name_check", "payee_account", "name_check IN ('same', 'differs', 'no_licence')"
    )
    table = "payee_hold"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("person", "person_id"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("compared", ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("account_name", sa.LargeBinary()),
        sa.Column("note", sa.LargeBinary()),
        _at("opened_at"),
        _at("settled_at", nullable=True),
        _to("person", "settled_by", nullable=True),
        _member(table, "state", "open cleared ended"),
        _check(table, "settled_at", "(state = 'open') = (settled_at IS NULL)"),
        _check(table, "settled_by", "(state = 'cleared') = (settled_by IS NOT NULL)"),
        _check(table, "not_by_oneself", "settled_by <> person_id"),
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_payee_hold_open", table, ["person_id"], unique=True, postgresql_where=is_open
    )
    op.create_index("ix_payee_hold_person_id", table, ["person_id"])


def downgrade() -> None:
    """Drop them all."""
    for table in (
        "payee_hold",
        "credential_reminder",
        "sanction_hit",
        "list_screening",
        "list_entry",
        "list_row_staged",
        "reference_snapshot",
    ):
        op.drop_table(table)
    for column in ("name_checked_at", "name_check"):
        op.drop_column("payee_account", column)
    for table in ("reference_snapshot", "sanction_hit", "payee_hold"):
        op.execute(f"DROP FUNCTION {table}_lifecycle()")
