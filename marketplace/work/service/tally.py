"""The count of one person's claims in one job, kept beside the claims at a constant cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.work.models import Claim

_ADD = text(
    """UPDATE work_progress SET live = live + :live, done = done + :done
    WHERE person_id = :person_id AND job_id = :job_id"""
)


def count(session: Session, claim: Claim, *, live: int = 0, done: int = 0) -> None:
    """Say that a claim entered (1) or left (-1) its holder's hands, or what they handed in."""
    session.execute(
        _ADD,
        {"person_id": claim.specialist_id, "job_id": claim.job_id, "live": live, "done": done},
    )


def count_lapsed(session: Session, claims: Iterable[Claim]) -> None:
    """Take many claims out of hand, row by row in one order, so that two rounds cannot lock up."""
    lapsed = Counter((claim.specialist_id, claim.job_id) for claim in claims)
    for (person_id, job_id), live in sorted(lapsed.items()):
        session.execute(_ADD, {"person_id": person_id, "job_id": job_id, "live": -live, "done": 0})
