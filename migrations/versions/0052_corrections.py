"""Corrections of invoices: who asked to take one back, why, and who agreed.

Why: an invoice is never changed; taking one back moves tax from one document to another, so two
people answer for it, and the accountant finds the reason beside the documents.
Locks: nothing; the table is new. Undo: `downgrade`; the documents stay, the reasons are lost.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import lifecycle_guard

revision = "0052_corrections"
down_revision = "0051_desk"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
STEPS = {"proposed": {"approved", "rejected"}}


def _to(name: str, table: str, *, nullable: bool = False, unique: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable, unique=unique
    )


def upgrade() -> None:
    """Create the table and its guards."""
    op.create_table(
        "invoice_correction",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _to("invoice_id", "invoice"),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _to("proposed_by", "person"),
        sa.Column("proposed_at", AT, nullable=False),
        _to("decided_by", "person", nullable=True),
        sa.Column("decided_at", AT),
        _to("credit_note_id", "invoice", nullable=True, unique=True),
        _to("anew_id", "invoice", nullable=True, unique=True),
        sa.CheckConstraint("state IN ('proposed', 'approved', 'rejected')", name="state"),
        sa.CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided"),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
        sa.CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="two_people"),
        sa.CheckConstraint(
            "(state = 'approved') = (credit_note_id IS NOT NULL AND anew_id IS NOT NULL)",
            name="documents",
        ),
    )
    op.create_index("ix_invoice_correction_invoice_id", "invoice_correction", ["invoice_id"])
    op.create_index(
        "uq_invoice_correction_open",
        "invoice_correction",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    for statement in lifecycle_guard("invoice_correction", STEPS):
        op.execute(statement)
    op.execute(
        "DO $$ BEGIN EXECUTE format('REVOKE DELETE, TRUNCATE ON invoice_correction FROM %I', "
        "current_setting('marketplace.app_role')); END $$"
    )


def downgrade() -> None:
    """Drop it; what was credited and issued anew stays."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("invoice_correction")
    op.execute("DROP FUNCTION invoice_correction_lifecycle()")
