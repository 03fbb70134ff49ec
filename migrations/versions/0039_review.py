"""Rules of review, lots with their chances, second looks, the brake on rejections, adjudication.

Why: a lab says how soon it decides and how often somebody else looks; each answer keeps why and
how likely it was drawn; nobody decides on the work of somebody of their own organisation, which
the database asks of every verdict.
Locks: `decision` for a moment, for a trigger; `submission`, `job`, `task` and `person` for the
foreign keys. Answers that wait already get seven days from now.
Undo: `downgrade`, which forgets lots, looks, holds and what adjudicators said; verdicts stay.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from marketplace.db import lifecycle_guard, one_of
from marketplace.review.rules import (
    NEXT_ADJUDICATION,
    NEXT_BRAKE,
    NEXT_HELD,
    NEXT_SECOND_LOOK,
    AdjudicationCause,
    AdjudicationState,
    BrakeState,
    EndedBy,
    HeldState,
    SecondLookState,
    Verdict,
)

revision = "0039_review"
down_revision = "0038_integrity"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
TABLES = (
    "adjudication",
    "held_decision",
    "brake",
    "second_look",
    "review_watch",
    "review_draw",
    "review_policy",
)
GUARDED = {
    "adjudication": NEXT_ADJUDICATION,
    "held_decision": NEXT_HELD,
    "brake": NEXT_BRAKE,
    "second_look": NEXT_SECOND_LOOK,
}
# As `routing` compares a declared employer with the name of a lab.
KEY = r"""regexp_replace(regexp_replace(lower({name}), '\m(incorporated|inc|llc|ltd|limited|gmbh|ag'
  '|plc|corporation|corp|company|co|sarl|sas|sa|srl|bv|nv|kg|ug|se|llp|pllc|lp|pc|pty)\M', '', 'g'),
  '[^[:alnum:]]+', '', 'g')"""
# The names of the organisations of a person: as a member, and as they declared their employers.
NAMES = f"""SELECT {KEY.format(name="o.name")} FROM membership m
    JOIN organisation o ON o.id = m.organisation_id WHERE m.person_id = {{person}}
  UNION SELECT {KEY.format(name="e.name")} FROM specialist_profile p,
    unnest(p.employers) AS e(name) WHERE p.person_id = {{person}}"""  # noqa: S608 - our own names.
SHARES = f"""CREATE FUNCTION shares_organisation(one uuid, other uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM membership a JOIN membership b ON b.organisation_id = a.organisation_id
    WHERE a.person_id = one AND b.person_id = other
  ) OR EXISTS (
    SELECT FROM ({NAMES.format(person="one")}) AS mine(name)
    JOIN ({NAMES.format(person="other")}) AS theirs(name) ON mine.name = theirs.name
    WHERE mine.name <> ''
  )
$$"""  # noqa: S608 - our own names.
REFUSE = """CREATE FUNCTION {table}_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {wrong} THEN
    RAISE EXCEPTION 'reviewer_of_same_organisation' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
BY_REVIEWER = "NEW.reviewer_id IS NOT NULL AND shares_organisation(NEW.reviewer_id, NEW.author_id)"
APART = {
    "decision": BY_REVIEWER,
    "second_look": BY_REVIEWER,
    # What is let go is told to nobody, whoever its reviewer shares an organisation with by then.
    "held_decision": f"NEW.state <> 'dropped' AND {BY_REVIEWER}",
    "adjudication": """NEW.adjudicator_id IS NOT NULL AND EXISTS (
      SELECT FROM submission s WHERE s.task_id = NEW.task_id
      AND (s.specialist_id = NEW.adjudicator_id
           OR shares_organisation(s.specialist_id, NEW.adjudicator_id)))""",
}


def _key(table: str, column: str, target: str, *, nullable: bool = False) -> sa.Column[sa.Uuid]:
    reference = sa.ForeignKey(f"{target}.id", name=op.f(f"fk_{table}_{column}"))
    return sa.Column(column, sa.Uuid(), reference, nullable=nullable)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, AT, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _state(name: str = "state", *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(40), nullable=nullable)


def upgrade() -> None:
    """Make the tables with their guards, and give what waits its dates."""
    _make_policy()
    _make_lots()
    _make_second_looks()
    _make_brake()
    _make_held_decisions()
    _make_adjudication()
    op.execute(SHARES)
    for table, wrong in APART.items():
        op.execute(REFUSE.format(table=table, wrong=wrong))
        op.execute(
            f"CREATE TRIGGER {table}_apart BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_apart()"
        )
    for table, steps in GUARDED.items():
        for statement in lifecycle_guard(table, steps):
            op.execute(statement)
    op.execute(
        """INSERT INTO review_draw
          (submission_id, job_id, chance, reasons, formula, sampled, drawn_at, due_at)
        SELECT s.id, s.job_id, CASE WHEN s.round > 1 OR j.review_sample_ratio = 0 THEN 1
          ELSE j.review_sample_ratio END, '{}', 1, true, now(), now() + interval '7 days'
        FROM submission s JOIN job j ON j.id = s.job_id
        WHERE s.state IN ('in_review', 'surplus_in_review')"""
    )


def _make_policy() -> None:
    table = "review_policy"
    op.create_table(
        table,
        sa.Column(
            "job_id",
            sa.Uuid(),
            sa.ForeignKey("job.id", name=op.f(f"fk_{table}_job_id")),
            primary_key=True,
        ),
        sa.Column("days_max", sa.BigInteger(), nullable=False),
        sa.Column("second_look_ratio", sa.Numeric(4, 3), nullable=False),
        sa.Column("adjudicates", sa.Boolean(), nullable=False),
        _key(table, "changed_by", "person"),
        _at("changed_at"),
        _check(table, "days_max", "days_max BETWEEN 1 AND 30"),
        _check(table, "second_look_ratio", "second_look_ratio BETWEEN 0 AND 1"),
    )
    table = "review_watch"
    op.create_table(
        table,
        _key(table, "job_id", "job"),
        _key(table, "person_id", "person"),
        sa.Column("left", sa.BigInteger(), nullable=False),
        _text("why"),
        _at("set_at"),
        sa.PrimaryKeyConstraint("job_id", "person_id"),
        _check(table, "left", '"left" >= 0'),
    )


def _make_lots() -> None:
    table = "review_draw"
    op.create_table(
        table,
        sa.Column(
            "submission_id",
            sa.Uuid(),
            sa.ForeignKey("submission.id", name=op.f(f"fk_{table}_submission_id")),
            primary_key=True,
        ),
        _key(table, "job_id", "job"),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Text()), nullable=False),
        sa.Column("formula", sa.BigInteger(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        _at("drawn_at"),
        _at("due_at", nullable=True),
        _at("ended_at", nullable=True),
        _state("ended_by", nullable=True),
        _check(table, "chance", "chance BETWEEN 0 AND 1"),
        _check(table, "sampled", "NOT sampled OR chance > 0"),
        _check(table, "due", "sampled = (due_at IS NOT NULL)"),
        _check(table, "ended", "(ended_at IS NULL) = (ended_by IS NULL)"),
        one_of("ended_by", EndedBy),
    )
    op.create_index("ix_review_draw_job_id", table, ["job_id", "submission_id"])
    op.create_index(
        "ix_review_draw_due",
        table,
        ["due_at"],
        postgresql_where=sa.text("sampled AND ended_at IS NULL"),
    )


def _make_second_looks() -> None:
    table = "second_look"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "decision_id", "decision"),
        _key(table, "submission_id", "submission"),
        _key(table, "job_id", "job"),
        _key(table, "author_id", "person"),
        _key(table, "first_reviewer_id", "person"),
        _state(),
        _at("opened_at"),
        _at("due_at"),
        _key(table, "reviewer_id", "person", nullable=True),
        _state("verdict", nullable=True),
        _text("note", nullable=True),
        sa.Column("defects", JSONB()),
        _at("ended_at", nullable=True),
        one_of("state", SecondLookState),
        one_of("verdict", Verdict),
        sa.UniqueConstraint("decision_id"),
        sa.UniqueConstraint("submission_id"),
        _check(table, "somebody_else", "reviewer_id NOT IN (first_reviewer_id, author_id)"),
        _check(table, "ended", "(state = 'open') = (ended_at IS NULL)"),
        _check(table, "reviewer", "(state IN ('upheld', 'disagreed')) = (reviewer_id IS NOT NULL)"),
        _check(table, "verdict_by", "(reviewer_id IS NULL) = (verdict IS NULL)"),
    )
    op.create_index("ix_second_look_job_id", table, ["job_id", "id"])
    op.create_index(
        "ix_second_look_open", table, ["due_at"], postgresql_where=sa.text("state = 'open'")
    )


def _make_brake() -> None:
    table = "brake"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "job_id", "job"),
        _key(table, "organisation_id", "organisation"),
        _key(table, "reviewer_id", "person", nullable=True),
        _state(),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("rate", "lower", "bound")),
        _at("opened_at"),
        _at("due_at"),
        _key(table, "lab_confirmed_by", "person", nullable=True),
        _text("lab_reason", nullable=True),
        _key(table, "operations_confirmed_by", "person", nullable=True),
        _text("operations_reason", nullable=True),
        _key(table, "released_by", "person", nullable=True),
        _text("release_reason", nullable=True),
        _at("ended_at", nullable=True),
        one_of("state", BrakeState),
        _check(table, "numbers", "lower > bound AND rate >= lower"),
        _check(
            table,
            "both_sides",
            "state <> 'confirmed' OR num_nulls(lab_confirmed_by, operations_confirmed_by) = 0",
        ),
        _check(table, "two_people", "lab_confirmed_by <> operations_confirmed_by"),
        _check(table, "not_own_rejections", "operations_confirmed_by <> reviewer_id"),
        _check(table, "lab_reason", "(lab_confirmed_by IS NULL) = (lab_reason IS NULL)"),
        _check(
            table,
            "operations_reason",
            "(operations_confirmed_by IS NULL) = (operations_reason IS NULL)",
        ),
        _check(table, "ended", "(state = 'holding') = (ended_at IS NULL)"),
    )
    nobody = "coalesce(reviewer_id, '00000000-0000-0000-0000-000000000000')"
    op.create_index(
        "uq_brake_holding",
        table,
        ["job_id", sa.text(nobody)],
        unique=True,
        postgresql_where=sa.text("state = 'holding'"),
    )
    op.create_index("ix_brake_organisation_id", table, ["organisation_id", "id"])


def _make_held_decisions() -> None:
    table = "held_decision"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "brake_id", "brake"),
        _key(table, "submission_id", "submission"),
        _key(table, "job_id", "job"),
        _key(table, "author_id", "person"),
        _key(table, "reviewer_id", "person"),
        _state(),
        _state("verdict"),
        sa.Column("defects", JSONB(), nullable=False),
        _text("note"),
        _at("decided_at"),
        _at("ended_at", nullable=True),
        one_of("state", HeldState),
        _check(table, "verdict", "verdict = 'reject'"),
        _check(table, "not_own_work", "reviewer_id <> author_id"),
    )
    op.create_index(
        "uq_held_decision_submission_id",
        table,
        ["submission_id"],
        unique=True,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_held_decision_brake_id", table, ["brake_id", "id"])


def _make_adjudication() -> None:
    table = "adjudication"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        _key(table, "task_id", "task"),
        _key(table, "job_id", "job"),
        _state(),
        _state("cause"),
        sa.Column("units", ARRAY(sa.Text()), nullable=False),
        _key(table, "opened_by", "person", nullable=True),
        _at("opened_at"),
        _at("due_at"),
        _key(table, "adjudicator_id", "person", nullable=True),
        _key(table, "template_version_id", "template_version", nullable=True),
        sa.Column("judgement", sa.JSON()),
        _key(table, "chosen_id", "submission", nullable=True),
        _text("rationale", nullable=True),
        sa.Column("agreements", JSONB()),
        _at("ended_at", nullable=True),
        one_of("state", AdjudicationState),
        one_of("cause", AdjudicationCause),
        _check(
            table,
            "settled",
            "(state = 'settled') = (num_nulls(adjudicator_id, rationale, template_version_id) = 0)",
        ),
        _check(table, "judgement", "state = 'settled' OR judgement IS NULL"),
        _check(table, "ended", "(state = 'open') = (ended_at IS NULL)"),
        _check(table, "somebody_else", "adjudicator_id <> opened_by"),
    )
    op.create_index(
        "uq_adjudication_open",
        table,
        ["task_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_adjudication_task_id", table, ["task_id"])
    op.create_index("ix_adjudication_job_id", table, ["job_id", "id"])


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TRIGGER decision_apart ON decision")
    for table in TABLES:
        op.drop_table(table)
    for table in APART:
        op.execute(f"DROP FUNCTION {table}_apart()")
    for table in GUARDED:
        op.execute(f"DROP FUNCTION {table}_lifecycle()")
    op.execute("DROP FUNCTION shares_organisation(uuid, uuid)")
