"""The tables of identity: people, organisations, members, sign-ins, tokens.

Why: the first version of the slice. Locks: nothing that exists. Undo: `downgrade` drops them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002_identity"
down_revision = "0001_kernel"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
WORD = sa.String(40)
ROLES = (
    "role IN ('owner', 'manager', 'reviewer', 'billing', 'viewer', 'specialist', 'operations', "
    "'preparer', 'approver', 'reconciler', 'auditor', 'administrator')"
)
TABLES = (
    "idempotency_record",
    "api_token",
    "recovery_code",
    "one_time_token",
    "sign_in",
    "invitation",
    "membership",
    "organisation",
    "person",
)


def upgrade() -> None:
    """Create them."""
    _people()
    _organisations()
    _invitations()
    _sign_ins()
    _links_and_codes()
    _tokens()


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _person(name: str = "person_id", *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("person.id"), nullable=optional)


def _organisation(*, optional: bool = False) -> sa.Column[object]:
    key = sa.ForeignKey("organisation.id")
    return sa.Column("organisation_id", sa.Uuid(), key, nullable=optional)


def _people() -> None:
    op.create_table(
        "person",
        _id(),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("is_specialist", sa.Boolean(), nullable=False),
        sa.Column("email_verified_at", AT),
        sa.Column("totp_secret", sa.LargeBinary()),
        sa.Column("totp_confirmed_at", AT),
        sa.Column("totp_last_step", sa.BigInteger()),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.CheckConstraint("state IN ('active', 'suspended', 'erased')", name="state"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        sa.CheckConstraint(
            "totp_confirmed_at IS NULL OR totp_secret IS NOT NULL", name="totp_confirmed"
        ),
    )


def _organisations() -> None:
    op.create_table(
        "organisation",
        _id(),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("kind IN ('lab', 'platform')", name="kind"),
        sa.CheckConstraint("state IN ('active', 'closed')", name="state"),
    )
    op.create_index(
        "uq_organisation_platform",
        "organisation",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("kind = 'platform'"),
    )
    op.create_table(
        "membership",
        _person(),
        _organisation(),
        sa.Column("role", WORD, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "organisation_id", "role"),
        sa.CheckConstraint(ROLES, name="role"),
    )
    op.create_index("ix_membership_organisation_id", "membership", ["organisation_id"])


def _invitations() -> None:
    op.create_table(
        "invitation",
        _id(),
        _organisation(),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _person("invited_by"),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("accepted_at", AT),
        _person("accepted_by", optional=True),
        sa.Column("withdrawn_at", AT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
        sa.CheckConstraint(ROLES, name="role"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
    )
    op.create_index("ix_invitation_organisation_id", "invitation", ["organisation_id"])


def _sign_ins() -> None:
    op.create_table(
        "sign_in",
        _id(),
        _person(),
        _organisation(optional=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("completed_at", AT),
        sa.Column("last_seen_at", AT, nullable=False),
        sa.Column("ended_at", AT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id"])


def _links_and_codes() -> None:
    op.create_table(
        "one_time_token",
        _id(),
        _person(),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("used_at", AT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
        sa.CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="purpose"),
    )
    op.create_index("ix_one_time_token_person_id", "one_time_token", ["person_id"])
    op.create_table(
        "recovery_code",
        _id(),
        _person(),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", AT),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_recovery_code_person_id", "recovery_code", ["person_id"])


def _tokens() -> None:
    op.create_table(
        "api_token",
        _id(),
        _person(),
        _organisation(optional=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_with", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("last_used_at", AT),
        sa.Column("revoked_at", AT),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_api_token_person_id", "api_token", ["person_id"])
    op.create_table(
        "idempotency_record",
        sa.Column("token_id", sa.Uuid(), sa.ForeignKey("api_token.id"), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("token_id", "method", "path", "key"),
    )
    op.create_index("ix_idempotency_record_created_at", "idempotency_record", ["created_at"])
