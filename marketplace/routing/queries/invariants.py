"""What must always be true of who was given work, asked of the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.
# Claims younger than this are held against what their people held then; older ones were, too.
LOOKED_BACK = timedelta(days=7)

_CHECKS = (
    # A claim keeps the level that its person had, and a job's conditions never change.
    """SELECT format('Claim %s of %s has level %s in job %s, which asks for %s.',
                     c.id, c.specialist_id, c.credential_level, c.job_id, j.credential_level_min)
    FROM claim c JOIN job j ON j.id = c.job_id
    WHERE c.credential_level < j.credential_level_min""",
    # What counted when the task was given; work that came back is given whatever counts by then.
    """SELECT format('Claim %s of %s was given in job %s without a credential in %s at level %s.',
                     c.id, c.specialist_id, c.job_id, j.profession, j.credential_level_min)
    FROM claim c JOIN job j ON j.id = c.job_id
    WHERE c.claimed_at > :since AND j.profession IS NOT NULL AND c.reworks_submission_id IS NULL
      AND NOT EXISTS (
        SELECT 1 FROM credential_claim h JOIN LATERAL (
          SELECT state, level FROM credential_change WHERE claim_id = h.id AND at <= c.claimed_at
          ORDER BY at DESC, id DESC LIMIT 1) s ON true
        WHERE h.person_id = c.specialist_id AND h.profession = j.profession
          AND s.state IN ('verified', 'expiring_soon') AND s.level >= j.credential_level_min)""",
    # Seats stand only where the most that they can cost is reserved.
    """SELECT format('Job %s has seats up to item %s and money up to item %s.',
                     j.id, j.items_seated, r.items_reserved)
    FROM job j JOIN job_reserve r ON r.job_id = j.id WHERE j.items_seated > r.items_reserved""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken; empty when all is sound."""
    given = {"since": clock.now() - LOOKED_BACK}
    broken: list[str] = []
    for check in _CHECKS:
        asked = {name: value for name, value in given.items() if f":{name}" in check}
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"), asked)
    return broken
