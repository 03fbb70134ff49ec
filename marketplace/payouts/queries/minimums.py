"""The smallest payout of each currency, and the next day on which one is drafted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import settings
from marketplace.money import Money
from marketplace.payouts.models import PayoutSchedule


def minimum_of(currency: str) -> Money:
    """The smallest payout in a currency: its own setting, else the one for all."""
    own = dict(settings.current().payout_minimums)
    return Money(own.get(currency, settings.current().payout_minimum_minor), currency)


def next_run_at(session: Session, currency: str) -> datetime | None:
    """When the next run in a currency is drafted; None where no schedule says so."""
    soonest = select(func.min(PayoutSchedule.next_at)).where(
        PayoutSchedule.currency == currency, PayoutSchedule.enabled
    )
    return session.scalar(soonest)
