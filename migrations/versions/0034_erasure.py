"""People who are to be erased: who asked for it, who looked a second time, and what became of it.

Why: a person may ask that what is personal of them is removed; two people see to it, and the row
says that it was done while the person's own row keeps nothing but its id.
Locks: `person` for a moment, for the foreign keys.
Undo: `downgrade`, which forgets who saw to it; what was erased stays erased.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034_erasure"
down_revision = "0033_opted_out"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLE = "erasure"


def _person(column: str, *, nullable: bool) -> sa.Column[object]:
    reference = sa.ForeignKey("person.id", name=op.f(f"fk_{TABLE}_{column}"))
    return sa.Column(column, sa.Uuid(), reference, nullable=nullable)


def _check(name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{TABLE}_{name}"))


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _person("person_id", nullable=False),
        _person("asked_by", nullable=True),
        sa.Column("asked_at", AT, nullable=False),
        _person("settled_by", nullable=True),
        sa.Column("settled_at", AT),
        sa.Column("carried_out", sa.Boolean()),
        _check("two_people", "settled_by <> asked_by OR carried_out IS NOT TRUE"),
        _check("not_by_oneself", "person_id NOT IN (asked_by, settled_by)"),
        _check("settled", "(settled_at IS NULL) = (carried_out IS NULL)"),
    )
    op.create_index(
        "uq_erasure_open",
        TABLE,
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table(TABLE)
