"""Posteriors, authors, fits, evidence of skill and its history.

Why: what is believed of each label, and how far each author of labels can be trusted, is kept up
to date with each submission; what taught a skill is kept, so that an overturned verdict counts as
it stands, and what was known on earlier days stays.
Locks: `skill` exclusively while a column is added and filled, a second for a million rows.
Undo: `downgrade`; sums of skill stay, what they are made of is forgotten.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import append_only, one_of
from marketplace.quality.rules.ballots import AuthorKind
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


def _number(name: str, kind: sa.types.TypeEngine[object] | None = None) -> sa.Column[object]:
    return sa.Column(name, kind or sa.BigInteger(), nullable=False)


def _of_job() -> sa.Column[object]:
    return sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), nullable=False)


def _believe() -> None:
    op.create_table(
        "posterior",
        sa.Column("task_id", sa.Uuid(), sa.ForeignKey("task.id"), nullable=False),
        _number("unit", sa.Text()),
        _of_job(),
        _number("question", sa.Text()),
        _number("label", sa.Text()),
        _number("confidence", sa.Double()),
        _number("labels", ARRAY(sa.Text())),
        _number("probabilities", ARRAY(sa.Double())),
        *[_number(name) for name in ("n", "humans", "models")],
        _number("decided", sa.Boolean()),
        *[_number(name) for name in ("fit", "revision")],
        _number("updated_at", AT),
        sa.PrimaryKeyConstraint("task_id", "unit"),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1.000001", name="confidence"),
        sa.CheckConstraint("n = humans + models", name="n"),
    )
    where = ["job_id", "task_id", "unit"]
    op.create_index("ix_posterior_job_id", "posterior", where)
    op.create_index("ix_posterior_contested", "posterior", ["job_id", "confidence", *where[1:]])
    op.create_table(
        "label_author",
        _of_job(),
        _number("question", sa.Text()),
        _number("kind", sa.String(40)),
        _number("author", sa.Text()),
        _number("counts", ARRAY(sa.Double())),
        _number("n"),
        *[_number(name, sa.Double()) for name in ("reliability", "lower", "upper")],
        _number("fit"),
        _number("updated_at", AT),
        sa.PrimaryKeyConstraint("job_id", "question", "kind", "author"),
        sa.CheckConstraint("0 <= lower AND lower <= upper AND upper <= 1", name="bounds"),
        one_of("kind", AuthorKind),
    )


def _keep_fits() -> None:
    op.create_table(
        "question_fit",
        _of_job(),
        _number("question", sa.Text()),
        _number("labels", ARRAY(sa.Text())),
        _number("population", JSONB()),
        _number("accuracy", sa.Double()),
        _number("curve", JSONB()),
        _number("fit"),
        sa.PrimaryKeyConstraint("job_id", "question"),
    )
    op.create_table(
        "agreement",
        _of_job(),
        _number("unit", sa.Text()),
        _number("level", sa.Text()),
        _number("items"),
        _number("labels"),
        sa.Column("agreement_ratio", sa.Double()),
        _number("measures", JSONB()),
        _number("computed_at", AT),
        sa.PrimaryKeyConstraint("job_id", "unit"),
    )
    op.create_table(
        "job_fit",
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id"), primary_key=True),
        *[_number(name) for name in ("started", "fit", "submissions")],
        sa.Column("last_submission_id", sa.Uuid()),
        _number("pairs", JSONB()),
        _number("seconds", sa.Double()),
        sa.Column("computed_at", AT),
        sa.CheckConstraint("0 <= fit AND fit <= started", name="fit"),
    )


def upgrade() -> None:
    """Keep what taught each skill, what was known day by day, and what is believed of labels."""
    _weigh_skill()
    _keep_evidence()
    _believe()
    _keep_fits()


def downgrade() -> None:
    """Forget the evidence and the history; a skill counts whole pieces again."""
    for table in ("job_fit", "agreement", "question_fit", "label_author", "posterior"):
        op.drop_table(table)
    op.execute("DROP TABLE skill_point")
    op.execute("DROP FUNCTION skill_point_append_only()")
    op.drop_table("skill_evidence")
    op.drop_constraint(op.f("ck_skill_right"), "skill", type_="check")
    op.execute('UPDATE skill SET n = ceil("right")::bigint WHERE n < "right"')
    op.create_check_constraint(op.f("ck_skill_right"), "skill", '"right" BETWEEN 0 AND n')
    op.drop_column("skill", "weight")
