"""A week of earnings as bars: what is pending, payable and paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import AccrualId
from marketplace.ledger.queries import SpecialistBalance
from marketplace.money import Money
from marketplace.review import queries as review
from marketplace.review.queries import Earning
from marketplace.web import plots
from marketplace.web.filters import money, reader_zone

DAYS = 7
PAGE = 200
PAGES_MAX = 10
SERIES = ("Pending", "Payable", "Paid")


def plots_of(
    session: Session, viewer: Actor, balances: Mapping[str, SpecialistBalance]
) -> list[tuple[str, Markup]]:
    """For each currency of the viewer's earnings of the last seven days, its plot."""
    zone = ZoneInfo(reader_zone())
    today = clock.now().astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    earned = _since(session, viewer, datetime.combine(first, datetime.min.time(), zone))
    found = []
    for currency in sorted({each.accrual.currency for each in earned}):
        own = [each for each in earned if each.accrual.currency == currency]
        unpaid = _unpaid(balances.get(currency))
        columns = columns_of(own, unpaid_minor=unpaid, first=first, zone=zone)
        found.append((currency, _bars(currency, columns)))
    return found


def _bars(currency: str, columns: Sequence[plots.Column]) -> Markup:
    def words(minor: float) -> str:
        return money(Money(round(minor), currency))

    return plots.bars(f"Earned in the last seven days, {currency}", columns, SERIES, words=words)


def _unpaid(balance: SpecialistBalance | None) -> int:
    """What has cleared and has not left for the bank, in minor units."""
    if balance is None:
        return 0
    return balance.available.minor + balance.held.minor + balance.payout_reserved.minor


def _since(session: Session, viewer: Actor, start: datetime) -> list[Earning]:
    """The viewer's earnings from `start` on, newest first, at most two thousand."""
    found: list[Earning] = []
    after: AccrualId | None = None
    for _ in range(PAGES_MAX):
        page = review.earnings_of(session, viewer, after=after, limit=PAGE)
        found += [each for each in page if each.accrual.accrued_at >= start]
        if len(page) < PAGE or page[-1].accrual.accrued_at < start:
            break
        after = page[-1].accrual.id
    return found


def columns_of(
    earned: Iterable[Earning], *, unpaid_minor: int, first: date, zone: ZoneInfo
) -> list[plots.Column]:
    """One column for each of seven days from `first`: pending, payable and paid minor units.

    earned: newest first, in one currency. Payouts take the oldest money first, so of what has
    cleared the newest `unpaid_minor` is what is still to be paid.
    """
    sums = {first + timedelta(days=at): [0, 0, 0] for at in range(DAYS)}
    left = unpaid_minor
    for each in earned:
        parts = sums.get(each.accrual.accrued_at.astimezone(zone).date())
        amount = each.accrual.amount_minor
        waiting = each.accrual.cleared_at is None
        payable = 0 if waiting else min(amount, left)
        left -= payable
        if parts is None:
            continue
        parts[0] += amount if waiting else 0
        parts[1] += payable
        parts[2] += 0 if waiting else amount - payable
    return [plots.Column(f"{day:%a}", parts) for day, parts in sums.items()]
