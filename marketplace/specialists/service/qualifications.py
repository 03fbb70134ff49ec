"""Attempts at qualifications: beginning one, and recording what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict
from marketplace.ids import new_id
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.rules.qualifications import NEXT_ATTEMPT, AttemptState


def begin_attempt(
    session: Session,
    actor: Actor,
    *,
    job_id: UUID,
    number: int,
    form: int,
    items: int,
    pass_ratio: Decimal,
    due_at: datetime,
) -> QualificationResult:
    """A live attempt of the actor's; `routing.start_attempt` has decided that it may begin."""
    attempt = QualificationResult(
        id=new_id(),
        person_id=actor.person(),
        job_id=job_id,
        attempt=number,
        form=form,
        state=AttemptState.LIVE,
        items=items,
        pass_ratio=pass_ratio,
        started_at=clock.now(),
        due_at=due_at,
        by_concept={},
        by_item={},
    )
    session.add(attempt)
    session.flush()  # The unique indexes speak here, beside the cause.
    audit.record(session, actor, "began attempt", attempt.id, job_id=job_id, number=number)
    return attempt


def record_result(
    session: Session,
    attempt: QualificationResult,
    *,
    score: Decimal,
    by_concept: Mapping[str, Any],
    by_item: Mapping[str, float],
    valid_days: int,
) -> None:
    """End a live attempt with its marks; `quality` has made them. score: 0..1, three decimals."""
    attempt.score = score
    attempt.by_concept, attempt.by_item = dict(by_concept), dict(by_item)
    attempt.passed = score >= attempt.pass_ratio
    at = clock.now()
    attempt.expires_at = at + timedelta(days=valid_days) if attempt.passed else None
    _end(session, attempt, AttemptState.SCORED, at)


def void_attempt(session: Session, attempt: QualificationResult) -> None:
    """End a live attempt without marks: its owner ended the qualification first."""
    _end(session, attempt, AttemptState.VOID, clock.now())


def _end(session: Session, attempt: QualificationResult, state: AttemptState, at: datetime) -> None:
    if state not in NEXT_ATTEMPT[attempt.state]:
        raise Conflict(f"This attempt is {attempt.state.value} already.")
    attempt.state, attempt.finished_at = state, at
    session.flush()  # The database checks the marks beside their cause.
    audit.record(session, SYSTEM, f"{state.value} attempt", attempt.id, passed=attempt.passed)
