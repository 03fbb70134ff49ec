"""Rejections in numbers, and the brakes that hold some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId
from marketplace.jobs.models import Job
from marketplace.review.models import Brake, Decision, HeldDecision
from marketplace.review.queries.decisions import LIMIT_MAX
from marketplace.review.rules import BrakeState, HeldState, Tally, Verdict
from marketplace.review.rules.brake import WINDOW

# People's verdicts on a job that its history is read from.
HISTORY_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Rejections:
    """Verdicts of people on a job: of one reviewer and of all in the window, and those before."""

    own: Tally
    others: Tally
    lately: Tally
    before: Tally


def rejections_of(session: Session, job_id: JobId, reviewer_id: PersonId) -> Rejections:
    """How often people rejected in a job, out of its last 1,000 verdicts."""
    last = (
        select(Decision.reviewer_id, Decision.verdict, Decision.decided_at)
        .where(Decision.job_id == job_id, Decision.reviewer_id.is_not(None))
        .where(Decision.overturns_id.is_(None))
        .order_by(Decision.id.desc())
        .limit(HISTORY_MAX)
        .subquery()
    )
    lately = last.c.decided_at > clock.now() - WINDOW
    own = lately & (last.c.reviewer_id == reviewer_id)
    rejected = last.c.verdict == Verdict.REJECT
    row = session.execute(
        select(
            *(
                func.count().filter(condition)
                for part in (own, ~own, lately, ~lately)
                for condition in (part & rejected, part)
            )
        ).select_from(last)
    ).one()
    tallies = [Tally(row[at], row[at + 1]) for at in range(0, 8, 2)]
    return Rejections(*tallies)


def brakes_of(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[Brake]:
    """The brakes on the jobs of the viewer's organisation, those that hold first."""
    viewer.require(Permission.WORK_REVIEW)
    return session.scalars(
        select(Brake)
        .where(Brake.organisation_id == viewer.organisation())
        .order_by(Brake.state != BrakeState.HOLDING, Brake.id.desc())
        .limit(min(limit, LIMIT_MAX))
    ).all()


def holding_brakes(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Row[Brake, str]]:
    """Every brake that holds, with its job's title, oldest first; for operations."""
    viewer.require(Permission.APPEALS_DECIDE)
    asked = (
        select(Brake, Job.title)
        .join(Job, Job.id == Brake.job_id)
        .where(Brake.state == BrakeState.HOLDING)
        .order_by(Brake.id)
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(Brake.id > after)
    return session.execute(asked).all()


def brake_of(session: Session, viewer: Actor, brake_id: UUID) -> Brake:
    """One brake, for its lab and for operations; Missing for anybody else."""
    brake = session.get(Brake, brake_id)
    own = brake is not None and (
        viewer.may(Permission.APPEALS_DECIDE)
        or (viewer.may(Permission.WORK_REVIEW) and viewer.organisation_id == brake.organisation_id)
    )
    if brake is None or not own:
        raise Missing("This hold is not there, or it belongs to another organisation.")
    return brake


def held_by(session: Session, brake_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[HeldDecision]]:
    """What brakes that the caller may see hold or held, by brake, at most 200 in all."""
    found: dict[UUID, list[HeldDecision]] = {brake_id: [] for brake_id in brake_ids}
    asked = select(HeldDecision).where(HeldDecision.brake_id.in_(brake_ids))
    for held in session.scalars(asked.order_by(HeldDecision.id).limit(LIMIT_MAX)):
        found[held.brake_id].append(held)
    return found


def held_submissions(session: Session, submission_ids: Sequence[UUID]) -> set[UUID]:
    """Which of some submissions a held rejection is about."""
    return set(
        session.scalars(
            select(HeldDecision.submission_id)
            .where(HeldDecision.submission_id.in_(submission_ids))
            .where(HeldDecision.state == HeldState.HELD)
        )
    )


def confirmed_lately(session: Session, job_id: JobId, reviewer_id: PersonId) -> bool:
    """Whether both sides found rejections by this reviewer right within the window, so that a
    brake would only ask the same again."""
    same = select(Brake.id).where(
        Brake.job_id == job_id,
        Brake.state == BrakeState.CONFIRMED,
        Brake.ended_at > clock.now() - WINDOW,
        Brake.reviewer_id.is_(None) | (Brake.reviewer_id == reviewer_id),
    )
    return bool(session.scalar(select(same.exists())))
