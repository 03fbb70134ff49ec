"""Watching a lab's money: a letter when it runs low, and jobs that wait for it or go on again."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing.models import BalanceWatch
from marketplace.billing.queries import used_by_day
from marketplace.billing.rules.automatic import days_left
from marketplace.billing.service import letters
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, OrganisationId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger.service import InsufficientFunds
from marketplace.money import Money, total
from marketplace.routing import service as routing
from marketplace.routing.rules import SpendingRefused

TELL_PAUSED = "billing.tell_paused"
FORECAST_DAYS = 14
WATCHED_MAX = 1_000
JOBS_MAX = 200
WAITS_FOR_MONEY = (PauseReason.MONEY, PauseReason.LIMIT)


# What a watched lab has available, in the watch's own row.
_available = ledger_queries.available_of(BalanceWatch.organisation_id, BalanceWatch.currency)


def set_watch(session: Session, actor: Actor, low: Money, *, resumes_jobs: bool) -> None:
    """Warn the lab below an amount (zero: never), and say whether jobs resume after a top-up."""
    actor.require(Permission.SPENDING_LIMIT)
    if low.minor < 0:
        raise Faulty("The amount is below zero.", [Fault("/low", "Write zero or more.")])
    values = {
        "low_minor": low.minor,
        "resumes_jobs": resumes_jobs,
        "warned_at": None,
        "set_by": actor.person(),
        "set_at": clock.now(),
    }
    key = {"organisation_id": actor.organisation(), "currency": low.currency}
    row = insert(BalanceWatch).values(**key, **values)
    session.execute(row.on_conflict_do_update(index_elements=list(key), set_=values))
    session.expire_all()
    facts = {"low": low.minor, "currency": low.currency, "resumes": resumes_jobs}
    audit.record(session, actor, "set a balance watch", actor.organisation(), **facts)


def lasts_days(session: Session, lab: OrganisationId, available: Money) -> int | None:
    """How many days the money lasts if work goes on as in the last fortnight; None without work."""
    until = _today() + timedelta(days=1)
    since = until - timedelta(days=FORECAST_DAYS)
    used = used_by_day(session, lab, available.currency, since, until)
    spent = total((amount for _, amount in used), available.currency)
    return days_left(available, spent, FORECAST_DAYS)


def watch_balances(session: Session, *, most: int = WATCHED_MAX) -> int:
    """Write once for each fall below a lab's own amount; how many labs were written to, at most
    `most` at a time, which leaves the others to the next call."""
    rows = (
        select(BalanceWatch)
        .where(BalanceWatch.low_minor > 0, _available < BalanceWatch.low_minor)
        .where(BalanceWatch.warned_at.is_(None))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    told = 0
    for row in session.scalars(rows):
        lab = OrganisationId(row.organisation_id)
        available = ledger_queries.lab_balance(session, lab, row.currency).available
        row.warned_at = clock.now()
        days = lasts_days(session, lab, available)
        letters.balance_low(session, lab, available, row.low, days)
        facts = {
            "available_minor": available.minor,
            "low_minor": row.low.minor,
            "currency": available.currency,
            "days_left": days,
        }
        outbox.announce(session, "budget.low", row.organisation_id, facts, organisation_id=lab)
        told += 1
    risen = update(BalanceWatch).where(
        BalanceWatch.warned_at.is_not(None), _available >= BalanceWatch.low_minor
    )
    session.execute(risen.values(warned_at=None))
    return told


def tell_paused(session: Session) -> None:
    """Have the labs written to whose jobs have just paused for want of money; once a pause."""
    rows = select(Job).where(Job.state == JobState.PAUSED, Job.pause_reason.in_(WAITS_FOR_MONEY))
    for job in session.scalars(rows.order_by(Job.id.desc()).limit(JOBS_MAX)):
        key = f"money-pause:{job.id}:{job.version}"
        outbox.enqueue_once(session, key, TELL_PAUSED, job_id=job.id)


def write_paused(session: Session, job_id: JobId) -> None:
    """Tell a lab that a job has paused, why, and what to do; nothing if it goes on meanwhile."""
    job = session.get(Job, job_id)
    if job is None or job.pause_reason not in WAITS_FOR_MONEY:
        return
    lab = OrganisationId(job.organisation_id)
    watch = session.get(BalanceWatch, (lab, job.currency))
    outbox.announce(
        session,
        "budget.limit_reached" if job.pause_reason is PauseReason.LIMIT else "budget.ended",
        job.id,
        {"reason": job.pause_reason.value},
        organisation_id=lab,
        job_id=job.id,
    )
    letters.job_paused(session, job, resumes=watch is not None and watch.resumes_jobs)


def next_to_resume(session: Session, *, after: JobId | None = None) -> JobId | None:
    """The next job, by id, that waits for money in a lab that wants its jobs to go on."""
    rows = (
        select(Job.id)
        .join(
            BalanceWatch,
            (BalanceWatch.organisation_id == Job.organisation_id)
            & (BalanceWatch.currency == Job.currency),
        )
        .where(Job.state == JobState.PAUSED, Job.pause_reason == PauseReason.MONEY)
        .where(BalanceWatch.resumes_jobs.is_(True))
        .order_by(Job.id)
        .limit(1)
    )
    found = session.scalar(rows if after is None else rows.where(Job.id > after))
    return None if found is None else JobId(found)


def resume(session: Session, job_id: JobId) -> bool:
    """Resume a job that waits for money, if there is enough by now; whether it went on."""
    job = session.get(Job, job_id, with_for_update={"key_share": True}, populate_existing=True)
    if job is None or job.pause_reason is not PauseReason.MONEY:
        return False
    try:
        with session.begin_nested():
            routing.resume_job(session, SYSTEM, job_id)
    except (InsufficientFunds, SpendingRefused, Conflict):
        return False
    letters.job_resumed(session, job)
    return True


def _today() -> date:
    return clock.book_day(clock.now(), settings.current().book_timezone)
