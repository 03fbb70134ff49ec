"""Bank accounts that have just changed, and so are not paid yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from marketplace import settings
from marketplace.ids import PersonId
from marketplace.payouts.models import PayeeAccount


def cooling_until(session: Session, person_id: PersonId, at: datetime) -> datetime | None:
    """Until when a specialist's new bank account is not paid; None where it is by `at`."""
    changed = session.scalar(
        select(PayeeAccount.paid_to_changed_at).where(PayeeAccount.person_id == person_id)
    )
    if changed is None or changed + cooldown() <= at:
        return None
    return changed + cooldown()


def cooling(session: Session, person_ids: Collection[UUID], at: datetime) -> frozenset[UUID]:
    """Those of these people whose new bank account is not paid yet."""
    rows = select(PayeeAccount.person_id).where(
        PayeeAccount.person_id.in_(list(person_ids)), still_cooling(at)
    )
    return frozenset(session.scalars(rows))


def still_cooling(at: datetime) -> ColumnElement[bool]:
    """The same in SQL, about the payee account of the statement."""
    return PayeeAccount.paid_to_changed_at > at - cooldown()


def cooldown() -> timedelta:
    """How long a bank account that has changed is not paid."""
    return timedelta(days=settings.current().payee_cooldown_days)
