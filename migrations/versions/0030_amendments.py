"""Specialties added to a credential that stands, and words for what was refused.

Why: who earns a second board certification asks for it beside the licence that they hold, which
stands meanwhile; and who is refused a renewal or a specialty reads what to send instead. A change
of a credential says which specialties it covered from then on, so that what was added later is not
read into work that was handed in before.
Locks: `credential_change` while its rows take the specialties of their claims, which a guard else
forbids; `credential_proposal` and `credential_renewal` for a moment, to get a column.
Undo: `downgrade`; specialties that were granted stay on their claims.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0030_amendments"
down_revision = "0029_hot_path"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text())
REFUSALS = ("not_shown", "nothing_sent", "unreadable", "other_person", "taken_back")
NO_TEXTS = sa.text("'{}'")


def _refusal(table: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{each}'" for each in REFUSALS)
    return sa.CheckConstraint(f"refusal IN ({listed})", name=op.f(f"ck_{table}_refusal"))


def upgrade() -> None:
    """Make the table and the columns, and say of every former change what it covered."""
    _amendment()
    op.add_column("credential_proposal", sa.Column("specialties", TEXTS, server_default=NO_TEXTS))
    op.alter_column("credential_proposal", "specialties", nullable=False, server_default=None)
    op.add_column("credential_renewal", sa.Column("refusal", sa.String(40)))
    listed = ", ".join(f"'{each}'" for each in REFUSALS)
    op.create_check_constraint(
        op.f("ck_credential_renewal_refusal"), "credential_renewal", f"refusal IN ({listed})"
    )
    op.add_column("credential_change", sa.Column("specialties", TEXTS))
    op.execute("ALTER TABLE credential_change DISABLE TRIGGER USER")
    op.execute(
        """UPDATE credential_change c SET specialties = k.specialties
        FROM credential_claim k WHERE k.id = c.claim_id"""
    )
    op.execute("ALTER TABLE credential_change ENABLE TRIGGER USER")
    op.alter_column("credential_change", "specialties", nullable=False)


def _amendment() -> None:
    table = "credential_amendment"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "claim_id",
            sa.Uuid(),
            sa.ForeignKey("credential_claim.id", name=op.f(f"fk_{table}_claim_id")),
            nullable=False,
        ),
        sa.Column("specialties", TEXTS, nullable=False),
        sa.Column("granted", TEXTS),
        sa.Column("refusal", sa.String(40)),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("settled_at", AT),
        sa.Column(
            "settled_by", sa.Uuid(), sa.ForeignKey("person.id", name=op.f(f"fk_{table}_settled_by"))
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (granted IS NULL)", name=op.f(f"ck_{table}_settled")
        ),
        sa.CheckConstraint("granted <@ specialties", name=op.f(f"ck_{table}_granted")),
        _refusal(table),
    )
    op.create_index(
        "uq_credential_amendment_open",
        table,
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_credential_amendment_claim_id", table, ["claim_id"])


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_column("credential_change", "specialties")
    op.drop_column("credential_renewal", "refusal")
    op.drop_column("credential_proposal", "specialties")
    op.drop_table("credential_amendment")
