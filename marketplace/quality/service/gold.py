"""Scoring answers to gold, right after they came, in the background.

Nothing of it happens in the path of a submission, so that neither the shape nor the time of an
answer of ours tells which items have gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import PersonId, SubmissionId, TaskId, new_id
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.jobs.rules import Purpose
from marketplace.outbox import Event
from marketplace.quality.models import (
    GoldItem,
    GoldScore,
    GoldTerms,
    GoldVersion,
    QualityCursor,
)
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.gold import (
    EXPOSURES_MAX_DEFAULT,
    GoldState,
    weight_of,
)
from marketplace.quality.service.gold_signs import look_for_signs
from marketplace.quality.service.skill import learn
from marketplace.tasktypes import task_type
from marketplace.work import service as work
from marketplace.work.models import Claim, Submission, Task

GOLD_CURSOR = "gold"
BATCH = 500  # Announced facts that one round reads.
SUBMITTED = "task.submitted"


def arrived(session: Session) -> tuple[list[SubmissionId], int, bool]:
    """The next answers to gold, in the order in which they were announced; the number up to which
    that was read, and whether there may be more.

    Each is scored in a transaction of its own (`score_next`), which locks one task and one
    person; then the number is kept (`read_up_to`). What is read twice is scored once.
    """
    number = session.scalar(select(QualityCursor.number).where(QualityCursor.name == GOLD_CURSOR))
    read = _announced(session, number or 0)
    submitted = [row.subject_id for row in read if row.kind == SUBMITTED]
    found = session.scalars(
        select(Submission.id)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(Job, Job.id == Submission.job_id)
        .where(Submission.id.in_(submitted), Item.gold.is_not(None))
        .where(Job.purpose == Purpose.WORK)
        .order_by(Submission.id)
    ).all()
    last = (read[-1].number if read else number) or 0
    return [SubmissionId(each) for each in found], last, len(read) == BATCH


def score_next(session: Session, submission_id: SubmissionId) -> None:
    """Score an answer to gold, unless it was scored or its item is gold no more."""
    submission = session.get_one(Submission, submission_id)
    task = session.get_one(Task, submission.task_id)
    item, job = session.get_one(Item, task.item_id), session.get_one(Job, submission.job_id)
    # Whoever changes gold holds its row, so what the item says now it says until this ends.
    row = gold_item(session, item)
    session.refresh(item)
    if item.gold is not None:
        _score_first(session, submission, item, job, row)


def read_up_to(session: Session, number: int) -> None:
    """Say that what was announced up to a number has been looked at."""
    session.execute(
        insert(QualityCursor)
        .values(name=GOLD_CURSOR, number=number)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"number": func.greatest(QualityCursor.number, number)},
        )
    )


def _announced(session: Session, after: int) -> Sequence[Row[int | None, str, UUID]]:
    return session.execute(
        select(Event.number, Event.kind, Event.subject_id)
        .where(Event.number > after)
        .order_by(Event.number)
        .limit(BATCH)
    ).all()


def next_submissions(session: Session, name: str) -> tuple[bool, Sequence[UUID]]:
    """The answers that were announced since the named reader last looked, and whether there may
    be more; the cursor is moved behind them. Numbers never skip, so none is missed."""
    session.execute(insert(QualityCursor).values(name=name, number=0).on_conflict_do_nothing())
    cursor = session.get_one(QualityCursor, name, with_for_update=True, populate_existing=True)
    read = _announced(session, cursor.number)
    if read:
        cursor.number = read[-1].number
    return len(read) == BATCH, [row.subject_id for row in read if row.kind == SUBMITTED]


def _score_first(
    session: Session, submission: Submission, item: Item, job: Job, row: GoldItem
) -> None:
    """Score an answer that was not scored yet, and look what it says of its author and the gold.

    The task is locked before its author's skill, as by everybody who locks both.
    """
    scored = select(GoldScore.id).where(GoldScore.submission_id == submission.id)
    if session.scalar(scored) is not None:
        return
    most = exposures_max(session, job.id)
    row.exposures = _exposures(session, submission.task_id)
    weight = weight_of(
        exposures=row.exposures,
        exposures_max=most,
        round_number=submission.round,
        seen_before=_seen_before(session, submission, item),
    )
    if row.state is GoldState.ACTIVE and row.exposures >= most:
        row.state, row.changed_at = GoldState.WORN, clock.now()
        # Nobody else is shown it: what it is asked of again it would not tell.
        work.close_open_seats(session, TaskId(submission.task_id))
    record_score(session, submission, item, job, weight=weight, exposure=row.exposures)
    session.flush()
    look_for_signs(session, submission, item, job, exposures_max=most)


def record_score(
    session: Session,
    submission: Submission,
    item: Item,
    job: Job,
    *,
    weight: float,
    exposure: int,
) -> GoldScore:
    """Score an answer by the gold that counts now, and let it teach its author's skill."""
    template = session.get_one(TemplateVersion, submission.template_version_id).template
    gold = (item.gold or {})["judgement"]
    agrees = task_type(job.task_type).gold_agrees(submission.judgement, gold, template)
    score = None if agrees is None else min(1.0, max(0.0, agrees))
    scored = GoldScore(
        id=new_id(),
        submission_id=submission.id,
        item_id=item.id,
        job_id=job.id,
        person_id=submission.specialist_id,
        version=version_of(session, item.id),
        exposure=exposure,
        score=score,
        weight=weight,
        scored_at=clock.now(),
    )
    session.add(scored)
    if score is not None and weight > 0:
        learn(
            session,
            PersonId(submission.specialist_id),
            job,
            score,
            source=EvidenceSource.GOLD,
            source_id=submission.id,
            weight=weight,
        )
        row = gold_item(session, item)
        row.answered, row.right = row.answered + 1, row.right + score
    return scored


def gold_item(session: Session, item: Item) -> GoldItem:
    """The row of a gold item, locked, made where there is none yet."""
    fresh = {
        "item_id": item.id,
        "job_id": item.job_id,
        "state": GoldState.ACTIVE,
        "exposures": 0,
        "answered": 0,
        "right": 0.0,
        "changed_at": clock.now(),
    }
    session.flush()
    session.execute(insert(GoldItem).values(fresh).on_conflict_do_nothing())
    return session.get_one(GoldItem, item.id, with_for_update=True, populate_existing=True)


def exposures_max(session: Session, job_id: UUID) -> int:
    """How many people may see a gold item of a job before it counts as worn."""
    terms = session.get(GoldTerms, job_id)
    return terms.exposures_max if terms is not None else EXPOSURES_MAX_DEFAULT


def version_of(session: Session, item_id: UUID) -> int:
    """The number of the gold that counts now; 0 where it is as it was sent."""
    newest = select(func.max(GoldVersion.number)).where(GoldVersion.item_id == item_id)
    return session.scalar(newest) or 0


def _exposures(session: Session, task_id: UUID) -> int:
    """People who took a task and did not give it back; in words, for the index of those."""
    people = select(func.count(Claim.specialist_id.distinct())).where(
        Claim.task_id == task_id, text("claim.state <> 'released'")
    )
    return session.scalar(people) or 0


def _seen_before(session: Session, submission: Submission, item: Item) -> bool:
    """Whether its author answered gold with the same payload before, in this job or another."""
    same = (
        select(GoldScore.id)
        .join(Item, Item.id == GoldScore.item_id)
        .where(GoldScore.person_id == submission.specialist_id)
        .where(Item.payload_sha256 == item.payload_sha256, GoldScore.submission_id != submission.id)
    )
    return session.scalar(select(same.exists())) or False


def tell_scores(session: Session) -> int:
    """Let authors read what became of their answers to gold that can give nothing away any more:
    rejected ones, those to worn or withdrawn gold, all of a closed job; how many."""
    told = session.execute(
        text(
            """UPDATE gold_score SET told_at = :at
            FROM submission, job, gold_item
            WHERE gold_score.told_at IS NULL AND gold_score.superseded_at IS NULL
              AND submission.id = gold_score.submission_id AND job.id = gold_score.job_id
              AND gold_item.item_id = gold_score.item_id
              AND (job.state = 'closed' OR gold_item.state <> 'active'
                OR submission.state IN ('rejected', 'surplus_rejected'))
            RETURNING gold_score.id"""
        ),
        {"at": clock.now()},
    )
    return len(told.all())


def supersede(session: Session, item_id: UUID) -> Sequence[GoldScore]:
    """Say that the scores of an item no longer count; those that did, oldest first."""
    standing = session.scalars(
        select(GoldScore)
        .where(GoldScore.item_id == item_id, GoldScore.superseded_at.is_(None))
        .order_by(GoldScore.id)
        .with_for_update()
    ).all()
    session.execute(
        update(GoldScore)
        .where(GoldScore.id.in_([each.id for each in standing]))
        .values(superseded_at=clock.now())
    )
    return standing
