"""Skill, marks that link people, authors of items, how much of a job waits.

Why: jobs may ask for measured skill and for authors who have nothing in common; nobody judges
what they wrote; the feed shows first what was shown least.
Locks: `job`, for a moment; the default is constant. The tables are new.
Undo: `downgrade`, which forgets what was learned of people's skill and who lives with whom.
"""

import sqlalchemy as sa
from alembic import op

from marketplace.db import one_of
from marketplace.specialists.rules.links import LinkKind

revision = "0019_eligibility"
down_revision = "0018_qualification"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
SKILL_CHECKS = {
    "right": '"right" BETWEEN 0 AND n',
    "bounds": "0 <= lower AND lower <= mean AND mean <= 1",
}


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _key(name: str, target: str) -> sa.Column[sa.Uuid]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{target}.id"), primary_key=True)


def upgrade() -> None:
    """Create the tables and add the column."""
    op.create_table(
        "skill",
        _key("person_id", "person"),
        sa.Column("domain", sa.Text(), primary_key=True),
        sa.Column("task_type", sa.Text(), primary_key=True),
        _count("n"),
        _number("right"),
        _number("lower"),
        _number("mean"),
        sa.Column("updated_at", AT, nullable=False),
        *(sa.CheckConstraint(said, name=name) for name, said in SKILL_CHECKS.items()),
    )
    op.create_table(
        "person_link",
        _key("person_id", "person"),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("link_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("linked_at", AT, nullable=False),
        one_of("kind", LinkKind),
    )
    op.create_index("ix_person_link_kind_link_hash", "person_link", ["kind", "link_hash"])
    op.create_table(
        "item_author", _key("item_id", "item"), sa.Column("author", sa.Text(), primary_key=True)
    )
    op.create_table(
        "job_exposure",
        _key("job_id", "job"),
        _count("seats_open"),
        _count("seats_total"),
        sa.Column("counted_at", AT, nullable=False),
        sa.CheckConstraint("0 <= seats_open AND seats_open <= seats_total", name="seats"),
    )
    op.add_column(
        "job", sa.Column("items_authored", sa.Boolean(), nullable=False, server_default="false")
    )


def downgrade() -> None:
    """Drop the column and the tables."""
    op.drop_column("job", "items_authored")
    for table in ("job_exposure", "item_author", "person_link", "skill"):
        op.drop_table(table)
