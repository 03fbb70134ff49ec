"""What is known of an answer before a person looks at it, and the rules by which they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, func, select
from sqlalchemy.orm import Session

from marketplace.ids import JobId, PersonId
from marketplace.jobs.models import Item, Job, Prelabel
from marketplace.quality.models import GoldScore, Skill, skill_domain
from marketplace.quality.queries import posterior_of
from marketplace.review.models import ReviewDraw, ReviewPolicy, ReviewWatch
from marketplace.review.rules import Facts, Policy
from marketplace.tasktypes import Json, task_type
from marketplace.tasktypes.votes import share_matched
from marketplace.work.models import Submission, Task, WorkProgress
from marketplace.work.rules import SubmissionState

# Judgements of one task that are compared; more would not tell more.
COMPARED_MAX = 20
_IN_PLACE = (
    SubmissionState.SUBMITTED,
    SubmissionState.IN_REVIEW,
    SubmissionState.ACCEPTED,
)


def policy_of(session: Session, job_id: JobId) -> Policy:
    """A job's rules of review, for whoever may see the job; the usual ones where it says none."""
    row = session.get(ReviewPolicy, job_id)
    return row.policy if row is not None else Policy()


def policies_of(session: Session, job_ids: Sequence[UUID]) -> Mapping[UUID, Policy]:
    """The rules of review of jobs that the caller may see, by job; absent where one says none."""
    rows = session.scalars(select(ReviewPolicy).where(ReviewPolicy.job_id.in_(job_ids)))
    return {row.job_id: row.policy for row in rows}


def draws_of(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, ReviewDraw]:
    """The lots of submissions that the caller may see, by submission."""
    found = session.scalars(select(ReviewDraw).where(ReviewDraw.submission_id.in_(submission_ids)))
    return {draw.submission_id: draw for draw in found}


def facts_of(session: Session, submission: Submission, job: Job) -> Facts:
    """What is known of an answer that nobody has decided on."""
    skill, done, watch, gold = session.execute(
        select(Skill.lower, WorkProgress.done, ReviewWatch.left, _latest_gold(submission, job.id))
        .select_from(Job)
        .outerjoin(
            Skill,
            and_(
                Skill.person_id == submission.specialist_id,
                Skill.domain == skill_domain(),
                Skill.task_type == Job.task_type,
            ),
        )
        .outerjoin(
            WorkProgress,
            and_(WorkProgress.person_id == submission.specialist_id, WorkProgress.job_id == Job.id),
        )
        .outerjoin(
            ReviewWatch,
            and_(ReviewWatch.job_id == Job.id, ReviewWatch.person_id == submission.specialist_id),
        )
        .where(Job.id == job.id)
    ).one()
    return Facts(
        floor=float(job.review_sample_ratio),
        round=submission.round,
        flags=frozenset(submission.flags),
        skill_lower=skill,
        done_in_job=done or 0,
        alike_others=_alike(submission, job, _others(session, submission)),
        alike_models=_alike(submission, job, _models(session, submission)),
        confidence=_least_sure(session, submission),
        gold_missed=gold is not None and gold < 0.5,
        watched=bool(watch),
    )


def _latest_gold(submission: Submission, job_id: UUID) -> ScalarSelect[float | None]:
    """How far the author's latest known answer in the job was right, 0..1."""
    return (
        select(GoldScore.score)
        .where(GoldScore.job_id == job_id, GoldScore.person_id == submission.specialist_id)
        .where(GoldScore.superseded_at.is_(None), GoldScore.weight > 0)
        .order_by(GoldScore.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _least_sure(session: Session, submission: Submission) -> float | None:
    """How sure the least sure label of the task is; None where one author spoke, who then says
    nothing that their skill does not."""
    known = posterior_of(session, submission.task_id).values()
    return min((each.confidence for each in known if each.n > 1), default=None)


def _others(session: Session, submission: Submission) -> Sequence[Json]:
    return session.scalars(
        select(Submission.judgement)
        .where(Submission.task_id == submission.task_id, Submission.id != submission.id)
        .where(Submission.state.in_(_IN_PLACE))
        .where(Submission.specialist_id != submission.specialist_id)
        .order_by(Submission.id)
        .limit(COMPARED_MAX)
    ).all()


def _models(session: Session, submission: Submission) -> Sequence[Json]:
    return session.scalars(
        select(Prelabel.payload)
        .join(Item, Item.id == Prelabel.item_id)
        .join(Task, Task.item_id == Item.id)
        .where(Task.id == submission.task_id)
        .order_by(Prelabel.number)
        .limit(COMPARED_MAX)
    ).all()


def _alike(submission: Submission, job: Job, others: Sequence[Json]) -> float | None:
    """The mean share of units that others answered the same; None where nothing can be said."""
    kind = task_type(job.task_type)
    own = kind.units(submission.judgement)
    shares = [share_matched(own, kind.units(other)) for other in others]
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None


def left_to_watch(session: Session, job_id: JobId, person_id: PersonId) -> int:
    """How many of a person's next answers in a job are all looked at."""
    row = session.get(ReviewWatch, (job_id, person_id))
    return row.left if row is not None else 0


def waiting_without_lot(session: Session, *, limit: int = 200) -> Sequence[Submission]:
    """Answers under review whose lot nobody has written down yet, newest first, locked."""
    return session.scalars(
        select(Submission)
        .outerjoin(ReviewDraw, ReviewDraw.submission_id == Submission.id)
        .where(
            Submission.state.in_([SubmissionState.IN_REVIEW, SubmissionState.SURPLUS_IN_REVIEW]),
            ReviewDraw.submission_id.is_(None),
        )
        .order_by(Submission.id.desc())
        .limit(limit)
        .with_for_update(of=Submission, skip_locked=True, key_share=True)
    ).all()


def share_of_job(session: Session, job_id: JobId) -> tuple[int, int]:
    """(drawn, all) of a job's lots."""
    counted = select(func.count().filter(ReviewDraw.sampled), func.count()).where(
        ReviewDraw.job_id == job_id
    )
    drawn, every = session.execute(counted).one()
    return drawn, every
