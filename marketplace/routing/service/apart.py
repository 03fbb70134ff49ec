"""Claims in jobs whose authors must have nothing in common."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.ids import PersonId
from marketplace.jobs.models import Job
from marketplace.routing.queries.conflicts import still_apart, task_conflict
from marketplace.work import service as work
from marketplace.work.models import Claim

TRIES = 5


class _TogetherError(Exception):
    """Somebody linked came to the same task first."""


def claim_apart(
    session: Session, *, specialist_id: PersonId, job: Job, credential_level: int
) -> Claim | None:
    """Lease the next seat whose task has no linked person at it; None without one.

    Where somebody linked took the same task at the same moment, the claim is undone and the next
    seat is looked for.
    """
    unless = task_conflict(job, specialist_id)
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                claim = work.claim_seat(
                    session,
                    specialist_id=specialist_id,
                    job=job,
                    permit=credential_level,
                    unless=unless,
                )
                if claim is not None and not still_apart(session, job, claim):
                    raise _TogetherError
                return claim
        except _TogetherError:
            continue
    return None
