"""What is learned of a person's skill from work that was judged."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Missing
from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.quality.models import Skill, skill_domain
from marketplace.quality.rules.posterior import posterior


def learn(session: Session, person_id: PersonId, job: Job, agreement: float) -> Skill:
    """Count one judged piece of a person's work in a job; agreement: 0 is wrong, 1 is right.

    Called in the transaction that judges it: a review's verdict, gold, a scored qualification.
    Two at once queue for the row, so none is lost.
    """
    if not 0 <= agreement <= 1:
        raise ValueError(f"An agreement lies between 0 and 1, not at {agreement}.")
    domain = session.scalar(select(skill_domain()).where(Job.id == job.id))
    if domain is None:
        raise Missing("There is no such job.")
    key = {"person_id": person_id, "domain": domain, "task_type": job.task_type}
    mean, lower = posterior(0, 0)
    nothing = {"n": 0, "right": 0.0, "mean": mean, "lower": lower, "updated_at": clock.now()}
    session.execute(insert(Skill).values(key | nothing).on_conflict_do_nothing())
    row = session.get_one(Skill, tuple(key.values()), with_for_update=True, populate_existing=True)
    row.n += 1
    row.right += agreement
    row.mean, row.lower = posterior(row.right, row.n)
    row.updated_at = clock.now()
    return row
