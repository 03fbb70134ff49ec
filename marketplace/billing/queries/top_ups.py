"""What a lab may see of its top-ups."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import TopUp
from marketplace.errors import Missing
from marketplace.identity.rules import Permission

PAGE = 50


def top_ups_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[TopUp]:
    """The acting lab's top-ups, newest first; after: the id of the last one already seen."""
    viewer.require(Permission.BALANCE_VIEW)
    rows = select(TopUp).where(TopUp.organisation_id == viewer.organisation())
    if after is not None:
        rows = rows.where(TopUp.id < after)
    return list(session.scalars(rows.order_by(TopUp.id.desc()).limit(limit)))


def top_up_of(session: Session, viewer: Actor, top_up_id: UUID) -> TopUp:
    """One top-up of the acting lab; Missing when it is not there or another lab's."""
    viewer.require(Permission.BALANCE_VIEW)
    row = session.get(TopUp, top_up_id)
    if row is None or row.organisation_id != viewer.organisation():
        raise Missing("There is no such top-up.")
    return row


_POSTED = """
    SELECT format('Top-up %s is posted by %s and the book does not have it so.', u.id,
                  u.balance_transaction_id)
    FROM top_up u LEFT JOIN ledger_transaction t
      ON t.source_kind = 'top_up' AND t.source_id = u.balance_transaction_id
    WHERE u.state = 'posted' AND t.id IS DISTINCT FROM u.ledger_transaction_id LIMIT 100"""


def broken_invariants(session: Session) -> list[str]:
    """What must always be true of top-ups and is not, one sentence each; for the self-check."""
    return [str(told) for told in session.scalars(text(_POSTED))]
