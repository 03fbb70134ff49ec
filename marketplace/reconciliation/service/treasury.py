"""Posting Stripe's lines that nobody else posts, and waking those who post the others.

Rules 5, 19, 20 and Stripe's reserves. Webhooks and the pull lead to the same posting: the
ledger takes a balance transaction once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock, outbox, settings
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.reconciliation.models import StripeStatementLine
from marketplace.reconciliation.rules.categories import (
    Owner,
    Treatment,
    fee_category,
    owner_of,
    treatment_of,
)

# Lines that were made this long ago and nobody posted are handed out again, once in each hour.
FORGOTTEN_AFTER = timedelta(minutes=10)
WOKEN_AT_ONCE = 500

_UNPOSTED = text(
    """
    SELECT line.id, line.kind FROM stripe_statement_line line
    WHERE line.account = '' AND line.seen_at <= :before AND NOT EXISTS (
      SELECT FROM ledger_transaction t WHERE t.balance_transaction_id = line.id)
    ORDER BY line.created_at, line.id LIMIT :most"""
)


def wake_owners(session: Session, lines: Iterable[tuple[str, str]], once: str = "") -> None:
    """Have the owner of each line (its id and type) post it; safe to repeat.

    once: makes a repeated call with the same word wake nobody twice.
    """
    for line_id, kind in lines:
        key = f"post-line:{line_id}:{once}"
        owner = owner_of(kind)
        if owner is Owner.BILLING:
            outbox.enqueue_once(session, key, "billing.post_line", bt=line_id)
        elif owner is Owner.PAYOUTS:
            outbox.enqueue_once(session, key, "payouts.post_line", bt=line_id)
        else:
            outbox.enqueue_once(session, key, "reconciliation.post_line", bt=line_id)


def wake_forgotten(session: Session) -> int:
    """Hand out again the lines that nobody posted; how many there are, up to the limit."""
    now = clock.now()
    asked = {"before": now - FORGOTTEN_AFTER, "most": WOKEN_AT_ONCE}
    rows = session.execute(_UNPOSTED, asked).all()
    wake_owners(session, [(row.id, row.kind) for row in rows], once=f"{now:%Y-%m-%dT%H}")
    return len(rows)


def post_line(session: Session, line_id: str) -> bool:
    """Post one of treasury's lines under its rule; False where a person has to.

    A failure of a payout raises the ledger's NothingToAnswer until the payout itself is posted.
    """
    line = session.scalars(
        select(StripeStatementLine).where(
            StripeStatementLine.id == line_id, StripeStatementLine.account == ""
        )
    ).first()
    if line is None or owner_of(line.kind) is not Owner.TREASURY or _is_posted(session, line_id):
        return False
    treatment = treatment_of(line.kind)
    if treatment is Treatment.PERSON or not line.net:
        return False
    on = _book_day(line.created_at)
    if treatment is Treatment.FUNDING:
        _post_funding(session, line, on)
    elif treatment in {Treatment.PAYOUT, Treatment.PAYOUT_BACK}:
        _post_payout(session, line, on, back=treatment is Treatment.PAYOUT_BACK)
    elif treatment is Treatment.RESERVE:
        ledger.record_reserve(
            session,
            balance_transaction_id=line.id,
            amount=Money(line.net, line.currency),
            effective_on=on,
        )
    else:
        _post_fee(session, line, on)
    return True


def _post_funding(session: Session, line: StripeStatementLine, on: date) -> None:
    """Rule 5: our own money arrived at Stripe."""
    ledger.record_stripe_funding(
        session,
        amount=Money(line.amount, line.currency),
        fee=Money(line.fee, line.currency),
        balance_transaction_id=line.id,
        effective_on=on,
    )


def _post_payout(session: Session, line: StripeStatementLine, on: date, *, back: bool) -> None:
    """Rule 19: our balance goes to our bank, or comes back."""
    ledger.record_platform_payout(
        session,
        payout_id=line.source_id or line.id,
        amount=Money(abs(line.amount), line.currency),
        balance_transaction_id=line.id,
        effective_on=on,
        step="failed" if back else "created",
        fee=Money(line.fee, line.currency),
    )


def _post_fee(session: Session, line: StripeStatementLine, on: date) -> None:
    """Rule 20, and what no rule knows: an expense, classified where Stripe's words say it."""
    known = treatment_of(line.kind) is Treatment.FEE
    words = str(line.body.get("description") or "") if known else ""
    ledger.record_stripe_fee(
        session,
        balance_transaction_id=line.id,
        amount=Money(-line.net, line.currency),
        category=fee_category(line.kind, words) if known else "unclassified",
        effective_on=on,
    )


def _is_posted(session: Session, line_id: str) -> bool:
    asked = text("SELECT 1 FROM ledger_transaction WHERE balance_transaction_id = :bt")
    return session.scalar(asked, {"bt": line_id}) is not None


def _book_day(at: datetime) -> date:
    return clock.book_day(at, settings.current().book_timezone)
