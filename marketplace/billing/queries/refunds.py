"""Refunds and disputes, as a lab and as finance see them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import Dispute, Refund, WriteOff
from marketplace.billing.rules.disputes import ONGOING, DisputeState, WriteOffState
from marketplace.billing.rules.refunds import RefundState
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.ledger.models import LedgerAccount
from marketplace.money import Money

PAGE = 50


def refunds_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[Refund]:
    """The acting lab's refunds, newest first; after: the id of the last one already seen."""
    viewer.require(Permission.BALANCE_VIEW)
    rows = select(Refund).where(Refund.organisation_id == viewer.organisation())
    return _newest(session, rows, after, limit)


def refund_of(session: Session, viewer: Actor, refund_id: UUID) -> Refund:
    """One refund of the acting lab; Missing when it is not there or another lab's."""
    viewer.require(Permission.BALANCE_VIEW)
    row = session.get(Refund, refund_id)
    if row is None or row.organisation_id != viewer.organisation():
        raise Missing("There is no such refund.")
    return row


def all_refunds(
    session: Session,
    viewer: Actor,
    *,
    state: RefundState | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[Refund]:
    """Refunds of every lab, newest first, of one state or all; for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Refund)
    if state is not None:
        rows = rows.where(Refund.state == state)
    return _newest(session, rows, after, limit)


def _newest(session: Session, rows: Select[Refund], after: UUID | None, limit: int) -> list[Refund]:
    if after is not None:
        rows = rows.where(Refund.id < after)
    return list(session.scalars(rows.order_by(Refund.id.desc()).limit(limit)))


def disputes_of(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[Dispute]:
    """The acting lab's contested payments, newest first."""
    viewer.require(Permission.BALANCE_VIEW)
    rows = select(Dispute).where(Dispute.organisation_id == viewer.organisation())
    return list(session.scalars(rows.order_by(Dispute.id.desc()).limit(limit)))


def all_disputes(
    session: Session, viewer: Actor, *, ongoing: bool, limit: int = PAGE
) -> list[Dispute]:
    """Disputes of every lab: those that go on by when evidence is due, or the others, newest
    first; for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Dispute)
    if ongoing:
        rows = rows.where(Dispute.state.in_(ONGOING))
        rows = rows.order_by(Dispute.evidence_due_at.asc().nulls_last(), Dispute.id)
    else:
        rows = rows.where(Dispute.state.not_in(ONGOING)).order_by(Dispute.id.desc())
    return list(session.scalars(rows.limit(limit)))


def dispute_of(session: Session, viewer: Actor, dispute_id: UUID) -> Dispute:
    """One dispute, for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    row = session.get(Dispute, dispute_id)
    if row is None:
        raise Missing("There is no such dispute.")
    return row


def contested(session: Session, viewer: Actor) -> dict[str, Money]:
    """What open disputes hold back at Stripe, by currency; for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(Dispute.currency, func.sum(Dispute.amount_minor))
        .where(Dispute.state == DisputeState.OPEN)
        .group_by(Dispute.currency)
        .order_by(Dispute.currency)
    )
    return {currency: Money(int(minor or 0), currency) for currency, minor in session.execute(rows)}


def debtors(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[tuple[UUID, Money]]:
    """Labs that owe us, the most first; for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(LedgerAccount.owner_id, LedgerAccount.balance, LedgerAccount.currency)
        .where(LedgerAccount.stem == "A:receivable:lab", LedgerAccount.balance > 0)
        .order_by(LedgerAccount.balance.desc())
        .limit(limit)
    )
    return [
        (OrganisationId(lab), Money(int(minor or 0), currency))
        for lab, minor, currency in session.execute(rows)
        if lab is not None
    ]


def proposed_write_offs(session: Session, viewer: Actor) -> list[WriteOff]:
    """Write-offs that wait for a decision; for finance."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(WriteOff).where(WriteOff.state == WriteOffState.PROPOSED)
    return list(session.scalars(rows.order_by(WriteOff.id).limit(PAGE)))


_CHECKS = (
    """SELECT format('Refund %s is %s and the book does not have it so.', r.id, r.state)
    FROM refund r
    LEFT JOIN ledger_transaction s ON s.source_kind = 'refund_sent' AND s.source_id = r.id::text
    LEFT JOIN ledger_transaction f ON f.source_kind = 'refund_failed' AND f.source_id = r.id::text
    LEFT JOIN ledger_transaction c ON c.source_kind = 'refund_cancel' AND c.source_id = r.id::text
    WHERE (s.id IS NOT NULL) <> (r.state IN ('sent', 'returned'))
       OR (f.id IS NOT NULL) <> (r.state = 'returned')
       OR (c.id IS NOT NULL) <> (r.state IN ('refused', 'cancelled')) LIMIT 100""",
    """SELECT format('Payment %s was refunded %s %s of the %s that were paid.', t.id,
                     sum(r.amount_minor), t.currency, t.amount_minor)
    FROM refund r JOIN top_up t ON t.id = r.top_up_id
    WHERE r.state NOT IN ('refused', 'cancelled', 'returned')
    GROUP BY t.id HAVING sum(r.amount_minor) > t.amount_minor LIMIT 100""",
    """SELECT format('Dispute %s is %s and the book does not have it so.', d.stripe_dispute_id,
                     d.state)
    FROM dispute d
    LEFT JOIN ledger_transaction o
      ON o.source_kind = 'dispute' AND o.source_id = d.stripe_dispute_id
    LEFT JOIN ledger_transaction w
      ON w.source_kind = 'dispute_won' AND w.source_id = d.stripe_dispute_id
    LEFT JOIN ledger_transaction l
      ON l.source_kind = 'dispute_lost' AND l.source_id = d.stripe_dispute_id
    WHERE (o.id IS NOT NULL) <> (d.withdrawal_id IS NOT NULL)
       OR (w.id IS NOT NULL) <> (d.reinstatement_id IS NOT NULL)
       OR (l.id IS NOT NULL) <> (d.lost_posted_at IS NOT NULL) LIMIT 100""",
)


def broken_invariants(session: Session) -> list[str]:
    """What must always be true of refunds and disputes and is not, one sentence each."""
    return [str(told) for check in _CHECKS for told in session.scalars(text(check))]
