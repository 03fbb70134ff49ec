"""Reads of gold: for the lab whose it is, and for authors what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job
from marketplace.quality.models import (
    GoldAlarm,
    GoldDispute,
    GoldItem,
    GoldScore,
    GoldTerms,
    GoldVersion,
)
from marketplace.quality.rules.evidence import interval
from marketplace.quality.rules.gold import EXPOSURES_MAX_DEFAULT, RIGHT, DisputeState, GoldState
from marketplace.secrets import pseudonym
from marketplace.work.models import Submission

LIMIT_MAX = 200
PEOPLE_MAX = 200


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its central 90 % interval; n pieces of work stand behind it."""

    value: float
    lower: float
    upper: float
    n: int


def share_of(right: float, n: int) -> Share | None:
    """The share of `right` in n; None of nothing."""
    return Share(right / n, *interval(right, n), n) if n else None


@dataclass(frozen=True, slots=True)
class GoldRow:
    """A gold item as its lab sees it. accuracy: of the answers that count; disputes: open ones."""

    item: Item
    state: GoldState
    exposures: int
    accuracy: Share | None
    disputes: int


def gold_of(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    after: int = 0,
    limit: int = 50,
    disputed: bool = False,
) -> Sequence[GoldRow]:
    """A job's gold, in the order of its items, withdrawn gold too; after: a position."""
    job = jobs.job_of(session, viewer, job_id)
    open_ones = (
        select(func.count())
        .where(GoldDispute.item_id == Item.id, GoldDispute.state == DisputeState.OPEN)
        .scalar_subquery()
    )
    asked = (
        select(Item, GoldItem, open_ones)
        .outerjoin(GoldItem, GoldItem.item_id == Item.id)
        .where(Item.job_id == job.id, Item.position > after)
        .where(or_(Item.gold.is_not(None), GoldItem.item_id.is_not(None)))
    )
    if disputed:
        asked = asked.where(open_ones > 0)
    rows = session.execute(asked.order_by(Item.position).limit(min(limit, LIMIT_MAX))).all()
    return [
        GoldRow(
            item=item,
            state=met.state if met else GoldState.ACTIVE,
            exposures=met.exposures if met else 0,
            accuracy=share_of(met.right, met.answered) if met else None,
            disputes=count,
        )
        for item, met, count in rows
    ]


@dataclass(frozen=True, slots=True)
class GoldSummary:
    """How gold stands in a job. items: with gold now; share: of all items; worn: met as often as
    the cap allows."""

    items: int
    share: float
    worn: int
    answers: int
    accuracy: Share | None
    disputes: int
    alarms: int
    exposures_max: int


def gold_summary(session: Session, viewer: Actor, job_id: JobId) -> GoldSummary:
    """The tiles of a job's gold."""
    job = jobs.job_of(session, viewer, job_id)
    items = _count(session, Item, Item.job_id == job.id, Item.gold.is_not(None))
    answered, right, worn = session.execute(
        select(
            func.coalesce(func.sum(GoldItem.answered), 0),
            func.coalesce(func.sum(GoldItem.right), 0.0),
            func.count().filter(GoldItem.state == GoldState.WORN),
        ).where(GoldItem.job_id == job.id)
    ).one()
    terms = session.get(GoldTerms, job.id)
    return GoldSummary(
        items=items,
        share=items / job.item_count if job.item_count else 0.0,
        worn=worn,
        answers=int(answered),
        accuracy=share_of(float(right or 0), int(answered)),
        disputes=_count(
            session, GoldDispute, GoldDispute.job_id == job.id,
            GoldDispute.state == DisputeState.OPEN,
        ),
        alarms=_count(
            session, GoldAlarm, GoldAlarm.job_id == job.id, GoldAlarm.closed_at.is_(None)
        ),
        exposures_max=terms.exposures_max if terms else EXPOSURES_MAX_DEFAULT,
    )  # fmt: skip


def _count(session: Session, model: Any, *where: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def accuracy_of_people(session: Session, viewer: Actor, job_id: JobId) -> list[tuple[str, Share]]:
    """How people of a job did on its gold, under the lab's pseudonyms, in alphabetical order."""
    job = jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(GoldScore.person_id, func.sum(GoldScore.score), func.count())
        .where(GoldScore.job_id == job.id, GoldScore.superseded_at.is_(None))
        .where(GoldScore.score.is_not(None), GoldScore.weight > 0)
        .group_by(GoldScore.person_id)
        .limit(PEOPLE_MAX)
    )
    named = [
        (pseudonym(str(job.organisation_id), str(person)), share_of(float(right or 0), n))
        for person, right, n in rows
    ]
    return sorted((name, share) for name, share in named if share is not None)


def gold_item_of(session: Session, viewer: Actor, item_id: UUID) -> tuple[Job, GoldRow]:
    """One gold item of the viewer's own; Missing where it has and had no gold."""
    item = session.get(Item, item_id)
    if item is None:
        raise Missing("There is no such item.")
    job = jobs.job_of(session, viewer, item.job_id)
    rows = gold_of(session, viewer, JobId(job.id), after=item.position - 1, limit=1)
    if not rows or rows[0].item.id != item.id:
        raise Missing("This item has no gold.")
    return job, rows[0]


def versions_of(session: Session, item_id: UUID) -> Sequence[GoldVersion]:
    """What an item's gold was and is, newest first; for a caller who may see the item."""
    found = select(GoldVersion).where(GoldVersion.item_id == item_id)
    return session.scalars(found.order_by(GoldVersion.number.desc()).limit(LIMIT_MAX)).all()


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """An answer to gold as the lab sees it."""

    score: GoldScore
    judgement: Any
    rationale: str | None
    author: str


def answers_to(
    session: Session, viewer: Actor, item_id: UUID, *, limit: int = 50
) -> Sequence[GoldAnswer]:
    """The standing answers to a gold item, newest first, under the lab's pseudonyms."""
    job, _ = gold_item_of(session, viewer, item_id)
    rows = session.execute(
        select(GoldScore, Submission.judgement, Submission.rationale)
        .join(Submission, Submission.id == GoldScore.submission_id)
        .where(GoldScore.item_id == item_id, GoldScore.superseded_at.is_(None))
        .order_by(GoldScore.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    return [
        GoldAnswer(score, judgement, why, pseudonym(str(job.organisation_id), str(score.person_id)))
        for score, judgement, why in rows
    ]


def disputes_of(
    session: Session, viewer: Actor, job_id: JobId, *, item_id: UUID | None = None, limit: int = 50
) -> Sequence[GoldDispute]:
    """The doubts about a job's gold, open ones first, then the newest."""
    job = jobs.job_of(session, viewer, job_id)
    asked = select(GoldDispute).where(GoldDispute.job_id == job.id)
    if item_id is not None:
        asked = asked.where(GoldDispute.item_id == item_id)
    order = (GoldDispute.state != DisputeState.OPEN, GoldDispute.id.desc())
    return session.scalars(asked.order_by(*order).limit(min(limit, LIMIT_MAX))).all()


def alarms_of(
    session: Session, viewer: Actor, job_id: JobId, *, limit: int = 50
) -> Sequence[GoldAlarm]:
    """Signs that a job's gold leaked, open ones first, then the newest."""
    job = jobs.job_of(session, viewer, job_id)
    asked = select(GoldAlarm).where(GoldAlarm.job_id == job.id)
    order = (GoldAlarm.closed_at.is_not(None), GoldAlarm.id.desc())
    return session.scalars(asked.order_by(*order).limit(min(limit, LIMIT_MAX))).all()


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """What an author was told of one of their answers: gold and its explanation are the lab's."""

    score_id: UUID
    submission_id: UUID
    job_title: str
    judgement: Any
    gold: Any
    explanation: str | None
    score: float | None
    told_at: datetime
    dispute: DisputeState | None
    dispute_note: str | None

    @property
    def is_right(self) -> bool:
        """Whether the answer passes for right."""
        return self.score is not None and self.score >= RIGHT


def own_checks(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[OwnCheck]:
    """The viewer's own answers to gold that they were told of, newest first."""
    asked = (
        select(GoldScore, Job.title, Submission.judgement, Item.gold)
        .join(Submission, Submission.id == GoldScore.submission_id)
        .join(Job, Job.id == GoldScore.job_id)
        .join(Item, Item.id == GoldScore.item_id)
        .where(GoldScore.person_id == viewer.person(), GoldScore.superseded_at.is_(None))
        .where(GoldScore.told_at.is_not(None))
        .order_by(GoldScore.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if after is not None:
        asked = asked.where(GoldScore.id < after)
    rows = session.execute(asked).all()
    raised = _own_disputes(session, viewer, [score.submission_id for score, *_ in rows])
    return [_own_check(score, rest, raised.get(score.submission_id)) for score, *rest in rows]


def _own_check(score: GoldScore, rest: Sequence[Any], dispute: GoldDispute | None) -> OwnCheck:
    title, judgement, gold = rest
    return OwnCheck(
        score_id=score.id,
        submission_id=score.submission_id,
        job_title=title,
        judgement=judgement,
        gold=(gold or {}).get("judgement"),
        explanation=(gold or {}).get("explanation"),
        score=score.score,
        told_at=score.told_at or score.scored_at,
        dispute=dispute.state if dispute else None,
        dispute_note=dispute.note if dispute else None,
    )


def _own_disputes(
    session: Session, viewer: Actor, submission_ids: Sequence[UUID]
) -> dict[UUID, GoldDispute]:
    found = session.scalars(
        select(GoldDispute)
        .where(GoldDispute.raised_by == viewer.person())
        .where(GoldDispute.submission_id.in_(submission_ids))
        .order_by(GoldDispute.id)
    )
    return {row.submission_id: row for row in found}


def last_gold_was_wrong(session: Session, person_id: UUID, job_id: UUID) -> bool:
    """Whether somebody's newest answer to a job's gold was wrong; False where there is none."""
    newest = session.scalars(
        select(GoldScore.score)
        .where(GoldScore.job_id == job_id, GoldScore.person_id == person_id)
        .where(GoldScore.superseded_at.is_(None), GoldScore.score.is_not(None))
        .order_by(GoldScore.id.desc())
        .limit(1)
    ).first()
    return newest is not None and newest < RIGHT


def judgement_of(session: Session, viewer: Actor, submission_id: UUID) -> dict[str, Any] | None:
    """The judgement of an answer in one of the viewer's own jobs; None where it is none."""
    found = session.get(Submission, submission_id)
    if found is None:
        return None
    jobs.job_of(session, viewer, found.job_id)
    return found.judgement if isinstance(found.judgement, dict) else None
