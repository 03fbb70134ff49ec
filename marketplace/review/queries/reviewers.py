"""Reviewers in numbers, for those who answer for them: what they rejected and what held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId
from marketplace.jobs import queries as jobs
from marketplace.quality.rules.posterior import beta_quantile
from marketplace.review.models import Decision, ReviewDraw, SecondLook
from marketplace.review.queries.decisions import LIMIT_MAX
from marketplace.review.rules import (
    EndedBy,
    OverturnCause,
    SecondLookState,
    Verdict,
    Weighted,
    weighted_share,
)

# Nobody judged otherwise: the platform was late, or the known answer was wrong.
NOT_THEIRS = (OverturnCause.APPEAL_LAPSED, OverturnCause.GOLD_DISPUTED)
SAMPLE_MAX = 5_000


@dataclass(frozen=True, slots=True)
class ReviewerRecord:
    """One reviewer's verdicts in a job. checked: rejections that somebody else judged again;
    overturned: verdicts in whose place another's stands; lower, upper: the middle 90 % of the
    posterior of the share of checked rejections that did not hold, None before any was checked."""

    reviewer_id: PersonId
    decided: int
    rejected: int
    checked: int
    overturned: int
    lower: float | None
    upper: float | None


def reviewer_records(session: Session, viewer: Actor, job_id: JobId) -> Sequence[ReviewerRecord]:
    """The reviewers of a job, those with most verdicts first; for who edits the job."""
    viewer.require(Permission.JOBS_EDIT)
    jobs.job_of(session, viewer, job_id)
    later = aliased(Decision)
    rejected = Decision.verdict == Verdict.REJECT
    looked = SecondLook.state.in_([SecondLookState.UPHELD, SecondLookState.DISAGREED])
    checked = rejected & (looked | later.id.is_not(None))
    number = func.count()
    rows = session.execute(
        select(
            Decision.reviewer_id,
            number,
            func.count().filter(rejected),
            func.count().filter(checked),
            func.count(later.id),
            func.sum(case((rejected & later.id.is_not(None), 1), else_=0)),
        )
        .outerjoin(later, (later.overturns_id == Decision.id) & later.cause.not_in(NOT_THEIRS))
        .outerjoin(SecondLook, SecondLook.decision_id == Decision.id)
        .where(Decision.job_id == job_id, Decision.reviewer_id.is_not(None))
        .where(Decision.overturns_id.is_(None))
        .group_by(Decision.reviewer_id)
        .order_by(number.desc(), Decision.reviewer_id)
        .limit(LIMIT_MAX)
    )
    return [
        ReviewerRecord(reviewer, decided, no, seen, overturned, *_interval(wrong, seen))
        for reviewer, decided, no, seen, overturned, wrong in rows
        if reviewer is not None
    ]


def _interval(wrong: int, seen: int) -> tuple[float | None, float | None]:
    if not seen:
        return None, None
    a, b = 1 + int(wrong), 1 + seen - int(wrong)
    return beta_quantile(0.05, a, b), beta_quantile(0.95, a, b)


def accepted_share(session: Session, viewer: Actor, job_id: JobId) -> Weighted | None:
    """The share of a job's answers that reviewers would accept, estimated from those that were
    drawn by the chances at which they were; None before any verdict.

    Of an answer its first verdict counts, and rework is none that accepts. Answers that their
    dates accepted were not looked at, and are left out.
    """
    viewer.require(Permission.JOBS_VIEW)
    jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(Decision.verdict, ReviewDraw.chance)
        .join(ReviewDraw, ReviewDraw.submission_id == Decision.submission_id)
        .where(ReviewDraw.job_id == job_id, ReviewDraw.sampled)
        .where(ReviewDraw.ended_by != EndedBy.DEADLINE)
        .where(Decision.reviewer_id.is_not(None), Decision.overturns_id.is_(None))
        .order_by(ReviewDraw.submission_id.desc())
        .limit(SAMPLE_MAX)
    ).all()
    return weighted_share(
        [verdict is Verdict.ACCEPT for verdict, _ in rows], [chance for _, chance in rows]
    )
