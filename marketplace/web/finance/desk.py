"""The desk: does the cash tie, whose is it, what is on its way, who can be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import MoneyByState
from marketplace.ledger.queries.position import CASH, OWED
from marketplace.money import Money, zero
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.queries import Group
from marketplace.payouts.rules import RunState
from marketplace.reconciliation import queries as statements
from marketplace.reconciliation.queries import Report, breaks, standing
from marketplace.reconciliation.rules import LABELS
from marketplace.web import plots, settings
from marketplace.web.filters import money
from marketplace.web.finance import desk_plots, shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.breaks import ages_plot
from marketplace.web.finance.entries import FIGURES
from marketplace.web.guards import me, needs

# Stripe is asked every five minutes; a statement older than this means that something is down.
STALE = timedelta(minutes=30)
GOING_ON = (RunState.RELEASING, RunState.APPROVED, RunState.DRAFT)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the desk: its name among `entries.FIGURES`, words, an amount by currency."""

    name: str
    label: str
    figures: list[Money]


# Names of MoneyByState that are always shown; the others only where there is anything.
ALWAYS = ("labs_available", "jobs_reserved", "pending", "available", "held", "payout_reserved")
SEGMENTS = ("labs_available", "jobs_reserved", *ALWAYS[2:])
CASH_ROWS = ("at_stripe", *(name for name in CASH if name != "at_stripe"), "disputed")
CUSTODY = ("connected", "to_bank", "in_connected")
CUSTODY_NAMES = ("connected", "to_specialists", "in_connected")


@finance.get("")
@needs(Permission.FINANCE_VIEW)
def desk() -> str:
    """Everything that finance looks at first."""
    with transaction() as session:
        facts = _money(session) | _work(session) | _dates(session)
    return render_template("finance/desk.html", **facts)


def _money(session: Session) -> dict[str, Any]:
    """What ties to the book: cash, whose it is, cover, what lies outside."""
    by_state = ledger.money_by_state(session, me())
    report = statements.latest_report(session, me())
    course = ledger.cover_by_day(session, me(), by_state, clock.now())
    outside = ledger.custody(session, me())
    return {
        "currencies": list(by_state),
        "by_state": by_state,
        "owed_rows": rows_of(by_state, OWED),
        "cash_rows": rows_of(by_state, CASH_ROWS, always=("at_stripe",)),
        "our_rows": rows_of(by_state, ("labs_owe", "specialists_owe"), always=()),
        "outside": outside,
        "outside_rows": [
            Row(name, FIGURES[name][0], [getattr(each, part) for each in outside.values()])
            for name, part in zip(CUSTODY_NAMES, CUSTODY, strict=True)
        ],
        "split": [split_plot(each) for each in by_state.values() if each.owed],
        "cover_plots": [desk_plots.cover_plot(days) for days in course.values()],
        "report": report,
        "stale": report is not None and clock.now() - report.taken_at > STALE,
        "counts": _counts(report),
        "to_pay": _to_pay(session, by_state),
    }


def _work(session: Session) -> dict[str, Any]:
    """What is under way: runs, lines without an answer, breaks, disputes, refunds."""
    waiting = payouts.unresolved(session, me())
    going_on = [run for state in GOING_ON for run in payouts.runs(session, me(), state=state)]
    aged = breaks.ageing(session, me())
    return {
        "waiting": waiting,
        "waiting_sums": sums_of([line.amount for line, _ in waiting]),
        "runs": [(run, ended_of(session, run)) for run in going_on],
        "names": shown.names_of(session, {line.specialist_id for line, _ in waiting}),
        "aged": aged,
        "ages": ages_plot(aged),
        "disputes": standing.open_disputes(session, me()),
        "refunds": standing.open_refunds(session, me()),
        "tail": shown.tail,
    }


def _dates(session: Session) -> dict[str, Any]:
    """How far sources are reconciled, and what is due next."""
    today = clock.now().astimezone(ZoneInfo(settings().book_timezone)).date()
    sources = standing.reached(session, me())
    return {
        "today": today,
        "sources": sources,
        "reached": desk_plots.reached_plot(sources, today),
        "due": standing.due_next(session, me(), today),
        "withheld": sums_of([amount for _, amount in payouts.withheld_now(session, me())]),
        "remittances": payouts.open_remittances(session, me()),
    }


def sums_of(amounts: Sequence[Money]) -> dict[str, Money]:
    """Sums by currency, in the order of the codes."""
    sums: dict[str, Money] = {}
    for each in amounts:
        sums[each.currency] = sums.get(each.currency, zero(each.currency)) + each
    return dict(sorted(sums.items()))


def rows_of(
    by_state: dict[str, MoneyByState], names: Sequence[str], always: Sequence[str] = ALWAYS
) -> list[Row]:
    """A row for each named figure that is always shown, or that is anything in some currency."""
    rows = [
        Row(name, FIGURES[name][0], [getattr(each, name) for each in by_state.values()])
        for name in names
    ]
    return [row for row in rows if row.name in always or any(row.figures)]


def split_plot(each: MoneyByState) -> Markup:
    """One currency's money as one bar."""
    currency = each.at_stripe.currency
    short = {"labs_available": "Labs, free", "jobs_reserved": "Labs, for jobs"}
    parts = [
        (
            short.get(name, FIGURES[name][0].partition(", ")[2].capitalize()),
            getattr(each, name).minor,
        )
        for name in SEGMENTS
    ]
    rest = each.owed.minor - sum(minor for _, minor in parts)
    if rest:
        parts.append(("Other", rest))
    title = f"Whose money it is, in {currency}"
    return plots.share(title, parts, words=lambda minor: money(Money(round(minor), currency)))


def ended_of(session: Session, run: PayoutRun) -> int:
    """How many lines of a run that is being sent need nothing more."""
    if run.state is not RunState.RELEASING:
        return 0
    tally = payouts.tally(session, me(), run.id)
    return sum(count for state, count, _ in tally if state in {"transferred", "rejected"})


def minimum_of(currency: str) -> Money:
    """The smallest payout that is worth its transfer, unless a preparer says otherwise."""
    return payouts.minimum_of(currency)


def _to_pay(session: Session, by_state: dict[str, MoneyByState]) -> list[dict[str, Any]]:
    """For each currency with anything to pay out: who can be paid, and why others cannot."""
    found = []
    for currency, each in by_state.items():
        if each.available:
            groups = payouts.groups(session, me(), minimum=minimum_of(currency))
            nobody = Group(None, 0, zero(currency))
            can = next((one for one in groups if one.reason is None), nobody)
            cannot = [one for one in groups if one.reason is not None]
            least = minimum_of(currency)
            found.append({"currency": currency, "least": least, "can": can, "cannot": cannot})
    return found


def _counts(report: Report | None) -> list[tuple[str, str, int]]:
    """(kind, words, how many) for each kind of break that there is."""
    counts = report.counts() if report else {}
    return [(kind.value, LABELS[kind], number) for kind, number in counts.items() if number]
