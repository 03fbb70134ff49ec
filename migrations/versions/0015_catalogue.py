"""The catalogue as rows, and what claims of credentials need beside: proposals, renewals, files.

Why: operations adds professions and credential types without a release; some decisions need two
people; a licence is renewed while the old one holds; evidence files are kept encrypted for a time.
Locks: `credential_claim` and `credential_case` for a moment while their checks, the unique index
and a foreign key are made anew; the tables are small beside those of work.
Undo: `downgrade`; it refuses while a claim is withdrawn, since the former version has no such
state.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.specialists.rules import catalogue_rows

revision = "0015_catalogue"
down_revision = "0014_terms"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text())
KEY = "key ~ '^[a-z][a-z0-9_]{0,59}$'"
FORMER_STATES = "claimed checking verified expiring_soon expired suspended revoked blocked"
FORMER_STEPS = """
  claimed>checking
  checking>verified checking>suspended checking>revoked
  verified>expiring_soon verified>expired verified>suspended verified>revoked
  expiring_soon>verified expiring_soon>expired expiring_soon>suspended expiring_soon>revoked
  expired>checking expired>verified expired>revoked
  suspended>verified suspended>expired suspended>revoked
  revoked>checking
  blocked>checking blocked>revoked
"""
NEW_STEPS = (
    "claimed>withdrawn checking>withdrawn blocked>withdrawn checking>expired revoked>blocked"
)
GONE_STEP = "blocked>revoked"
UNIQUE = "uq_credential_claim_identifier"
OUTCOMES = "verify reject suspend revoke reopen"


def _listed(values: str) -> str:
    return ", ".join(f"'{value}'" for value in values.split())


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, target: str, *, primary: bool = False) -> sa.Column[str]:
    reference = sa.ForeignKey(f"{target}.key", name=op.f(f"fk_{table}_{target}"))
    return sa.Column(target, sa.Text(), reference, primary_key=primary, nullable=False)


def _refers(table: str, column: str, to: str, *, nullable: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey(to, name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, sa.Uuid(), reference, nullable=nullable)


def upgrade() -> None:
    """Make the catalogue and fill it, then let claims refer to it."""
    _catalogue()
    _fill()
    _claims()
    _proposals()
    _renewals()
    _files()


def _catalogue() -> None:
    op.create_table(
        "catalogue_version",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Uuid(), nullable=False),
        _check("catalogue_version", "only_one", "id = 1"),
    )
    op.create_table(
        "profession",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", AT),
        _check("profession", "key", KEY),
    )
    op.create_table(
        "specialty",
        _key("specialty", "profession", primary=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("nucc_codes", TEXTS, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", AT),
        _check("specialty", "key", KEY),
    )
    op.create_table(
        "credential_type",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        _key("credential_type", "profession"),
        sa.Column("jurisdictions", TEXTS, nullable=False),
        sa.Column("formats", JSONB(), nullable=False),
        sa.Column("look_up", JSONB(), nullable=False),
        sa.Column("verifiers", TEXTS, nullable=False),
        sa.Column("checklist", JSONB(), nullable=False),
        sa.Column("sold_level", sa.BigInteger(), nullable=False),
        sa.Column("auto_verify", sa.Boolean(), nullable=False),
        sa.Column("two_person", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.Boolean(), nullable=False),
        sa.Column("reverify_days", sa.BigInteger(), nullable=False),
        sa.Column("evidence_days", sa.BigInteger(), nullable=False),
        sa.Column("claimable", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", AT),
        _check("credential_type", "key", KEY),
        _check("credential_type", "sold_level", "sold_level BETWEEN 2 AND 4"),
        _check("credential_type", "reverify_days", "reverify_days BETWEEN 1 AND 1095"),
        _check("credential_type", "evidence_days", "evidence_days BETWEEN 1 AND 3650"),
    )


def _fill() -> None:
    """Copy the first rows; from here on the tables are the catalogue."""
    metadata = sa.MetaData()
    for name, rows in (
        ("profession", catalogue_rows.profession_rows()),
        ("specialty", catalogue_rows.specialty_rows()),
        ("credential_type", catalogue_rows.type_rows()),
    ):
        op.bulk_insert(sa.Table(name, metadata, autoload_with=op.get_bind()), rows)
    op.execute("INSERT INTO catalogue_version VALUES (1, gen_random_uuid())")
    # Retired, never deleted: the words of what is stored must stay known.
    op.execute(
        """DO $$ BEGIN EXECUTE format(
          'REVOKE DELETE, TRUNCATE ON catalogue_version, profession, specialty, credential_type '
          'FROM %1$I', current_setting('marketplace.app_role')); END $$"""
    )


def _claims() -> None:
    # A blocked claim never becomes revoked: it would then hold an identifier that another holds.
    steps = FORMER_STEPS.replace(GONE_STEP, "") + NEW_STEPS
    _states(FORMER_STATES + " withdrawn", steps, "'blocked', 'withdrawn'")
    op.add_column("credential_claim", sa.Column("recheck_asked_at", AT))
    for column, target in (("type", "credential_type"), ("profession", "profession")):
        name = op.f(f"fk_credential_claim_{column}")
        op.create_foreign_key(name, "credential_claim", target, [column], ["key"])
    op.add_column("credential_case", sa.Column("outcome", sa.String(40)))
    op.add_column("credential_case", sa.Column("note", sa.LargeBinary()))
    op.execute("UPDATE credential_case SET outcome = 'settled' WHERE closed_at IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_credential_case_outcome"),
        "credential_case",
        f"outcome IN ({_listed('settled claimant_holds holder_holds same_person')})",
    )
    op.create_check_constraint(
        op.f("ck_credential_case_settled"),
        "credential_case",
        "(closed_at IS NULL) = (outcome IS NULL)",
    )


def _states(states: str, steps: str, free: str) -> None:
    """The states there are, the steps between them, and those in which an identifier is free."""
    for table in ("credential_claim", "credential_change"):
        op.drop_constraint(op.f(f"ck_{table}_state"), table)
        op.create_check_constraint(
            op.f(f"ck_{table}_state"), table, f"state IN ({_listed(states)})"
        )
    op.drop_index(UNIQUE, "credential_claim")
    op.create_index(
        UNIQUE,
        "credential_claim",
        ["type", "jurisdiction", "identifier_hash"],
        unique=True,
        postgresql_where=sa.text(f"state NOT IN ({free})" if "," in free else f"state <> {free}"),
    )
    op.execute(
        f"""CREATE OR REPLACE FUNCTION credential_claim_lifecycle() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'INSERT' AND NEW.state IN ('claimed', 'blocked') THEN RETURN NEW; END IF;
          IF TG_OP = 'UPDATE'
             AND (OLD.state = NEW.state OR (OLD.state || '>' || NEW.state) IN ({_listed(steps)}))
          THEN RETURN NEW; END IF;
          RAISE EXCEPTION 'credential_claim does not go to state %', NEW.state
            USING ERRCODE = 'check_violation';
        END $$"""
    )


def _proposals() -> None:
    table = "credential_proposal"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _refers(table, "claim_id", "credential_claim.id"),
        _refers(table, "person_id", "person.id"),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("checklist", TEXTS, nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("note", sa.LargeBinary()),
        sa.Column("proposed_at", AT, nullable=False),
        _refers(table, "settled_by", "person.id", nullable=True),
        sa.Column("settled_at", AT),
        sa.Column("agreed", sa.Boolean()),
        sa.Column("settled_note", sa.LargeBinary()),
        _check(table, "outcome", f"outcome IN ({_listed(OUTCOMES)})"),
        _check(table, "level", "level BETWEEN 0 AND 4"),
        _check(table, "two_people", "settled_by <> person_id OR agreed IS NOT TRUE"),
        _check(table, "settled", "(settled_at IS NULL) = (agreed IS NULL)"),
    )
    op.create_index(
        "uq_credential_proposal_open",
        table,
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_credential_proposal_claim_id", table, ["claim_id"])


def _renewals() -> None:
    table = "credential_renewal"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _refers(table, "claim_id", "credential_claim.id"),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("settled_at", AT),
        _refers(table, "settled_by", "person.id", nullable=True),
        sa.Column("granted", sa.Boolean()),
        _check(table, "settled", "(settled_at IS NULL) = (granted IS NULL)"),
    )
    op.create_index(
        "uq_credential_renewal_open",
        table,
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_credential_renewal_claim_id", table, ["claim_id"])


def _files() -> None:
    table = "evidence_file"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _refers(table, "claim_id", "credential_claim.id"),
        _refers(table, "person_id", "person.id"),
        sa.Column("name", sa.LargeBinary()),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("file_key", sa.LargeBinary()),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("kept_until", sa.Date(), nullable=False),
        sa.Column("purged_at", AT),
        _check(
            table,
            "media_type",
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg')",
        ),
        _check(table, "purged", "(purged_at IS NULL) = (file_key IS NOT NULL)"),
    )
    op.create_index("ix_evidence_file_claim_id", table, ["claim_id"])
    op.create_index(
        "ix_evidence_file_kept",
        table,
        ["kept_until"],
        postgresql_where=sa.text("purged_at IS NULL"),
    )


def downgrade() -> None:
    """Drop it all; stored files stay in the store without their keys, so nobody can read them."""
    for table in ("evidence_file", "credential_renewal", "credential_proposal"):
        op.drop_table(table)
    for name in ("outcome", "settled"):
        op.drop_constraint(op.f(f"ck_credential_case_{name}"), "credential_case")
    op.drop_column("credential_case", "note")
    op.drop_column("credential_case", "outcome")
    for column in ("type", "profession"):
        op.drop_constraint(op.f(f"fk_credential_claim_{column}"), "credential_claim")
    op.drop_column("credential_claim", "recheck_asked_at")
    _states(FORMER_STATES, FORMER_STEPS, "'blocked'")
    for table in ("credential_type", "specialty", "profession", "catalogue_version"):
        op.drop_table(table)
