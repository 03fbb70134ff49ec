"""Reads of review, each scoped to its viewer and limited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import AccrualId, DecisionId
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.review.models import Accrual, Decision
from marketplace.work.models import Submission

LIMIT_MAX = 200


def standing_decisions(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, Decision]:
    """The decisions that stand on submissions that the caller may see, by submission: of a line
    of overturned ones the last."""
    found = session.scalars(
        select(Decision)
        .where(Decision.submission_id.in_(submission_ids))
        .where(Decision.id.not_in(_overturned(submission_ids)))
    )
    return {decision.submission_id: decision for decision in found}


decisions_of = standing_decisions


def decision_lines(
    session: Session, submission_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Decision]]:
    """All decisions on submissions that the caller may see, in the order in which they came."""
    found = session.scalars(
        select(Decision)
        .where(Decision.submission_id.in_(submission_ids))
        .order_by(Decision.submission_id, Decision.id)
    )
    lines: dict[UUID, list[Decision]] = {}
    for decision in found:
        lines.setdefault(decision.submission_id, []).append(decision)
    return lines


def _overturned(submission_ids: Sequence[UUID]) -> Select[DecisionId | None]:
    later = aliased(Decision)
    return select(later.overturns_id.label("id")).where(
        later.submission_id.in_(submission_ids), later.overturns_id.is_not(None)
    )


@dataclass(frozen=True, slots=True)
class Earning:
    """One accrual with what it was for; round: of the submission, 1 where it was none."""

    accrual: Accrual
    job_title: str
    round: int


def earnings_of(
    session: Session, viewer: Actor, *, after: AccrualId | None = None, limit: int = 50
) -> Sequence[Earning]:
    """The viewer's own earnings, newest first."""
    viewer.require(Permission.EARNINGS_VIEW)
    asked = (
        select(Accrual, Job.title, func.coalesce(Submission.round, 1))
        .join(Job, Job.id == Accrual.job_id)
        .outerjoin(Submission, Submission.id == Accrual.submission_id)
        .where(Accrual.specialist_id == viewer.person())
        .order_by(Accrual.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Accrual.id < after)
    return [Earning(*row) for row in session.execute(asked)]


def paid_for(session: Session, outcome_ids: Sequence[UUID]) -> Mapping[UUID, Money]:
    """What reports earned that the caller may see, by their ids; absent where nothing."""
    found = session.scalars(select(Accrual).where(Accrual.outcome_id.in_(outcome_ids)))
    return {accrual.outcome_id: accrual.amount for accrual in found if accrual.outcome_id}
