"""Indexes for the references that people of finance search by.

Why: a reference from a bank's statement or from Stripe's pages is looked for in every table that
may hold it, and these grow with each payment.
Locks: writes to the four tables while their indexes are built; none of them is on a request's way
for long. Undo: `downgrade`; searches read whole tables again.
"""

from alembic import op

revision = "0051_desk"
down_revision = "0050_breaks"
branch_labels = None
depends_on = None

INDEXES = (
    ("payout_line", "stripe_account_id"),
    ("connected_payout", "trace_id"),
    ("stripe_payout_seen", "trace_id"),
    ("statement_entry", "bank_reference"),
    ("statement_entry", "end_to_end"),
    ("statement_entry", "payment_id"),
)


def upgrade() -> None:
    """Index each column."""
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Drop the indexes."""
    for table, column in reversed(INDEXES):
        op.drop_index(f"ix_{table}_{column}", table_name=table)
