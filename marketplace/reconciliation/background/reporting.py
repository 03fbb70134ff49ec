"""Stripe's own reports, asked for by a schedule, so that each day's lines are counted by Stripe."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from sqlalchemy import func, select

from marketplace import clock, outbox, stripe_client
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.reconciliation import stripe_gateway
from marketplace.reconciliation.background.statements import take_statement
from marketplace.reconciliation.models import StripeReportDay
from marketplace.reconciliation.rules.statements import SourceKind

log = structlog.get_logger(__name__)
# Lines may appear late, so the days before are always reported again.
AGAIN_DAYS, FIRST_DAYS, DAYS_MAX = 7, 35, 62
LOOK_EVERY, LOOKS_MAX = timedelta(seconds=30), 120


@outbox.background("reconciliation.ask_report", time_limit_seconds=60, every_seconds=21_600)
def ask_report(work: outbox.Work) -> None:
    """Ask for the days up to the last that Stripe has whole, and have the run watched.

    Safe to repeat: the same days are the same run at Stripe, and a file is taken once.
    """
    client = stripe_client.current()
    ends = stripe_gateway.report_days_until(client)
    run = stripe_gateway.ask_report(client, _begins(ends), ends)
    with transaction() as session:
        outbox.enqueue(session, "reconciliation.take_report", run_id=run.id)
        outbox.done(session, work)


def _begins(ends: date) -> date:
    """From which day on: the last days again, and all that no report covers yet."""
    with transaction() as session:
        covered: date | None = session.scalar(select(func.max(StripeReportDay.on_day)))
    if covered is None:
        return ends - timedelta(days=FIRST_DAYS)
    return max(min(ends - timedelta(days=AGAIN_DAYS), covered), ends - timedelta(days=DAYS_MAX))


@outbox.background("reconciliation.take_report", time_limit_seconds=280)
def take_report(work: outbox.Work, run_id: str) -> None:
    """Take a report's file once it is done; looked for again until then, for an hour."""
    run = stripe_gateway.report_now(stripe_client.current(), run_id)
    if run.file_id is not None:
        content = stripe_gateway.report_content(run.file_id)
        # A report of days on which nothing moved has its head alone, and proves nothing.
        if len(content.splitlines()) > 1:
            name = f"report-{clock.now():%Y-%m-%d}-{run_id}.csv"
            take_statement(SYSTEM, content, kind=SourceKind.STRIPE_BALANCE, name=name)
    with transaction() as session:
        if run.file_id is None and not run.failed and work.attempt < LOOKS_MAX:
            outbox.again(session, work, error="report_pending", after=LOOK_EVERY)
            return
        if run.file_id is None:
            log.warning("report_never_came", run_id=run_id, failed=run.failed)
        outbox.done(session, work)
