"""Held pay: for those who answer for it, and for its owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.payouts.models import PayHold, PayHoldEvent
from marketplace.payouts.rules.pay_holds import PayHoldState

PAGE = 50


def pay_holds(
    session: Session,
    viewer: Actor,
    *,
    state: PayHoldState = PayHoldState.OPEN,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[PayHold]:
    """Holds of one state, oldest first; never one's own."""
    viewer.require(Permission.PAY_HOLD)
    rows = select(PayHold).where(PayHold.state == state)
    if viewer.person_id is not None:
        rows = rows.where(PayHold.person_id != viewer.person_id)
    if after is not None:
        rows = rows.where(PayHold.id > after)
    return list(session.scalars(rows.order_by(PayHold.id).limit(limit)))


def pay_hold_of(session: Session, viewer: Actor, hold_id: UUID) -> PayHold:
    """One hold; Missing where there is none."""
    viewer.require(Permission.PAY_HOLD)
    hold = session.get(PayHold, hold_id)
    if hold is None or hold.person_id == viewer.person_id:
        raise Missing("There is no such hold.")
    return hold


def own_pay_holds(session: Session, viewer: Actor) -> list[PayHold]:
    """What of the viewer's own pay is held, oldest first."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = select(PayHold).where(
        PayHold.person_id == viewer.person(), PayHold.state == PayHoldState.OPEN
    )
    return list(session.scalars(rows.order_by(PayHold.id).limit(PAGE)))


def hold_events(session: Session, hold_ids: Collection[UUID]) -> dict[UUID, list[PayHoldEvent]]:
    """The history of each of these holds, oldest first; for readers who may see the holds."""
    rows = select(PayHoldEvent).where(PayHoldEvent.hold_id.in_(list(hold_ids)))
    found: dict[UUID, list[PayHoldEvent]] = defaultdict(list)
    for event in session.scalars(rows.order_by(PayHoldEvent.id)):
        found[event.hold_id].append(event)
    return found


def stale_holds(session: Session, at: datetime) -> list[tuple[UUID, PersonId, datetime]]:
    """Open holds whose second look was due before `at`: id, whose owner answers, since when."""
    rows = select(PayHold.id, PayHold.owner_id, PayHold.look_due_at).where(
        PayHold.state == PayHoldState.OPEN, PayHold.look_due_at < at
    )
    ordered = rows.order_by(PayHold.look_due_at).limit(1_000)
    return [(hold, owner, due) for hold, owner, due in session.execute(ordered)]
