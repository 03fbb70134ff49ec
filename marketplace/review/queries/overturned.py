"""How often a reviewer's verdicts are overturned, for the rules of quality control."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from marketplace.jobs.models import Job
from marketplace.quality.queries.observing import PIECES_MAX, Row, provide
from marketplace.quality.rules.control import Collector
from marketplace.review.models import Decision
from marketplace.review.rules import OverturnCause

# Nobody judged otherwise: the platform was late, or the known answer was wrong.
NOT_THEIRS = (OverturnCause.APPEAL_LAPSED, OverturnCause.GOLD_DISPUTED)


def overturned_verdicts(session: Session, job: Job) -> Iterable[Row]:
    """The verdicts of a job's reviewers; worth 1 each where another's stands in its place."""
    later = aliased(Decision)
    rows = session.execute(
        select(Decision.reviewer_id, Decision.decided_at, later.id, Decision.id)
        .outerjoin(later, (later.overturns_id == Decision.id) & later.cause.not_in(NOT_THEIRS))
        .where(Decision.job_id == job.id, Decision.reviewer_id.is_not(None))
        .order_by(Decision.id.desc())
        .limit(PIECES_MAX)
    )
    for who, at, overturned, of in rows:
        if who is not None:
            yield who, at.timestamp(), float(overturned is not None), of


provide(Collector.OVERTURNED, overturned_verdicts)
