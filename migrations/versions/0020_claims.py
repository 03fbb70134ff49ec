"""Where each person stands in each job, and what the hot path of claims reads.

Why: `work_progress` lets a claim begin where its person left off and know how many tasks they
hold and have done, at a cost that knows no history; `ix_claim_holding` answers "does this person
hold that task" by one probe. Seats and claims change state all the time, which leaves dead entries
at the head of the open ones, so they are vacuumed long before a fifth of the table is dead.
Locks: claims stay readable while the index is built; a table of 10 million claims takes about ten
seconds, during which nobody can claim. Undo: `downgrade` drops both; nothing is lost, since the
counts follow from the claims.
"""

from alembic import op

revision = "0020_claims"
down_revision = "0019_eligibility"
branch_labels = None
depends_on = None

BUSY = ("seat", "claim", "task", "submission", "work_progress")
OFTEN = "autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000"
AS_BEFORE = "autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold"


def upgrade() -> None:
    """Add the table, filled from the claims that are there, and the index."""
    op.execute(
        """CREATE TABLE work_progress (
          person_id uuid NOT NULL CONSTRAINT fk_work_progress_person_id REFERENCES person,
          job_id uuid NOT NULL CONSTRAINT fk_work_progress_job_id REFERENCES job,
          live bigint NOT NULL CONSTRAINT ck_work_progress_live CHECK (live >= 0),
          done bigint NOT NULL CONSTRAINT ck_work_progress_done CHECK (done >= 0),
          front bigint NOT NULL,
          CONSTRAINT pk_work_progress PRIMARY KEY (person_id, job_id)
        ) WITH (fillfactor = 50)"""
    )
    op.execute(
        """INSERT INTO work_progress (person_id, job_id, live, done, front)
        SELECT specialist_id, job_id, count(*) FILTER (WHERE state = 'live'),
          count(*) FILTER (WHERE state = 'submitted'), (array_agg(seat_rank ORDER BY id DESC))[1]
        FROM claim GROUP BY specialist_id, job_id"""
    )
    op.execute(
        """CREATE INDEX ix_claim_holding ON claim (task_id, specialist_id)
        WHERE state <> 'released'"""
    )
    for table in BUSY:
        op.execute(f"ALTER TABLE {table} SET ({OFTEN})")


def downgrade() -> None:
    """Drop them."""
    for table in BUSY[:-1]:
        op.execute(f"ALTER TABLE {table} RESET ({AS_BEFORE})")
    op.execute("DROP INDEX ix_claim_holding")
    op.execute("DROP TABLE work_progress")
