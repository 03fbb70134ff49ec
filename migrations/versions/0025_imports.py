"""More kinds of imports, archives, buckets, and marks of what was stored.

Why: an import reads many kinds of files, is looked at before it is read, says what it could not
carry over, reads zip files and buckets file by file, and passes over the parts of a file that an
earlier import of the job stored (`import_mark`). A job's key to a bucket is kept encrypted.
Locks: `job_import` and `rejected_row` for a moment; no row is written anew, as every new column
has a constant default, and both tables are small beside the items.
Undo: `downgrade`, which forgets imports that the former form cannot say: those of new kinds, those
that are held or were dropped. The items that they brought stay.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025_imports"
down_revision = "0024_versions"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
KINDS = (
    "jsonl csv parquet records archive label_studio doccano oasst prm800k tau_bench swe_agent "
    "sessions who_and_when messages coco voc"
)
STATES = "held waiting running done failed dropped"
STEPS = (
    "'held>waiting', 'held>dropped', 'waiting>running', 'waiting>failed', 'running>done', "
    "'running>failed'"
)
# Imports that the former form has no words for, and what of them could not be used.
FORGET = """WITH fresh AS (
    SELECT id FROM job_import
    WHERE kind IS NULL OR kind NOT IN ('jsonl', 'csv') OR state IN ('held', 'dropped')
  ), rows AS (DELETE FROM rejected_row WHERE import_id IN (SELECT id FROM fresh))
  DELETE FROM job_import WHERE id IN (SELECT id FROM fresh)"""
FORMER_STEPS = "'waiting>running', 'waiting>failed', 'running>done', 'running>failed'"
LIFECYCLE = """CREATE OR REPLACE FUNCTION job_import_lifecycle() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.state IN ({first}) THEN RETURN NEW; END IF;
  IF TG_OP = 'UPDATE' AND (OLD.state = NEW.state OR (OLD.state || '>' || NEW.state) IN ({pairs}))
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'job_import does not go to state %', NEW.state USING ERRCODE = 'check_violation';
END $$"""


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("source_url", sa.Text()),
        sa.Column("mapping", JSONB(), nullable=False, server_default="{}"),
        sa.Column("labels", sa.String(40), nullable=False, server_default="leave"),
        sa.Column("left_out", JSONB(), nullable=False, server_default="{}"),
        sa.Column("file_passed", sa.Text()),
        sa.Column("passed_bytes", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("total_bytes", sa.BigInteger()),
        sa.Column("images_added", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("images_known", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("chunks", sa.BigInteger(), nullable=False, server_default="0"),
    ]


def _member(column: str, values: str) -> None:
    listed = ", ".join(f"'{value}'" for value in values.split())
    name = op.f(f"ck_job_import_{column}")
    op.execute(f"ALTER TABLE job_import DROP CONSTRAINT IF EXISTS {name}")
    op.create_check_constraint(name, "job_import", f"{column} IN ({listed})")


def _finished(states: str) -> None:
    name = op.f("ck_job_import_finished")
    op.drop_constraint(name, "job_import", type_="check")
    rule = f"(state IN ({states})) = (finished_at IS NOT NULL)"
    op.create_check_constraint(name, "job_import", rule)


def upgrade() -> None:
    """Add the columns and the tables."""
    for column in _columns():
        op.add_column("job_import", column)
    op.alter_column("job_import", "kind", nullable=True)
    _member("kind", KINDS)
    _member("state", STATES)
    _member("labels", "prelabels gold leave")
    _finished("'done', 'failed', 'dropped'")
    op.execute(LIFECYCLE.format(first="'waiting', 'held'", pairs=STEPS))
    op.add_column("rejected_row", sa.Column("file", sa.Text()))
    op.create_table(
        "import_mark",
        sa.Column("import_id", sa.Uuid(), sa.ForeignKey("job_import.id"), nullable=False),
        sa.Column("start_bytes", sa.BigInteger(), nullable=False),
        sa.Column("end_bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "start_bytes"),
        sa.CheckConstraint("start_bytes < end_bytes", name="extent"),
    )
    op.create_table(
        "job_bucket",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("secret_access_key", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("set_at", AT, nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("job_bucket")
    op.drop_table("import_mark")
    op.execute(FORGET)
    op.drop_column("rejected_row", "file")
    op.execute(LIFECYCLE.format(first="'waiting'", pairs=FORMER_STEPS))
    _finished("'done', 'failed'")
    _member("state", "waiting running done failed")
    _member("kind", "jsonl csv")
    op.alter_column("job_import", "kind", nullable=False)
    op.drop_constraint(op.f("ck_job_import_labels"), "job_import", type_="check")
    for column in reversed(_columns()):
        op.drop_column("job_import", str(column.name))
