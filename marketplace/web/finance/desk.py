"""The desk: does the cash tie, whose is it, what is on its way, who can be paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import MoneyByState
from marketplace.money import Money, zero
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.queries import Group
from marketplace.payouts.rules import RunState
from marketplace.reconciliation import queries as statements
from marketplace.reconciliation.queries import Report
from marketplace.reconciliation.rules import LABELS
from marketplace.web import plots
from marketplace.web.filters import money
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.guards import me, needs

# Stripe is asked every five minutes; a statement older than this means that something is down.
STALE = timedelta(minutes=30)
GOING_ON = (RunState.RELEASING, RunState.APPROVED, RunState.DRAFT)


@dataclass(frozen=True, slots=True)
class Row:
    """One state that money can be in: its words, the accounts behind it, a figure by currency."""

    label: str
    pattern: str
    figures: list[Money]


# Attribute of MoneyByState, words, and the codes of the accounts behind the figure.
STATES = (
    ("labs_available", "Labs, available", "L:lab:*:available:"),
    ("jobs_reserved", "Labs, set aside for jobs", "L:job:*:"),
    ("pending", "Specialists, pending", "L:spec:*:pending:"),
    ("available", "Specialists, available", "L:spec:*:available:"),
    ("held", "Specialists, held", "L:spec:*:held:"),
    ("payout_reserved", "Specialists, in payout runs", "L:spec:*:payout_reserved:"),
)


@finance.get("")
@needs(Permission.FINANCE_VIEW)
def desk() -> str:
    """Everything that finance looks at first."""
    with transaction() as session:
        facts = _facts(session)
    return render_template("finance/desk.html", **facts)


def _facts(session: Session) -> dict[str, Any]:
    by_state = ledger.money_by_state(session, me())
    report = statements.latest_report(session, me())
    waiting = payouts.unresolved(session, me())
    going_on = [run for state in GOING_ON for run in payouts.runs(session, me(), state=state)]
    return {
        "currencies": list(by_state),
        "by_state": by_state,
        "rows": state_rows(by_state),
        "sent": payouts.sent_totals(session, me()),
        "split": [split_plot(each) for each in by_state.values() if each.owed],
        "report": report,
        "stale": report is not None and clock.now() - report.taken_at > STALE,
        "counts": _counts(report),
        "waiting": waiting,
        "runs": [(run, ended_of(session, run)) for run in going_on],
        "to_pay": _to_pay(session, by_state),
        "names": shown.names_of(session, {line.specialist_id for line, _ in waiting}),
        "tail": shown.tail,
    }


def state_rows(by_state: dict[str, MoneyByState]) -> list[Row]:
    """A row for each state that a customer's money can be in."""
    return [
        Row(label, pattern, [getattr(each, name) for each in by_state.values()])
        for name, label, pattern in STATES
    ]


def split_plot(each: MoneyByState) -> Markup:
    """One currency's money as one bar."""
    currency = each.at_stripe.currency
    short = {"labs_available": "Labs, free", "jobs_reserved": "Labs, for jobs"}
    parts = [
        (short.get(name, label.partition(", ")[2].capitalize()), getattr(each, name).minor)
        for name, label, _ in STATES
    ]
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
