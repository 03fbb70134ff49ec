"""Judges and their calibration.

Why: a lab's LLM judges are set up, asked about items in the background, and reported on against
experts; what a judge is never changes, nor does a report, so that later runs can be set beside it.
Locks: `organisation`, `person`, `job` and `model_endpoint` for a moment, for the foreign keys.
Undo: `downgrade`, which forgets judges, what they said beyond pre-labels, and every report.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from marketplace.db import append_only, lifecycle_guard

revision = "0042_judges"
down_revision = "0041_pipelines"
branch_labels = None
depends_on = None

RUN_STEPS = {
    "waiting": {"running", "stopped", "failed"},
    "running": {"stopped", "done", "failed"},
    "stopped": {"waiting"},
    "failed": {"waiting"},
}


def upgrade() -> None:
    """Make the tables; versions, reports and checks only ever grow."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _judges()
    _answers()
    _reports()
    _runs()
    for table in ("judge_version", "judge_report", "judge_check"):
        for statement in append_only(table):
            op.execute(statement)
    for statement in lifecycle_guard("judge_run", RUN_STEPS):
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables with all that stands in them."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in (
        "judge_check", "judge_answer", "judge_run", "judge_report", "judge_version", "judge",
    ):  # fmt: skip
        op.drop_table(table)
    for table in ("judge_version", "judge_report", "judge_check"):
        op.execute(f"DROP FUNCTION {table}_append_only()")
    op.execute("DROP FUNCTION judge_run_lifecycle()")


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), primary_key=True)


def _to(name: str, table: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _word(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.String(40), nullable=False)


def _count(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB(), nullable=False)


def _hash(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _judges() -> None:
    op.create_table(
        "judge",
        _id(),
        _to("organisation_id", "organisation"),
        _text("name"),
        _to("created_by", "person"),
        _at("created_at"),
        _at("retired_at", nullable=True),
        sa.UniqueConstraint("organisation_id", "name", name="uq_judge_organisation_id_name"),
    )
    op.create_table(
        "judge_version",
        _id(),
        _to("judge_id", "judge"),
        _count("number"),
        _to("endpoint_id", "model_endpoint"),
        _text("model"),
        _text("prompt"),
        _hash("prompt_sha256"),
        _json("aspects"),
        _json("output_schema"),
        _word("answer_format"),
        sa.Column("temperature", sa.Numeric(4, 3)),
        sa.Column("top_p", sa.Numeric(4, 3)),
        _count("seed", nullable=True),
        _count("tokens_max"),
        _flag("both_orders"),
        _hash("frozen_sha256"),
        _to("created_by", "person"),
        _at("created_at"),
        sa.UniqueConstraint("judge_id", "number", name="uq_judge_version_judge_id_number"),
        sa.CheckConstraint(
            "answer_format IN ('json_schema', 'json_object', 'text')", name="answer_format"
        ),
        sa.CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature"),
        sa.CheckConstraint("top_p > 0 AND top_p <= 1", name="top_p"),
        sa.CheckConstraint("tokens_max BETWEEN 1 AND 32000", name="tokens_max"),
    )


def _answers() -> None:
    op.create_table(
        "judge_answer",
        _to("judge_version_id", "judge_version"),
        _hash("content_sha256"),
        _count("turned"),
        _count("epoch"),
        _word("outcome"),
        _text("failure", nullable=True),
        _json("verdicts"),
        sa.Column("confidence", sa.Float()),
        _text("said", nullable=True),
        _count("tokens", nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        _at("answered_at"),
        sa.PrimaryKeyConstraint("judge_version_id", "content_sha256", "turned", "epoch"),
        sa.CheckConstraint(
            "outcome IN ('answered', 'refused', 'malformed', 'failed')", name="outcome"
        ),
        sa.CheckConstraint("turned IN (0, 1)", name="turned"),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
        sa.CheckConstraint("(outcome = 'failed') = (failure IS NOT NULL)", name="failure"),
    )


def _reports() -> None:
    op.create_table(
        "judge_report",
        _id(),
        _to("job_id", "job"),
        _to("organisation_id", "organisation"),
        _text("model"),
        _text("version"),
        _count("number"),
        _to("judge_version_id", "judge_version", nullable=True),
        _text("slice_key"),
        _count("items"),
        _json("facts"),
        _json("findings"),
        _json("anchors"),
        _hash("findings_sha256"),
        _to("created_by", "person", nullable=True),
        _at("created_at"),
        sa.UniqueConstraint(
            "job_id",
            "model",
            "version",
            "number",
            name="uq_judge_report_job_id_model_version_number",
        ),
    )
    op.create_index("ix_judge_report_organisation_id", "judge_report", ["organisation_id", "id"])


def _runs() -> None:
    op.create_table(
        "judge_run",
        _id(),
        _to("judge_version_id", "judge_version"),
        _to("job_id", "job"),
        _to("organisation_id", "organisation"),
        _word("purpose"),
        _to("report_id", "judge_report", nullable=True),
        _count("epoch"),
        _word("state"),
        _text("stopped_because", nullable=True),
        *map(_count, ("calls_max", "calls_a_minute_max", "calls_made", "position", "items")),
        *map(_count, ("answered", "refused", "malformed", "failed", "cached")),
        _to("created_by", "person", nullable=True),
        _at("created_at"),
        _at("finished_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'stopped', 'done', 'failed')", name="state"
        ),
        sa.CheckConstraint("purpose IN ('verdicts', 'check')", name="purpose"),
        sa.CheckConstraint(
            "(purpose = 'check') = (report_id IS NOT NULL)", name="check_has_report"
        ),
        sa.CheckConstraint("(purpose = 'check') = (epoch > 0)", name="check_asks_anew"),
        sa.CheckConstraint("calls_made BETWEEN 0 AND calls_max", name="calls"),
        sa.CheckConstraint("calls_a_minute_max >= 1", name="calls_a_minute_max"),
        sa.CheckConstraint(
            "(state IN ('stopped', 'failed')) = (stopped_because IS NOT NULL)", name="stopped"
        ),
        sa.CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished"),
    )
    op.create_index("ix_judge_run_job_id", "judge_run", ["job_id", "id"])
    op.create_index("ix_judge_run_judge_version_id", "judge_run", ["judge_version_id", "id"])
    op.create_table(
        "judge_check",
        _id(),
        _to("report_id", "judge_report"),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("judge_run.id"), nullable=False, unique=True),
        _flag("anchored"),
        _flag("drifted"),
        _json("moved"),
        _at("made_at"),
    )
    op.create_index("ix_judge_check_report_id", "judge_check", ["report_id", "id"])
