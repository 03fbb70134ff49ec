"""Reads of review, each scoped to its viewer and limited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import AccrualId, JobId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.review.models import Accrual, Decision
from marketplace.work import queries as work
from marketplace.work.models import Submission
from marketplace.work.rules import WAITING

LIMIT_MAX = 200


def review_queue(
    session: Session,
    viewer: Actor,
    job_id: JobId,
    *,
    after: SubmissionId | None = None,
    limit: int = 50,
) -> Sequence[work.SubmissionView]:
    """A job's submissions that wait for a reviewer, oldest first, the viewer's own left out."""
    viewer.require(Permission.WORK_REVIEW)
    waiting = work.submissions_of(
        session, viewer, job_id, after=after, limit=limit, states=tuple(WAITING)
    )
    return [each for each in waiting if each.submission.specialist_id != viewer.person_id]


def waiting_jobs(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[Row[Job]]:
    """The organisation's jobs that have submissions in review."""
    in_review = select(Submission.id).where(
        Submission.job_id == Job.id, Submission.state.in_(WAITING)
    )
    return session.execute(
        select(Job)
        .where(Job.organisation_id == viewer.organisation(), in_review.exists())
        .order_by(Job.id)
        .limit(min(limit, LIMIT_MAX))
    ).all()


def decisions_of(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, Decision]:
    """The decisions on submissions that the caller may see, by submission."""
    found = session.scalars(select(Decision).where(Decision.submission_id.in_(submission_ids)))
    return {decision.submission_id: decision for decision in found}


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


_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.

_CHECKS = (
    # What was earned was posted, once and in full.
    """SELECT format('Accrual %s of %s %s (%s) has %s posted for it.',
                     a.id, a.amount_minor, a.currency, a.kind, coalesce(-e.amount, 0))
    FROM accrual a
    LEFT JOIN submission s ON s.id = a.submission_id
    LEFT JOIN ledger_transaction t ON (t.source_kind, t.source_id) = (
      CASE a.kind WHEN 'accepted' THEN 'accept' ELSE a.kind END,
      CASE a.kind WHEN 'accepted' THEN s.id || ':' || s.round
        ELSE coalesce(a.submission_id, a.outcome_id)::text END)
    LEFT JOIN ledger_account p
      ON p.code = 'L:spec:' || a.specialist_id || ':pending:' || a.currency
    LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account_id = p.id
    WHERE a.amount_minor <> coalesce(-e.amount, 0)""",
    # An answer that was accepted has earned, and no other.
    """SELECT format('Submission %s is %s and has %s accruals.', s.id, s.state, count(a.id))
    FROM submission s LEFT JOIN accrual a ON a.submission_id = s.id
    GROUP BY s.id
    HAVING count(a.id) <> (s.state IN ('accepted', 'surplus_accepted'))::int""",
    # What people were promised is set aside.
    """SELECT format('Job %s has %s reserved, and %s may still be owed for work in hand.',
                     owed.job_id, coalesce(r.balance, 0), owed.amount)
    FROM (
      SELECT job_id, sum(price + (price * fee + 5000) / 10000) AS amount FROM (
        SELECT w.job_id, w.price_minor AS price, coalesce(j.fee_basis_points, 0) AS fee
        FROM (SELECT job_id, price_minor FROM claim WHERE state = 'live'
              UNION ALL SELECT job_id, price_minor FROM submission
              WHERE state IN ('submitted', 'in_review')) w
        JOIN job j ON j.id = w.job_id) priced
      GROUP BY job_id) owed
    JOIN job j ON j.id = owed.job_id
    LEFT JOIN ledger_account r ON r.code = 'L:job:' || j.id || ':reserved:' || j.currency
    WHERE coalesce(r.balance, 0) < owed.amount""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing about pay that is broken; empty when all is sound."""
    broken: list[str] = []
    for check in _CHECKS:
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"))
    return broken
