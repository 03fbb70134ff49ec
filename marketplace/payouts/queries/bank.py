"""What the bank did, what was taken back, and what nobody explains: for finance."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.payouts.models import (
    ConnectedPayout,
    ConnectedPayoutPart,
    PayoutReversal,
    StrayTransfer,
)

PAGE = 50


def troubled_payouts(session: Session, *, limit: int = PAGE) -> list[ConnectedPayout]:
    """Payouts to banks that a person must look at, oldest first; for breaks and pages of finance,
    whose callers have authorised."""
    rows = select(ConnectedPayout).where(ConnectedPayout.trouble.is_not(None))
    return list(session.scalars(rows.order_by(ConnectedPayout.since).limit(limit)))


def bank_payouts_of(
    session: Session, viewer: Actor, line_ids: Collection[UUID]
) -> dict[UUID, ConnectedPayout]:
    """The newest payout to the bank that holds each of these lines."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(ConnectedPayoutPart.line_id, ConnectedPayout)
        .join(ConnectedPayout, ConnectedPayout.id == ConnectedPayoutPart.connected_payout_id)
        .where(ConnectedPayoutPart.line_id.in_(line_ids))
        .order_by(ConnectedPayout.made_at, ConnectedPayout.payout_id)
    )
    found: dict[UUID, ConnectedPayout] = {}
    for line_id, payout in session.execute(rows):
        found[line_id] = payout
    return found


def reversals_of(
    session: Session, viewer: Actor, *, line_ids: Collection[UUID] | None = None, limit: int = PAGE
) -> list[PayoutReversal]:
    """Reversals, newest first; of these lines, or of all."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(PayoutReversal)
    if line_ids is not None:
        rows = rows.where(PayoutReversal.line_id.in_(line_ids))
    return list(session.scalars(rows.order_by(PayoutReversal.id.desc()).limit(limit)))


def strays(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[StrayTransfer]:
    """Transfers that name lines which this database does not know, and nobody has settled."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(StrayTransfer).where(StrayTransfer.settled_at.is_(None))
    return list(session.scalars(rows.order_by(StrayTransfer.found_at).limit(limit)))
