"""Tax forms, holds on available pay with an owner and a history, and remittances of withheld tax.

Why: a payment may need a form first, or a part of it kept for a tax office; pay is held for a
reason by somebody who answers for it; what was withheld is handed on by two people.
Locks: `person` for a moment, for the foreign keys, and `payee_account` for a column that may be
NULL: an account that never changed has no cool-down; the tables are new.
Undo: `downgrade` drops them; the ledger keeps what was held, withheld and remitted. Export the tax
forms before: the law wants them kept.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import append_only, lifecycle_guard

revision = "0047_tax"
down_revision = "0046_spending"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
SEALED = sa.LargeBinary
FORM_NEXT = {
    "submitted": {"verified", "refused", "replaced"},
    "verified": {"refused", "replaced"},
    "refused": set(),
    "replaced": set(),
}
HOLD_NEXT = {"open": {"lifted"}, "lifted": set()}
REMITTANCE_NEXT = {
    "proposed": {"confirmed", "withdrawn"},
    "confirmed": set(),
    "withdrawn": set(),
}
REASONS = ("review", "identity", "sanctions", "dispute", "payee_changed", "correction")
LIFTS = ("settled", "nothing_found", "mistaken")


def _key(
    table: str, column: str, to: str = "person.id", *, nullable: bool = False
) -> sa.Column[object]:
    reference = sa.ForeignKey(to, name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, sa.Uuid(), reference, nullable=nullable)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return _check(table, column, f"{column} IN ({listed})")


def upgrade() -> None:
    """Make the tables, their lifecycles and the history that nobody rewrites."""
    _tax_form()
    _pay_hold()
    _remittance()
    op.add_column("payee_account", sa.Column("paid_to_changed_at", AT))
    for table, steps in (
        ("tax_form", FORM_NEXT),
        ("pay_hold", HOLD_NEXT),
        ("tax_remittance", REMITTANCE_NEXT),
    ):
        for statement in lifecycle_guard(table, steps):
            op.execute(statement)
    for statement in (*append_only("pay_hold_event"), *append_only("tax_remittance_line")):
        op.execute(statement)


def _tax_form() -> None:
    table = "tax_form"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "person_id"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("country", sa.CHAR(2), nullable=False),
        sa.Column("facts", SEALED()),
        sa.Column("tin", SEALED()),
        sa.Column("tin_end", SEALED()),
        sa.Column("told_to_withhold", sa.Boolean(), nullable=False),
        sa.Column("signed_name", SEALED()),
        sa.Column("signed_at", AT, nullable=False),
        sa.Column("valid_until", sa.Date()),
        _key(table, "decided_by", nullable=True),
        sa.Column("decided_at", AT),
        sa.Column("note", SEALED()),
        sa.Column("kept_until", sa.Date()),
        sa.Column("purged_at", AT),
        _one_of(table, "kind", ("w9", "w8ben", "w8bene", "dac7")),
        _one_of(table, "state", tuple(FORM_NEXT)),
        _check(table, "decided", "(decided_by IS NULL) = (decided_at IS NULL)"),
        _check(table, "not_by_oneself", "decided_by <> person_id"),
        _check(
            table, "decided_by", "state NOT IN ('verified', 'refused') OR decided_by IS NOT NULL"
        ),
        _check(
            table,
            "purged",
            "purged_at IS NULL OR num_nonnulls(facts, tin, tin_end, signed_name, note) = 0",
        ),
    )
    op.create_index("ix_tax_form_person_id", table, ["person_id", "id"])
    op.create_index(
        "uq_tax_form_standing",
        table,
        ["person_id", "kind", "state"],
        unique=True,
        postgresql_where=sa.text("state IN ('submitted', 'verified')"),
    )
    op.create_index(
        "ix_tax_form_waiting", table, ["id"], postgresql_where=sa.text("state = 'submitted'")
    )


def _pay_hold() -> None:
    table = "pay_hold"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "person_id"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        _key(table, "owner_id"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("note", SEALED()),
        sa.Column("placed_at", AT, nullable=False),
        sa.Column("look_due_at", AT, nullable=False),
        sa.Column("lifted_at", AT),
        sa.Column("lift_reason", sa.String(40)),
        _one_of(table, "reason", REASONS),
        _one_of(table, "state", tuple(HOLD_NEXT)),
        _one_of(table, "lift_reason", LIFTS),
        _check(table, "amount", "amount_minor > 0"),
        _check(table, "not_by_oneself", "owner_id <> person_id"),
        _check(
            table,
            "lifted",
            "(state = 'lifted') = (lifted_at IS NOT NULL)"
            " AND (lifted_at IS NULL) = (lift_reason IS NULL)",
        ),
    )
    op.create_index("ix_pay_hold_person_id", table, ["person_id", "id"])
    op.create_index(
        "ix_pay_hold_open", table, ["look_due_at"], postgresql_where=sa.text("state = 'open'")
    )
    history = "pay_hold_event"
    op.create_table(
        history,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(history, "hold_id", "pay_hold.id"),
        sa.Column("event", sa.String(40), nullable=False),
        _key(history, "by_id"),
        _key(history, "owner_id"),
        sa.Column("at", AT, nullable=False),
        sa.Column("look_due_at", AT, nullable=False),
        sa.Column("lift_reason", sa.String(40)),
        _one_of(history, "event", ("placed", "looked", "lifted")),
        _one_of(history, "lift_reason", LIFTS),
    )
    op.create_index("ix_pay_hold_event_hold_id", history, ["hold_id"])


def _remittance() -> None:
    table = "tax_remittance"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("jurisdiction", sa.CHAR(2), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _key(table, "proposed_by"),
        sa.Column("proposed_at", AT, nullable=False),
        _key(table, "decided_by", nullable=True),
        sa.Column("decided_at", AT),
        _one_of(table, "state", tuple(REMITTANCE_NEXT)),
        _check(table, "amount", "amount_minor > 0"),
        _check(table, "two_people", "state <> 'confirmed' OR decided_by <> proposed_by"),
        _check(table, "decided_by", "(state = 'proposed') = (decided_by IS NULL)"),
        _check(table, "decided", "(decided_by IS NULL) = (decided_at IS NULL)"),
    )
    op.create_index(
        "uq_tax_remittance_proposed",
        table,
        ["currency"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    lines = "tax_remittance_line"
    op.create_table(
        lines,
        _key(lines, "remittance_id", "tax_remittance.id"),
        _key(lines, "person_id"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("remittance_id", "person_id", name=op.f(f"pk_{lines}")),
        _check(lines, "amount", "amount_minor > 0"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_column("payee_account", "paid_to_changed_at")
    tables = ("tax_remittance_line", "tax_remittance", "pay_hold_event", "pay_hold", "tax_form")
    for table in tables:
        op.drop_table(table)
    for name in (
        *("tax_remittance_line_append_only", "pay_hold_event_append_only"),
        *("tax_remittance_lifecycle", "pay_hold_lifecycle", "tax_form_lifecycle"),
    ):
        op.execute(f"DROP FUNCTION {name}()")
