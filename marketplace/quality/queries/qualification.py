"""Attempts at qualifications: what was asked and answered, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, cast, func, select, true
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import ClaimId, JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, QualificationItem
from marketplace.jobs.rules.qualification import Feedback
from marketplace.secrets import pseudonym
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.specialists.rules.qualifications import AttemptState
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import ClaimState, SubmissionState

LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class AttemptItem:
    """One item of an attempt. submission_id, judgement: None where nothing was handed in; gold:
    never shown to the candidate but through `explanations`."""

    item_id: UUID
    concept: str
    gold: dict[str, Any]
    judgement: Any
    submission_id: UUID | None


def _of_attempt(attempt: QualificationResult) -> Any:
    """The seats of an attempt with their items, for a statement over both."""
    return and_(
        Seat.reserved_for == attempt.person_id,
        Seat.job_id == attempt.job_id,
        QualificationItem.form == attempt.form,
    )


def attempt_items(session: Session, attempt: QualificationResult) -> list[AttemptItem]:
    """Every item that an attempt asks, with what was handed in for it; for scoring."""
    rows = session.execute(
        select(
            Item.id,
            QualificationItem.concept,
            Item.gold,
            Submission.judgement,
            Submission.id,
        )
        .select_from(Seat)
        .join(Task, Task.id == Seat.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(QualificationItem, QualificationItem.item_id == Item.id)
        .outerjoin(
            Submission,
            and_(
                Submission.seat_id == Seat.id,
                Submission.specialist_id == attempt.person_id,
                Submission.state.not_in([SubmissionState.SURPLUS, SubmissionState.REWORK]),
            ),
        )
        .where(_of_attempt(attempt))
        .order_by(Seat.rank)
    )
    return [AttemptItem(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class AttemptProgress:
    """How far an attempt is. claim_id: a task to go on with that is in hand, or whose lease ran
    out while its seat waits; None where the next one is to be claimed."""

    attempt: QualificationResult
    answered: int
    claim_id: ClaimId | None


def progress_of_attempt(session: Session, attempt: QualificationResult) -> AttemptProgress:
    """How far an attempt is; for one who may see it."""
    newest = (
        select(Claim.id, Claim.state)
        .where(Claim.task_id == Seat.task_id, Claim.specialist_id == attempt.person_id)
        .order_by(Claim.id.desc())
        .limit(1)
        .lateral("newest")
    )
    rows = session.execute(
        select(newest.c.id, newest.c.state)
        .select_from(Seat)
        .join(Task, Task.id == Seat.task_id)
        .join(QualificationItem, QualificationItem.item_id == Task.item_id)
        .outerjoin(newest, true())
        .where(_of_attempt(attempt))
        .order_by(Seat.rank)
    ).all()
    live = [ClaimId(claim_id) for claim_id, state in rows if state == ClaimState.LIVE]
    lapsed = [ClaimId(claim_id) for claim_id, state in rows if state == ClaimState.EXPIRED]
    answered = sum(state == ClaimState.SUBMITTED for _, state in rows)
    return AttemptProgress(attempt, answered, next(iter(live + lapsed), None))


@dataclass(frozen=True, slots=True)
class ResultRow:
    """An attempt as the lab sees it, under its own pseudonym for the person."""

    id: UUID
    pseudonym: str
    attempt: int
    form: int
    state: AttemptState
    score: Decimal | None
    passed: bool | None
    by_concept: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


def results_of(
    session: Session, viewer: Actor, job_id: JobId, *, after: UUID | None = None, limit: int = 50
) -> list[ResultRow]:
    """Attempts at the viewer's qualification, newest first; `after`: the last id seen."""
    job = jobs.job_of(session, viewer, job_id)
    asked = select(QualificationResult).where(QualificationResult.job_id == job.id)
    if after is not None:
        asked = asked.where(QualificationResult.id < after)
    rows = session.scalars(
        asked.order_by(QualificationResult.id.desc()).limit(max(1, min(limit, LIMIT_MAX)))
    )
    return [
        ResultRow(
            id=row.id,
            pseudonym=pseudonym(str(job.organisation_id), str(row.person_id)),
            attempt=row.attempt,
            form=row.form,
            state=row.state,
            score=row.score,
            passed=row.passed,
            by_concept=row.by_concept,
            started_at=row.started_at,
            finished_at=row.finished_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Tally:
    """How a qualification goes: attempts by how they stand."""

    live: int
    scored: int
    passed: int
    void: int


def tally_of(session: Session, viewer: Actor, job_id: JobId) -> Tally:
    """The counts of the viewer's qualification."""
    job = jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(
            QualificationResult.state,
            func.count(),
            func.coalesce(func.sum(cast(QualificationResult.passed, Integer)), 0),
        )
        .where(QualificationResult.job_id == job.id)
        .group_by(QualificationResult.state)
    ).all()
    counts = {state: (count, int(passed)) for state, count, passed in rows}
    scored, passed = counts.get(AttemptState.SCORED, (0, 0))
    return Tally(
        live=counts.get(AttemptState.LIVE, (0, 0))[0],
        scored=scored,
        passed=passed,
        void=counts.get(AttemptState.VOID, (0, 0))[0],
    )


@dataclass(frozen=True, slots=True)
class Explained:
    """What a candidate may learn of one item after the attempt: its mark and its explanation."""

    number: int
    concept: str
    score: float
    explanation: str | None


def explanations(session: Session, viewer: Actor, attempt_id: UUID) -> Sequence[Explained]:
    """The items of the viewer's own scored attempt, as far as the qualification tells them.

    Nothing unless its feedback is `explanations`: other feedback never says which item was right,
    since the item may still be in the bank.
    """
    attempt = attempts.own_attempt(session, viewer, attempt_id)
    terms = jobs.terms_of(session, attempt.job_id)
    if attempt.state is not AttemptState.SCORED or terms.feedback is not Feedback.EXPLANATIONS:
        return []
    return [
        Explained(
            number=number,
            concept=item.concept,
            score=float(attempt.by_item.get(str(item.item_id), 0)),
            explanation=item.gold.get("explanation"),
        )
        for number, item in enumerate(attempt_items(session, attempt), start=1)
    ]
