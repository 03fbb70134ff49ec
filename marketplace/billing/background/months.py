"""What the calendar asks of billing: the invoices of months that are over, debits that clear."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from marketplace import clock, outbox, settings
from marketplace.billing import queries, service
from marketplace.billing.rules.invoices import month_after
from marketplace.db import transaction
from marketplace.ids import OrganisationId
from marketplace.ledger.service import PeriodClosed

ISSUE_LAB = "billing.issue_lab"
HOUR = 3_600
# A month's last acceptances are in the book by then, and the accountant has a day to look.
WAIT = timedelta(hours=6)
MONTHS_MAX = 120


def months_over(first: date) -> list[date]:
    """The months from that of `first` to the last that is over, in the book's calendar."""
    today = clock.book_day(clock.now() - WAIT, settings.current().book_timezone)
    months = [first.replace(day=1)]
    while month_after(months[-1]) <= today and len(months) < MONTHS_MAX:
        months.append(month_after(months[-1]))
    return months[:-1]


@outbox.background("billing.issue_months", time_limit_seconds=600, every_seconds=6 * HOUR)
def issue_months(work: outbox.Work) -> None:
    """Ask for the invoices of every lab that used something in a month that is over."""
    with transaction() as session:
        for lab, currency in queries.labs_with_use(session):
            outbox.enqueue_once(
                session,
                f"invoices:{lab}:{currency}:{work.id}",
                ISSUE_LAB,
                organisation_id=lab,
                currency=currency,
            )
        outbox.done(session, work)


@outbox.background("billing.issue_lab", time_limit_seconds=600)
def issue_lab(work: outbox.Work, organisation_id: str, currency: str) -> None:
    """Issue one lab's invoices in one currency, a transaction for each month.

    A lab that never wrote its billing details gets none yet; its months wait and lose nothing.
    """
    lab = OrganisationId(UUID(organisation_id))
    with transaction() as session:
        today = clock.book_day(clock.now(), settings.current().book_timezone)
        first = queries.first_use(session, lab, currency, today)
        begun = queries.last_invoiced(session, lab, currency)
    for month in months_over(begun or first) if first else []:
        try:
            with transaction() as session:
                service.issue_month(session, lab, currency, month)
        except service.DetailsMissing:
            break
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("billing.clear_top_ups", time_limit_seconds=120, every_seconds=600)
def clear_top_ups(work: outbox.Work) -> None:
    """Turn pending top-ups whose window has passed into available money, each by itself."""
    with transaction() as session:
        due = service.due_to_clear(session)
    for top_up_id in due:
        try:
            with transaction() as session:
                service.clear_top_up(session, top_up_id)
        except PeriodClosed:  # The month is being closed; the next run posts it.
            continue
    with transaction() as session:
        outbox.done(session, work)
