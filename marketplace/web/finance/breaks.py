"""Breaks: the list by state, kind and age, and the file of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.reconciliation.models import Break
from marketplace.reconciliation.queries import breaks as queries
from marketplace.reconciliation.queries.breaks import Aged, Wanted
from marketplace.reconciliation.rules.breaks import (
    LABELS,
    SEVERITY_LABELS,
    STATE_LABELS,
    BreakKind,
    BreakState,
    Bucket,
    Severity,
    age_days,
)
from marketplace.web import plots
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import Cell, amount, csv_text, download
from marketplace.web.guards import me, needs

PAGE = 50
ROWS_READ = 500
HEAD = (
    "reference", "kind", "source", "key", "difference", "currency", "since", "age_days",
    "severity", "state", "owner", "wait_until", "resolution", "resolved_at",
)  # fmt: skip
# What each severity and state looks like, by the names of ui.html.
SEVERITY_TONES = {
    Severity.HIGH: ("stop", "octagon-alert"),
    Severity.MEDIUM: ("watch", "triangle-alert"),
    Severity.LOW: ("neutral", "info"),
}
STATE_LOOKS = {
    BreakState.OPEN: "open",
    BreakState.ASSIGNED: "queued",
    BreakState.INVESTIGATING: "checking",
    BreakState.PROPOSED: "proposed",
    BreakState.APPROVED: "waiting",
    BreakState.RESOLVED: "done",
}
LOOKS: dict[str, Any] = {
    "kinds": LABELS,
    "states": STATE_LABELS,
    "state_looks": STATE_LOOKS,
    "severities": SEVERITY_LABELS,
    "severity_tones": SEVERITY_TONES,
}


def wanted() -> Wanted:
    """Which breaks the address asks for; what it spells wrong is left out."""
    asked = request.args
    owner = me().person_id if asked.get("owner") == "me" else parse_id(asked.get("owner", ""))
    return Wanted(
        state={each.value: each for each in BreakState}.get(asked.get("state", "")),
        kind={each.value: each for each in BreakKind}.get(asked.get("kind", "")),
        severity={each.value: each for each in Severity}.get(asked.get("severity", "")),
        bucket={each.name.lower(): each for each in Bucket}.get(asked.get("age", "")),
        owner_id=owner,
    )


@finance.get("/breaks")
@needs(Permission.FINANCE_VIEW)
def list_breaks() -> str:
    """Breaks that are not resolved, the oldest first, or those of one state, kind or age."""
    asked = wanted()
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        rows = queries.breaks(session, me(), asked, after, PAGE + 1)
        counts = queries.counts_by_state(session, me())
        aged = queries.ageing(session, me())
        names = shown.names_of(session, {row.owner_id for row in rows if row.owner_id})
        newest = queries.last_look(session, me())
    return render_template(
        "finance/breaks.html",
        rows=rows[:PAGE],
        last=rows[PAGE - 1].id if len(rows) > PAGE else None,
        asked=asked,
        counts=counts,
        live=sum(number for state, number in counts.items() if state is not BreakState.RESOLVED),
        aged=aged,
        ages=ages_plot(aged),
        newest=newest,
        age=lambda row: age_days(row.since, clock.now()),
        names=names,
        tabs=_tabs(asked, counts),
        kept={name: value for name, value in request.args.items() if name != "after"},
        **LOOKS,
    )


def _tabs(asked: Wanted, counts: dict[BreakState, int]) -> list[tuple[str, str, bool, int | None]]:
    live = sum(number for state, number in counts.items() if state is not BreakState.RESOLVED)
    first = ("Not resolved", url_for("finance.list_breaks"), asked.state is None, live)
    return [
        first,
        *(
            (
                words,
                url_for("finance.list_breaks", state=state.value),
                asked.state is state,
                counts.get(state, 0),
            )
            for state, words in STATE_LABELS.items()
        ),
    ]


def ages_plot(aged: Sequence[Aged]) -> Markup | None:
    """How many breaks are how old, high ones apart; None while there is none."""
    if not aged:
        return None
    columns = []
    for bucket in Bucket:
        of_age = [one for one in aged if one.bucket is bucket]
        high = sum(one.high for one in of_age)
        others = sum(one.count for one in of_age) - high
        columns.append(plots.Column(f"{bucket.value} days", (others, high)))
    return plots.bars("Breaks by age", columns, ("Others", "High"))


@finance.get("/breaks.csv")
@needs(Permission.FINANCE_VIEW)
def breaks_csv() -> Response:
    """The same breaks as a file."""
    with transaction() as session:
        rows = csv_text(HEAD, _cells(session, wanted()))
        return download(rows, f"breaks-{clock.now():%Y-%m-%d}.csv", "text/csv")


def _cells(session: Session, asked: Wanted) -> Iterator[tuple[Cell, ...]]:
    after = None
    while True:
        rows = queries.breaks(session, me(), asked, after, ROWS_READ)
        for row in rows:
            yield _row(row)
        if len(rows) < ROWS_READ:
            return
        after = rows[-1].id


def _row(row: Break) -> tuple[Cell, ...]:
    return (
        row.reference,
        row.kind.value,
        row.source,
        row.key,
        amount(row.difference),
        row.currency,
        row.since.isoformat(),
        age_days(row.since, row.resolved_at or clock.now()),
        row.severity.value,
        row.state.value,
        str(row.owner_id or ""),
        row.wait_until.isoformat() if row.wait_until else None,
        row.resolution.value if row.resolution else None,
        row.resolved_at.isoformat() if row.resolved_at else None,
    )
