"""Evidence packs, signatures of rationales, and what people privately say they work with.

Why: what looks like dishonest work is a question to a person, with its figures, before anybody
says what it comes to; the database itself lets nothing be upheld before the person could answer,
nor without somebody who decides. Signatures are plain numbers; pgvector is used where it is there.
Locks: `control_firing` while its reference to packs is checked, of which there are none yet.
Undo: `downgrade`, which forgets all packs; no pay and no standing hangs on them.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL

from marketplace.db import lifecycle_guard, one_of
from marketplace.quality.rules.evidence_packs import NEXT_PACK, PackKind, PackOutcome, PackState

revision = "0038_integrity"
down_revision = "0037_gold"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
NO_JOB = "coalesce(job_id, '00000000-0000-0000-0000-000000000000'::uuid)"
FROZEN = (
    """CREATE FUNCTION evidence_content_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'what an evidence pack holds is frozen'
        USING ERRCODE = 'restrict_violation';
    END $$""",
    """CREATE TRIGGER evidence_content_frozen BEFORE UPDATE ON evidence_content
    FOR EACH ROW EXECUTE FUNCTION evidence_content_frozen()""",
)
# Who runs the migration may lack the right to add it; then texts are compared in Python.
VECTORS = """DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
    CREATE EXTENSION IF NOT EXISTS vector;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"""


def _to(table: str, name: str = "", *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    named = name or f"{table}_id"
    points = sa.ForeignKey(f"{table}.id")
    return sa.Column(named, sa.Uuid(), points, nullable=null and not key, primary_key=key)


def _packs() -> None:
    op.create_table(
        "evidence_pack",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        *(_to("person"), _to("job", null=True)),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("outcome", sa.String(40)),
        sa.Column("chance", sa.Float()),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("reached_at", AT, nullable=False),
        _to("person", "told_by", null=True),
        *(sa.Column("told_at", AT), sa.Column("reply_by", AT)),
        *(sa.Column("reply", sa.LargeBinary()), sa.Column("replied_at", AT)),
        sa.Column("note", sa.LargeBinary()),
        *(_to("person", "decided_by", null=True), sa.Column("decided_at", AT)),
        one_of("kind", PackKind),
        one_of("state", PackState),
        one_of("outcome", PackOutcome),
        *_checks(),
    )
    op.create_index(
        "uq_evidence_pack_open",
        "evidence_pack",
        ["person_id", "kind", sa.text(NO_JOB)],
        unique=True,
        postgresql_where=sa.text("state <> 'closed' AND kind <> 'rule'"),
    )
    op.create_index("ix_evidence_pack_state_id", "evidence_pack", ["state", "id"])
    op.create_index("ix_evidence_pack_person_id", "evidence_pack", ["person_id", "id"])
    op.create_index("ix_evidence_pack_job_id", "evidence_pack", ["job_id", "id"])
    op.create_index("ix_evidence_pack_group_id", "evidence_pack", ["group_id"])


def _checks() -> tuple[sa.CheckConstraint, ...]:
    """A person tells, a person closes, and nothing is upheld before the right of reply."""
    check = sa.CheckConstraint
    return (
        check("(state = 'closed') = (outcome IS NOT NULL)", name="outcome_at_the_end"),
        check("(state = 'closed') = (decided_by IS NOT NULL)", name="by_a_person"),
        check("(state = 'closed') = (decided_at IS NOT NULL)", name="decided"),
        check("decided_by <> person_id AND told_by <> person_id", name="not_own"),
        check("(told_at IS NULL) = (reply_by IS NULL)", name="told"),
        check("(told_at IS NULL) = (told_by IS NULL)", name="told_by_a_person"),
        check("state NOT IN ('told', 'answered') OR told_at IS NOT NULL", name="asked"),
        check("state <> 'answered' OR replied_at IS NOT NULL", name="answered"),
        check(
            "outcome IS NULL OR outcome = 'nothing' OR told_at IS NOT NULL", name="right_of_reply"
        ),
        check(
            "outcome IS DISTINCT FROM 'upheld'"
            " OR coalesce(replied_at IS NOT NULL OR decided_at >= reply_by, false)",
            name="upheld_after_reply",
        ),
    )


def _contents() -> None:
    op.create_table(
        "evidence_content",
        _to("evidence_pack", "pack_id", key=True),
        *(sa.Column(name, JSONB(), nullable=False) for name in ("numbers", "rows", "together")),
        sa.Column("people", ARRAY(sa.Uuid()), nullable=False),
    )
    op.create_table(
        "rationale_signature",
        _to("submission", key=True),
        *(_to("job"), _to("person")),
        sa.Column("signature", ARRAY(REAL()), nullable=False),
    )
    op.create_index(
        "ix_rationale_signature_job_id", "rationale_signature", ["job_id", "submission_id"]
    )
    op.create_index("ix_rationale_signature_person_id", "rationale_signature", ["person_id"])
    op.create_table(
        "near_text",
        *(_to("submission", key=True), _to("submission", "other_id", key=True), _to("job")),
    )
    op.create_index("ix_near_text_job_id", "near_text", ["job_id"])
    op.create_index("ix_near_text_other_id", "near_text", ["other_id"])
    op.create_table(
        "accommodation",
        _to("person", key=True),
        sa.Column("kinds", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", AT, nullable=False),
    )


def upgrade() -> None:
    """Create the tables with their guards, and use pgvector where the server has it."""
    _packs()
    _contents()
    for statement in (*lifecycle_guard("evidence_pack", NEXT_PACK), *FROZEN):
        op.execute(statement)
    op.create_foreign_key(
        op.f("fk_control_firing_evidence_pack_id"),
        *("control_firing", "evidence_pack", ["evidence_pack_id"], ["id"]),
    )
    op.execute(VECTORS)


def downgrade() -> None:
    """Drop them; the extension stays, since others may use it."""
    op.drop_constraint(
        op.f("fk_control_firing_evidence_pack_id"), "control_firing", type_="foreignkey"
    )
    op.execute("UPDATE control_firing SET evidence_pack_id = NULL")
    tables = ("accommodation", "near_text", "rationale_signature", "evidence_content")
    for table in (*tables, "evidence_pack"):
        op.drop_table(table)
    for function in ("evidence_content_frozen", "evidence_pack_lifecycle"):
        op.execute(f"DROP FUNCTION {function}()")
