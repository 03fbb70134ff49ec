"""Exports as of an event: parts, manifests, increments, delivery to buckets.

Why: a file must hold what had happened up to one event of its job and be the same whenever it is
written; a lost worker goes on at the last part; files are kept for a time and then deleted. What
may change later (who holds which credential, what is believed) is kept with the export.
Locks: the table of exports, for a moment, to add columns that are empty or have a constant; it
has a row a file. Undo: `downgrade`; files of expired exports cannot be told from lost ones then,
so their rows become failed ones.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0053_exports"
down_revision = "0052_corrections"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
STEPS = ("queued>running", "queued>failed", "running>done", "running>failed", "failed>running")
MORE_STEPS = (*STEPS, "failed>queued", "done>expired", "expired>queued")
STATES = ("queued", "running", "done", "failed")
GUARD = """CREATE OR REPLACE FUNCTION export_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IS DISTINCT FROM OLD.state
     AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[{steps}]::text[]) THEN
    RAISE EXCEPTION 'export cannot go from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("mark_id", sa.Uuid()),
        sa.Column("as_of_event", sa.BigInteger()),
        sa.Column("since_id", sa.Uuid(), sa.ForeignKey("export.id")),
        sa.Column("compression", sa.String(40), nullable=False, server_default="none"),
        sa.Column("frozen", JSONB()),
        sa.Column("manifest", JSONB()),
        sa.Column("deliver_to", sa.Text()),
        sa.Column("delivery_state", sa.String(40)),
        sa.Column("delivery_failure", sa.Text()),
        sa.Column("delivered_at", AT),
        sa.Column("upload", JSONB()),
        sa.Column("expires_at", AT),
    ]


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _of_export() -> sa.Column[object]:
    return sa.Column("export_id", sa.Uuid(), sa.ForeignKey("export.id"), primary_key=True)


def upgrade() -> None:
    """Add the columns, let files expire, and create the tables beside."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in _columns():
        op.add_column("export", column)
    op.drop_constraint("ck_export_state", "export")
    op.create_check_constraint("state", "export", f"state IN ({_listed((*STATES, 'expired'))})")
    op.drop_constraint("ck_export_done_has_hash", "export")
    for name, condition in (
        ("done_has_hash", "state <> 'done' OR sha256 IS NOT NULL"),
        ("compression", "compression IN ('none', 'gzip')"),
        ("delivery_state", "delivery_state IN ('waiting', 'sending', 'delivered', 'failed')"),
        ("delivery_has_state", "(deliver_to IS NULL) = (delivery_state IS NULL)"),
        ("since_another", "since_id <> id"),
    ):
        op.create_check_constraint(name, "export", condition)
    op.execute(GUARD.format(steps=_listed(MORE_STEPS)))
    op.create_index(
        "ix_export_expires_at", "export", ["expires_at"],
        postgresql_where=sa.text("state = 'done'"),
    )  # fmt: skip
    _create_parts()
    _create_frozen()


def _create_parts() -> None:
    op.create_table(
        "export_part",
        _of_export(),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("index_sha256", sa.Text(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("written_at", AT, nullable=False),
    )


def _create_frozen() -> None:
    op.create_table(
        "export_author",
        _of_export(),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("since", AT, primary_key=True),
        sa.Column("shown", JSONB(), nullable=False),
    )
    op.create_table(
        "export_belief",
        _of_export(),
        sa.Column("item_id", sa.Uuid(), sa.ForeignKey("item.id"), primary_key=True),
        sa.Column("units", JSONB(), nullable=False),
        sa.Column("adjudication_id", sa.Uuid(), sa.ForeignKey("adjudication.id")),
    )


def downgrade() -> None:
    """Drop all of it; what had expired reads as failed."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("export_belief", "export_author", "export_part"):
        op.drop_table(table)
    op.drop_index("ix_export_expires_at", "export")
    op.execute("ALTER TABLE export DISABLE TRIGGER export_lifecycle")
    op.execute("UPDATE export SET state = 'failed', sha256 = NULL WHERE state = 'expired'")
    op.execute("UPDATE export SET sha256 = NULL WHERE state <> 'done'")
    op.execute("ALTER TABLE export ENABLE TRIGGER export_lifecycle")
    for name in ("since_another", "delivery_has_state", "delivery_state", "compression"):
        op.drop_constraint(f"ck_export_{name}", "export")
    for name, condition in (
        ("state", f"state IN ({_listed(STATES)})"),
        ("done_has_hash", "(state = 'done') = (sha256 IS NOT NULL)"),
    ):
        op.drop_constraint(f"ck_export_{name}", "export")
        op.create_check_constraint(name, "export", condition)
    op.execute(GUARD.format(steps=_listed(STEPS)))
    for column in reversed(_columns()):
        op.drop_column("export", column.name)
