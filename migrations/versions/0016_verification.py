"""Identity documents that were shown, GitHub accounts that were connected, and when to ask again.

Why: a level says who was shown to be whom; both are kept once a person, as results of comparisons.
Locks: `verification_run` for a moment, to get a column without a default; `person`, to refer to it.
Undo: `downgrade` drops the tables; who was shown to be whom is then lost, and levels fall with the
next look at each claim.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import lifecycle_guard

revision = "0016_verification"
down_revision = "0015_catalogue"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
STATES = "started processing needs_input verified cancelled"
NEXT = {
    "started": {"processing", "needs_input", "verified", "cancelled"},
    "processing": {"needs_input", "verified", "cancelled"},
    "needs_input": {"processing", "verified", "cancelled"},
    "verified": set(),
    "cancelled": set(),
}


def upgrade() -> None:
    """Create the tables and the column."""
    op.add_column("verification_run", sa.Column("next_check_at", AT))
    _identity_check()
    _github_connection()
    for statement in lifecycle_guard("identity_check", NEXT):
        op.execute(statement)


def _identity_check() -> None:
    listed = ", ".join(f"'{state}'" for state in STATES.split())
    op.create_table(
        "identity_check",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("stripe_session_id", sa.Text(), unique=True),
        sa.Column("papers_hash", sa.LargeBinary()),
        sa.Column("name_score", sa.Float()),
        sa.Column("birth_matches", sa.Boolean()),
        sa.Column("document_country", sa.Text()),
        sa.Column("document_until", sa.Date()),
        sa.Column("reason", sa.Text()),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("verified_at", AT),
        sa.Column("redacted_at", AT),
        sa.CheckConstraint(f"state IN ({listed})", name=op.f("ck_identity_check_state")),
    )
    op.create_index("ix_identity_check_person_id_id", "identity_check", ["person_id", "id"])
    op.create_index(
        "uq_identity_check_open",
        "identity_check",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('started', 'processing', 'needs_input')"),
    )


def _github_connection() -> None:
    op.create_table(
        "github_connection",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("account_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("login", sa.LargeBinary(), nullable=False),
        sa.Column("account_created_at", AT, nullable=False),
        sa.Column("connected_at", AT, nullable=False),
        sa.Column("numbers", JSONB(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("github_connection")
    op.drop_table("identity_check")
    op.execute("DROP FUNCTION identity_check_lifecycle()")
    op.drop_column("verification_run", "next_check_at")
