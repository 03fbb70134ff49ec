"""What proofs and pages of provenance are made of: a job's chain, and its heads by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, and_, cast, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import DayHead
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.outbox import ChainHead, Event
from marketplace.work.models import Submission

HANDED_IN = "task.submitted"
LIMIT_MAX = 400


def job_scope(job_id: UUID) -> str:
    """What a job's chain is called."""
    return f"job:{job_id}"


def links_after(
    session: Session, job_id: UUID, after: int, *, until: int, limit: int
) -> Sequence[Row[Any]]:
    """The next links of a job's chain in order, each with its facts as text, whether they hold a
    commitment, and the salt of the hand-in that it is of; for background functions."""
    return session.execute(
        select(
            Event.job_number,
            Event.id,
            Event.kind,
            Event.subject_id,
            Event.announced_at,
            cast(Event.facts, Text).label("facts"),
            Event.facts.has_key("commitment").label("commits"),
            Event.job_hash,
            Submission.salt,
        )
        .outerjoin(Submission, and_(Event.kind == HANDED_IN, Submission.id == Event.subject_id))
        .where(Event.job_id == job_id, Event.job_number > after, Event.job_number <= until)
        .order_by(Event.job_number)
        .limit(limit)
    ).all()


def heads_until(session: Session, job_id: UUID, until: int) -> Sequence[DayHead]:
    """The signed heads of a job's chain up to a link, oldest first; for background functions."""
    return session.scalars(
        select(DayHead)
        .where(DayHead.scope == job_scope(job_id), DayHead.number <= until)
        .order_by(DayHead.day)
    ).all()


def heads_of(
    session: Session, viewer: Actor, job_id: JobId, *, limit: int = 30
) -> Sequence[DayHead]:
    """The signed heads of a job of the viewer's organisation, newest first; Missing for another."""
    job = jobs.job_of(session, viewer, job_id)
    return session.scalars(
        select(DayHead)
        .where(DayHead.scope == job_scope(job.id))
        .order_by(DayHead.day.desc())
        .limit(min(limit, LIMIT_MAX))
    ).all()


def chain_of(session: Session, viewer: Actor, job_id: JobId) -> tuple[int, bytes]:
    """The number and the link of the newest event of a job's chain; 0 and nothing before any."""
    job = jobs.job_of(session, viewer, job_id)
    head = session.get(ChainHead, job_scope(job.id))
    return (head.number, bytes(head.hash)) if head is not None else (0, b"")


def unsigned_heads(session: Session, day: date, *, limit: int) -> Sequence[ChainHead]:
    """Heads of chains that grew since theirs was last kept, without one of this day or a later
    one; for the background."""
    last = (
        select(DayHead.number)
        .where(DayHead.scope == ChainHead.scope)
        .order_by(DayHead.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    since = select(DayHead.day).where(DayHead.scope == ChainHead.scope, DayHead.day >= day)
    return session.scalars(
        select(ChainHead)
        .where(ChainHead.number > func.coalesce(last, 0), ~since.exists(), ChainHead.hash != b"")
        .order_by(ChainHead.scope)
        .limit(limit)
    ).all()
