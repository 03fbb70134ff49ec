"""The tables of specialists: profiles, credential claims, verification runs, cases.

Why: the first version. Locks: nothing that exists, but `person` for a moment, to refer to it.
Undo: `downgrade` drops them with all credentials in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import append_only

revision = "0004_specialists"
down_revision = "0003_ledger"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text())
STATES = "claimed checking verified expiring_soon expired suspended revoked blocked"
# The states that may follow each other; the same table stands in the slice's rules.
STEPS = """
  'claimed>checking',
  'checking>verified', 'checking>suspended', 'checking>revoked',
  'verified>expiring_soon', 'verified>expired', 'verified>suspended', 'verified>revoked',
  'expiring_soon>verified', 'expiring_soon>expired', 'expiring_soon>suspended',
  'expiring_soon>revoked',
  'expired>checking', 'expired>verified', 'expired>revoked',
  'suspended>verified', 'suspended>expired', 'suspended>revoked',
  'revoked>checking',
  'blocked>checking', 'blocked>revoked'
"""
LIFECYCLE = f"""CREATE FUNCTION credential_claim_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.state IN ('claimed', 'blocked') THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND (OLD.state = NEW.state OR (OLD.state || '>' || NEW.state) IN ({STEPS}))
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'credential_claim does not go to state %', NEW.state
    USING ERRCODE = 'check_violation';
END $$"""
TRIGGER = """CREATE TRIGGER credential_claim_lifecycle
BEFORE INSERT OR UPDATE OF state ON credential_claim
FOR EACH ROW EXECUTE FUNCTION credential_claim_lifecycle()"""


def _member(table: str, column: str, values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _person(column: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(column, sa.Uuid(), sa.ForeignKey("person.id"), nullable=nullable)


def _claim(column: str) -> sa.Column[object]:
    return sa.Column(column, sa.Uuid(), sa.ForeignKey("credential_claim.id"), nullable=False)


def upgrade() -> None:
    """Create them."""
    _profile()
    _credential_claim()
    _verification_run()
    _credential_change()
    _credential_case()
    op.execute(LIFECYCLE)
    op.execute(TRIGGER)
    for table in ("verification_run", "credential_change"):
        for statement in append_only(table):
            op.execute(statement)


def _profile() -> None:
    op.create_table(
        "specialist_profile",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("professions", TEXTS, nullable=False),
        sa.Column("languages", TEXTS, nullable=False),
        sa.Column("jurisdictions", TEXTS, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("works_from", sa.BigInteger()),
        sa.Column("works_until", sa.BigInteger()),
        sa.Column("daily_minutes_max", sa.BigInteger()),
        sa.Column("country", sa.CHAR(2)),
        sa.Column("payout_currency", sa.CHAR(3), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("changed_at", AT, nullable=False),
    )


def _credential_claim() -> None:
    table = "credential_claim"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _person("person_id", nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("specialties", TEXTS, nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("identifier", sa.LargeBinary()),
        sa.Column("identifier_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("checked_at", AT),
        _person("decided_by"),
        sa.Column("created_at", AT, nullable=False),
        _member(table, "state", STATES),
        _check(table, "level", "level BETWEEN 0 AND 4"),
        _check(table, "not_by_oneself", "decided_by <> person_id"),
        _check(
            table,
            "verified_is_checked",
            "state NOT IN ('verified', 'expiring_soon') OR (level >= 2 AND checked_at IS NOT NULL)",
        ),
    )
    op.create_index(
        "uq_credential_claim_identifier",
        table,
        ["type", "jurisdiction", "identifier_hash"],
        unique=True,
        postgresql_where=sa.text("state <> 'blocked'"),
    )
    op.create_index("ix_credential_claim_person_id", table, ["person_id"])
    op.create_index("ix_credential_claim_state_id", table, ["state", "id"])
    op.create_index(
        "ix_credential_claim_holding",
        table,
        ["profession", "person_id"],
        postgresql_where=sa.text("state IN ('verified', 'expiring_soon')"),
    )


def _verification_run() -> None:
    op.create_table(
        "verification_run",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _claim("claim_id"),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("observed", JSONB(), nullable=False),
        sa.Column("match", JSONB(), nullable=False),
        sa.Column("reasons", TEXTS, nullable=False),
        _person("person_id"),
        sa.Column("ran_at", AT, nullable=False),
        _member("verification_run", "outcome", "pass fail inconclusive unavailable"),
    )
    op.create_index("ix_verification_run_claim_id_id", "verification_run", ["claim_id", "id"])
    op.create_table(
        "verification_evidence",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("verification_run.id"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_version", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("sha256", sa.Text()),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("retrieved_at", AT, nullable=False),
    )
    op.create_index("ix_verification_evidence_run_id", "verification_evidence", ["run_id"])


def _credential_change() -> None:
    op.create_table(
        "credential_change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _claim("claim_id"),
        sa.Column("at", AT, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", AT),
        sa.Column("reason", sa.Text()),
        _person("person_id"),
        _member("credential_change", "state", STATES),
    )
    op.create_index("ix_credential_change_claim_id_at", "credential_change", ["claim_id", "at"])


def _credential_case() -> None:
    op.create_table(
        "credential_case",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        _claim("claim_id"),
        _claim("other_claim_id"),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("closed_at", AT),
        _person("closed_by"),
        _member("credential_case", "kind", "same_identifier"),
        _check("credential_case", "closed", "(closed_at IS NULL) = (closed_by IS NULL)"),
    )
    op.create_index("ix_credential_case_claim_id", "credential_case", ["claim_id"])
    op.create_index(
        "ix_credential_case_open",
        "credential_case",
        ["id"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    """Drop them all."""
    for table in (
        "credential_case",
        "credential_change",
        "verification_evidence",
        "verification_run",
        "credential_claim",
        "specialist_profile",
    ):
        op.drop_table(table)
    for function in (
        "credential_claim_lifecycle",
        "verification_run_append_only",
        "credential_change_append_only",
    ):
        op.execute(f"DROP FUNCTION {function}()")
