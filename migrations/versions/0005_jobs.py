"""The tables of jobs: jobs, template versions, items with pre-labels, imports.

Why: the first version. Locks: nothing that exists, but the tables it refers to for a moment.
Undo: `downgrade` drops them with all jobs in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from marketplace.db import append_only

revision = "0005_jobs"
down_revision = "0004_specialists"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
RATIO = sa.Numeric(4, 3)
TEXTS = ARRAY(sa.Text())
# The states that may follow each other; the same table stands in the slice's rules.
LIFECYCLE = """CREATE FUNCTION {table}_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.state = '{first}' THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND (OLD.state = NEW.state OR (OLD.state || '>' || NEW.state) IN ({pairs}))
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION '{table} does not go to state %', NEW.state USING ERRCODE = 'check_violation';
END $$"""
TRIGGER = """CREATE TRIGGER {table}_lifecycle BEFORE INSERT OR UPDATE OF state ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_lifecycle()"""
JOB_STEPS = (
    "'draft>open', 'draft>closed', 'open>paused', 'open>closed', 'paused>open', 'paused>closed'"
)
IMPORT_STEPS = "'waiting>running', 'waiting>failed', 'running>done', 'running>failed'"


def _member(table: str, column: str, values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """Create them."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("job_number")))
    _job()
    _template_version()
    _item()
    _prelabel()
    _job_import()
    op.create_table(
        "rejected_row",
        sa.Column("import_id", sa.Uuid(), sa.ForeignKey("job_import.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    for statement in append_only("template_version"):
        op.execute(statement)
    for table, first, steps in (
        ("job", "draft", JOB_STEPS),
        ("job_import", "waiting", IMPORT_STEPS),
    ):
        op.execute(LIFECYCLE.format(table=table, first=first, pairs=steps))
        op.execute(TRIGGER.format(table=table))


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.Text(), nullable=False, unique=True),
        sa.Column("organisation_id", sa.Uuid(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("pause_reason", sa.String(40)),
        sa.Column("instructions_md", sa.Text(), nullable=False),
        sa.Column("profession", sa.Text()),
        sa.Column("specialties", TEXTS, nullable=False),
        sa.Column("credential_level_min", sa.BigInteger(), nullable=False),
        sa.Column("jurisdictions", TEXTS, nullable=False),
        sa.Column("languages", TEXTS, nullable=False),
        sa.Column("skill_min", RATIO),
        sa.Column("overlap_min", sa.BigInteger(), nullable=False),
        sa.Column("overlap_max", sa.BigInteger(), nullable=False),
        sa.Column("confidence_target", RATIO),
        sa.Column("pay_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("pay_per", sa.String(40), nullable=False),
        sa.Column("expected_seconds", sa.BigInteger(), nullable=False),
        sa.Column("time_cap_seconds", sa.BigInteger(), nullable=False),
        sa.Column("lease_seconds", sa.BigInteger(), nullable=False),
        sa.Column("review_sample_ratio", RATIO, nullable=False),
        sa.Column("ai_policy", sa.String(40), nullable=False),
        sa.Column("deadline_at", AT),
        sa.Column("fee_basis_points", sa.BigInteger()),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("items_seated", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("published_at", AT),
        sa.Column("closed_at", AT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_job_checks(),
    )
    op.create_index("ix_job_organisation_id_id", "job", ["organisation_id", "id"])
    op.create_index("ix_job_open", "job", ["id"], postgresql_where=sa.text("state = 'open'"))
    op.create_index(
        "ix_job_wants_seats",
        "job",
        ["id"],
        postgresql_where=sa.text("state = 'open' AND item_count > items_seated"),
    )


def _job_checks() -> list[sa.CheckConstraint]:
    return [
        _member("job", "purpose", "work qualification"),
        _member("job", "state", "draft open paused closed"),
        _member("job", "pause_reason", "lab money quality guideline operations"),
        _member("job", "pay_per", "task hour"),
        _member("job", "ai_policy", "forbidden disclosed free"),
        _check("job", "pause_has_reason", "(state = 'paused') = (pause_reason IS NOT NULL)"),
        _check("job", "closed_has_time", "(state = 'closed') = (closed_at IS NOT NULL)"),
        _check("job", "fee_is_frozen", "(published_at IS NULL) = (fee_basis_points IS NULL)"),
        _check(
            "job", "published", "state = 'closed' OR (state = 'draft') = (published_at IS NULL)"
        ),
        _check("job", "overlap", "1 <= overlap_min AND overlap_min <= overlap_max"),
        _check("job", "pay", "pay_minor >= 0"),
        _check("job", "credential_level_min", "credential_level_min BETWEEN 0 AND 4"),
        _check("job", "review_sample_ratio", "review_sample_ratio BETWEEN 0 AND 1"),
        _check("job", "items_seated", "0 <= items_seated AND items_seated <= item_count"),
    ]


def _template_version() -> None:
    op.create_table(
        "template_version",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("template", JSON(), nullable=False),
        sa.Column("template_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("instructions_md", sa.Text(), nullable=False),
        sa.Column("instructions_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.UniqueConstraint("job_id", "number"),
    )
    op.create_foreign_key(
        op.f("fk_job_template_version_id"),
        "job",
        "template_version",
        ["template_version_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )


def _item() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("payload", JSON(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sent_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("gold", JSON()),
        sa.UniqueConstraint("job_id", "external_id"),
        sa.UniqueConstraint("job_id", "position"),
    )


def _prelabel() -> None:
    op.create_table(
        "prelabel",
        sa.Column("item_id", sa.Uuid(), sa.ForeignKey("item.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("payload", JSON(), nullable=False),
        sa.Column("confidence", sa.Float()),
        sa.PrimaryKeyConstraint("item_id", "number"),
        sa.UniqueConstraint("item_id", "model", "version"),
        _check("prelabel", "confidence", "confidence BETWEEN 0 AND 1"),
    )


def _job_import() -> None:
    op.create_table(
        "job_import",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("storage_ref", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("read_bytes", sa.BigInteger(), nullable=False),
        sa.Column("read_lines", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("rejections_kept", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("finished_at", AT),
        _member("job_import", "kind", "jsonl csv"),
        _member("job_import", "state", "waiting running done failed"),
        _check("job_import", "failure", "(state = 'failed') = (failure IS NOT NULL)"),
        _check(
            "job_import",
            "finished",
            "(state IN ('done', 'failed')) = (finished_at IS NOT NULL)",
        ),
        _check("job_import", "rows_add_up", "rows_read = accepted + duplicates + rejected"),
    )
    op.create_index("ix_job_import_job_id_id", "job_import", ["job_id", "id"])


def downgrade() -> None:
    """Drop them all."""
    op.drop_table("rejected_row")
    op.drop_table("job_import")
    op.drop_table("prelabel")
    op.drop_table("item")
    op.drop_constraint("fk_job_template_version_id", "job", type_="foreignkey")
    op.drop_table("template_version")
    op.drop_table("job")
    op.execute(sa.schema.DropSequence(sa.Sequence("job_number")))
    for function in ("job_lifecycle", "job_import_lifecycle", "template_version_append_only"):
        op.execute(f"DROP FUNCTION {function}()")
