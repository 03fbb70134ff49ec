"""Posteriors, authors, fits, evidence of skill and its history.

Why: what is believed of each label, and how far each author of labels can be trusted, is kept up
to date with each submission; what taught a skill is kept, so that an overturned verdict counts as
it stands, and what was known on earlier days stays.
Locks: `skill` exclusively while a column is added and filled, a second for a million rows.
Undo: `downgrade`; sums of skill stay, what they are made of is forgotten.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import append_only, one_of
from marketplace.quality.rules.evidence import EvidenceSource

revision = "0036_quality"
down_revision = "0035_late_finds"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def _whose() -> list[sa.Column[object]]:
    return [
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
    ]


def _weigh_skill() -> None:
    op.add_column("skill", sa.Column("weight", sa.Float(), nullable=True))
    op.execute("UPDATE skill SET weight = n")
    op.alter_column("skill", "weight", nullable=False)
    op.drop_constraint(op.f("ck_skill_right"), "skill", type_="check")
    op.create_check_constraint(
        op.f("ck_skill_right"), "skill", '0 <= n AND 0 <= "right" AND "right" <= weight'
    )


def _keep_evidence() -> None:
    op.create_table(
        "skill_evidence",
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        *_whose(),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("agreement", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("learned_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("source", "source_id"),
        one_of("source", EvidenceSource),
        sa.CheckConstraint("agreement BETWEEN 0 AND 1", name="agreement"),
        sa.CheckConstraint("weight > 0 AND pieces >= 1", name="weight"),
    )
    op.create_index(
        "ix_skill_evidence_person_id",
        "skill_evidence",
        ["person_id", "domain", "task_type", "learned_at"],
    )
    op.create_table(
        "skill_point",
        *_whose(),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("right", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "domain", "task_type", "on_date"),
    )
    for statement in append_only("skill_point"):
        op.execute(statement)


def upgrade() -> None:
    """Keep what taught each skill, and what was known of it day by day."""
    _weigh_skill()
    _keep_evidence()


def downgrade() -> None:
    """Forget the evidence and the history; a skill counts whole pieces again."""
    op.execute("DROP TABLE skill_point")
    op.execute("DROP FUNCTION skill_point_append_only()")
    op.drop_table("skill_evidence")
    op.drop_constraint(op.f("ck_skill_right"), "skill", type_="check")
    op.execute('UPDATE skill SET n = ceil("right")::bigint WHERE n < "right"')
    op.create_check_constraint(op.f("ck_skill_right"), "skill", '"right" BETWEEN 0 AND n')
    op.drop_column("skill", "weight")
