"""Whether everything that others have to say about a month is here, and says nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.money import Money
from marketplace.reconciliation.models import BankStatement, StatementSource, StripeStatement
from marketplace.reconciliation.rules.overlaps import Hole, holes

STRIPE = "stripe"
ONE_DAY = timedelta(days=1)

# Each day of the newest report that covers it, beside the lines that we hold of that day.
REPORT_DAYS = """
    SELECT day.on_day, day.currency, day.line_count, day.gross, day.fee, day.net,
           count(line.id) AS our_count, coalesce(sum(line.amount), 0) AS our_gross,
           coalesce(sum(line.fee), 0) AS our_fee, coalesce(sum(line.net), 0) AS our_net
    FROM (SELECT DISTINCT ON (d.on_day, d.currency) d.*
          FROM stripe_report_day d JOIN statement_file f ON f.id = d.file_id
          ORDER BY d.on_day, d.currency, f.taken_at DESC, f.id DESC) day
    LEFT JOIN stripe_statement_line line ON line.account = '' AND line.currency = day.currency
      AND line.kind NOT IN ('payout', 'payout_failure', 'payout_cancel')
      AND line.created_at >= day.on_day::timestamp AT TIME ZONE 'UTC'
      AND line.created_at < (day.on_day + 1)::timestamp AT TIME ZONE 'UTC'
    WHERE day.on_day >= :from_on AND day.on_day <= :to_on
    GROUP BY day.on_day, day.currency, day.line_count, day.gross, day.fee, day.net
    HAVING (count(line.id), coalesce(sum(line.amount), 0), coalesce(sum(line.fee), 0))
      <> (day.line_count, day.gross, day.fee)
    ORDER BY day.on_day, day.currency LIMIT 1000
"""
# Days after the first reported one on which we hold lines, and which no report has.
_UNREPORTED = text(
    """
    SELECT DISTINCT (line.created_at AT TIME ZONE 'UTC')::date AS on_day
    FROM stripe_statement_line line
    WHERE line.account = '' AND line.kind NOT IN ('payout', 'payout_failure', 'payout_cancel')
      AND line.created_at >= CAST(:from_on AS timestamp) AT TIME ZONE 'UTC'
      AND line.created_at < (CAST(:to_on AS date) + 1)::timestamp AT TIME ZONE 'UTC'
      AND (line.created_at AT TIME ZONE 'UTC')::date > (SELECT max(on_day) FROM stripe_report_day)
    ORDER BY 1 LIMIT 31"""
)
# What all lines of an account sum to, beside the balance that Stripe states.
_SUMS = text(
    """
    SELECT currency, sum(net) AS net FROM stripe_statement_line
    WHERE account = :account AND seen_at <= :taken_at GROUP BY currency
    """
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that others have not told yet. source: as breaks name it; kind: `statement`,
    `hole`, `lines` or `report`; since: the day from which on it is missing; key: its name.
    """

    source: str
    kind: str
    sentence: str
    since: date
    key: str
    missing: Money | None = None

    def __str__(self) -> str:
        return self.sentence


def month_days(month: date) -> tuple[date, date]:
    """The first and the last day of the month that a day lies in."""
    first = month.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def completeness(session: Session, month: date) -> list[Gap]:
    """Every gap that keeps a month from being closed; empty when all sources are complete.

    Of a month that is not over, nobody can have told more than the days until yesterday.
    """
    first, ends = month_days(month)
    last = min(ends, clock.book_day(clock.now(), settings.current().book_timezone) - ONE_DAY)
    if last < first:
        return []
    gaps = stripe_gaps(session, first, last)
    for source in session.scalars(select(StatementSource).order_by(StatementSource.id)):
        gaps += bank_gaps(session, source, first, last)
    return gaps


def bank_gaps(
    session: Session, source: StatementSource, first: date | None, last: date | None
) -> list[Gap]:
    """What is missing of one account; without days only the holes, with days also its end."""
    known = list(
        session.scalars(
            select(BankStatement)
            .where(BankStatement.source_id == source.id)
            .order_by(BankStatement.from_on, BankStatement.id)
        )
    )
    gaps = [
        _hole_gap(source, each)
        for each in holes(known)
        if first is None
        or last is None
        or (each.before.to_on <= last and each.after.to_on >= first)
    ]
    newest = max((each.to_on for each in known), default=None)
    if last is not None and (newest is None or newest < last):
        until = f"end on {newest:%-d %B %Y}" if newest else "have not begun"
        gaps.append(
            Gap(
                source.break_source,
                "statement",
                f"The statements of {source.name} {until}; upload those up to {last:%-d %B}.",
                newest or last,
                f"until:{last}",
            )
        )
    return gaps


def _hole_gap(source: StatementSource, hole: Hole) -> Gap:
    key = f"{hole.before.to_on}:{hole.after.from_on}:{hole.before.number}:{hole.after.number}"
    sentence = f"{source.name}: {hole.sentence}"
    return Gap(source.break_source, "hole", sentence, hole.after.from_on, key, hole.missing)


def stripe_gaps(session: Session, first: date, last: date) -> list[Gap]:
    """What is missing of Stripe: a balance taken after the days, lines behind it, and report's
    days that count otherwise."""
    zone = ZoneInfo(settings.current().book_timezone)
    over = datetime.combine(last + timedelta(days=1), time(), zone)
    newest = newest_statement(session, "")
    if newest is None or newest.taken_at < over:
        return [
            Gap(
                STRIPE,
                "statement",
                f"Stripe's balance was not taken since {last:%-d %B} ended; it is taken by "
                "itself every few minutes while Stripe answers.",
                last,
                f"until:{last}",
            )
        ]
    return [
        *line_gaps(session, newest),
        *report_gaps(session, first, last),
        *_unreported(session, first, last),
    ]


def _unreported(session: Session, first: date, last: date) -> list[Gap]:
    """Days with lines that Stripe's reports, once there are any, do not reach yet."""
    days = {"from_on": first, "to_on": last}
    return [
        Gap(
            STRIPE,
            "report",
            f"Stripe's report of {row.on_day} is not here; it is asked for by itself four times a "
            "day, once Stripe has counted that day.",
            row.on_day,
            f"unreported:{row.on_day}",
        )
        for row in session.execute(_UNREPORTED, days)
    ]


def newest_statement(session: Session, account: str) -> StripeStatement | None:
    """The newest balance of an account at Stripe; "" is ours."""
    found = select(StripeStatement).where(StripeStatement.account == account)
    return session.scalars(found.order_by(StripeStatement.id.desc()).limit(1)).first()


def line_gaps(session: Session, statement: StripeStatement) -> list[Gap]:
    """Where the lines of an account do not sum to the balance that Stripe states for it."""
    rows = session.execute(
        _SUMS, {"account": statement.account, "taken_at": statement.taken_at}
    ).all()
    sums = {row.currency: int(row.net) for row in rows}
    gaps = []
    for currency in sorted({*sums, *statement.balances}):
        stated = sum(statement.balances.get(currency, {}).values())
        missing = Money(stated - sums.get(currency, 0), currency)
        if missing:
            gaps.append(
                Gap(
                    STRIPE if not statement.account else f"stripe:{statement.account}",
                    "lines",
                    f"Stripe's balance is {Money(stated, currency)} and its lines sum to "
                    f"{Money(sums.get(currency, 0), currency)}: lines worth {missing} are missing.",
                    statement.taken_at.date(),
                    f"lines:{currency}",
                    missing,
                )
            )
    return gaps


def report_gaps(session: Session, first: date, last: date) -> list[Gap]:
    """Days for which Stripe's own report counts or sums otherwise than the lines we hold."""
    rows = session.execute(text(REPORT_DAYS), {"from_on": first, "to_on": last}).all()
    return [_report_gap(row) for row in rows]


def _report_gap(row: object) -> Gap:
    day, currency = row.on_day, row.currency  # type: ignore[attr-defined]
    theirs = Money(int(row.net), currency)  # type: ignore[attr-defined]
    ours = Money(int(row.our_net), currency)  # type: ignore[attr-defined]
    counts = row.line_count, row.our_count  # type: ignore[attr-defined]
    return Gap(
        STRIPE,
        "report",
        f"Stripe's report has {counts[0]} lines worth {theirs} on {day} and we hold {counts[1]} "
        f"worth {ours}.",
        day,
        f"report:{day}:{currency}",
        theirs - ours,
    )
