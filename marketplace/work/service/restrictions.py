"""What one person may hold in one job, where that is less than the job allows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.ids import JobId, PersonId
from marketplace.work.models import WorkProgress


def restrict(
    session: Session,
    person_id: PersonId,
    job_id: JobId,
    *,
    live_cap: int | None,
    stopped_at: datetime | None,
) -> None:
    """Set what holds for a person in a job from the next claim on; None lifts it.

    What they have in hand stays theirs, and is paid as it was stated. The caller has decided that
    it may be done, and tells the person.
    """
    now = {"live_cap": live_cap, "stopped_at": stopped_at}
    # Which tasks are in hand and done is counted by the verbs of claims, in the same row.
    row = {"person_id": person_id, "job_id": job_id, "live": 0, "done": 0, "front": 0}
    session.execute(
        insert(WorkProgress)
        .values(row | now)
        .on_conflict_do_update(index_elements=["person_id", "job_id"], set_=now)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    kept = session.get(WorkProgress, (person_id, job_id), populate_existing=True)
    if kept is not None:
        session.expunge(kept)
