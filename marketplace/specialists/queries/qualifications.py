"""Attempts at qualifications: a person's own, those that are due, and who has passed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, column, func, select, true
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import PersonId
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.rules.qualifications import AttemptState, PastAttempt

LISTED_MAX = 200


def passed(
    person: ColumnElement[Any], job_ids: ColumnElement[Sequence[UUID]]
) -> ColumnElement[bool]:
    """Whether a person holds a standing pass of each of these qualifications; true for none.

    person: a uuid; job_ids: a uuid[], such as `Job.qualification_ids`.
    """
    wanted = func.unnest(job_ids).table_valued(column("id", Uuid())).render_derived(name="wanted")
    held = select(true()).where(
        QualificationResult.person_id == person,
        QualificationResult.job_id == wanted.c.id,
        QualificationResult.passed.is_(True),
        QualificationResult.expires_at > clock.now(),
    )
    return ~select(true()).select_from(wanted).where(~held.exists()).exists()


def passed_ids(session: Session, person_id: PersonId, job_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these qualifications the person holds a standing pass of."""
    return set(
        session.scalars(
            select(QualificationResult.job_id)
            .where(QualificationResult.person_id == person_id)
            .where(QualificationResult.job_id.in_(job_ids))
            .where(
                QualificationResult.passed.is_(True), QualificationResult.expires_at > clock.now()
            )
        )
    )


def attempts_of(
    session: Session, person_id: PersonId, job_id: UUID
) -> Sequence[QualificationResult]:
    """A person's attempts at one qualification, newest first; there are no more than its forms."""
    return session.scalars(
        select(QualificationResult)
        .where(QualificationResult.person_id == person_id, QualificationResult.job_id == job_id)
        .order_by(QualificationResult.attempt.desc())
        .limit(LISTED_MAX)
    ).all()


def past_attempts(
    attempts: Sequence[QualificationResult], anew_since: datetime | None = None
) -> list[PastAttempt]:
    """What the rules ask of attempts; passes from before `anew_since` count as run out then."""
    return [
        PastAttempt(each.form, each.state, each.finished_at, each.passed, _end(each, anew_since))
        for each in attempts
    ]


def _end(attempt: QualificationResult, anew_since: datetime | None) -> datetime | None:
    if anew_since is None or attempt.finished_at is None or attempt.finished_at >= anew_since:
        return attempt.expires_at
    return min(attempt.expires_at or anew_since, anew_since)


def own_attempts(session: Session, viewer: Actor) -> Sequence[QualificationResult]:
    """The viewer's attempts at all qualifications, newest first."""
    return session.scalars(
        select(QualificationResult)
        .where(QualificationResult.person_id == viewer.person())
        .order_by(QualificationResult.id.desc())
        .limit(LISTED_MAX)
    ).all()


def own_attempt(session: Session, viewer: Actor, attempt_id: UUID) -> QualificationResult:
    """One attempt of the viewer's; Missing for anybody else's."""
    found = session.get(QualificationResult, attempt_id)
    if found is None or found.person_id != viewer.person_id:
        raise Missing("There is no such attempt.")
    return found


def live_attempt(
    session: Session, person_id: PersonId, job_id: UUID, *, lock: bool = False
) -> QualificationResult | None:
    """The attempt that a person is at now, if any."""
    asked = select(QualificationResult).where(
        QualificationResult.person_id == person_id,
        QualificationResult.job_id == job_id,
        QualificationResult.state == AttemptState.LIVE,
    )
    if lock:
        asked = asked.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalar(asked)
