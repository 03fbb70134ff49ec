"""What tax law says of a drafted line, as it is now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.money import Money
from marketplace.payouts.models import PayoutLine
from marketplace.payouts.service.tax import PayGate, may_pay


def tax_answer(session: Session, line: PayoutLine) -> PayGate:
    """Whether a drafted line may still be paid, with what was withheld of it."""
    on = clock.book_day(clock.now(), settings.current().book_timezone)
    return may_pay(
        session,
        line.specialist_id,
        line.currency,
        line.amount,
        on,
        withheld=Money(line.withheld_minor, line.currency),
        line_id=line.id,
    )
