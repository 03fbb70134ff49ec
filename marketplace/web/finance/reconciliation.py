"""Reconciliation: the newest comparison in words, its breaks, and the statement behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from marketplace import audit, clock, outbox
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.money import Money
from marketplace.reconciliation import queries
from marketplace.reconciliation.models import StripeStatementLine
from marketplace.reconciliation.queries import Report
from marketplace.reconciliation.rules import LABELS, Break, BreakKind
from marketplace.web import plots
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.desk import STALE
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs

PAGE = 50
# So many looks, one every two seconds, before the page says that nobody answers.
LOOKS_MAX = 30
AGES = (("today", 1), ("1 to 7 days", 8), ("8 to 30 days", 31))
FIGURES = ("amount", "fee", "net")
OLDER = "older"


@finance.get("/reconciliation")
@needs(Permission.FINANCE_VIEW)
def reconcile() -> str:
    """The book, as it is now, against the newest statement."""
    kind = {each.value: each for each in LABELS}.get(request.args.get("kind", ""))
    with transaction() as session:
        report = queries.latest_report(session, me())
        line_after = request.args.get("lines", "")
        lines = queries.statement_lines(session, me(), line_after or None, PAGE + 1)
    now = clock.now()
    facts = {
        "report": report,
        "stale": report is not None and now - report.taken_at > STALE,
        "kind": kind,
        "labels": LABELS,
        "counts": report.counts() if report else {},
        "ages": ages_plot(report.breaks, now) if report else None,
        "lines": [in_money(line) for line in lines[:PAGE]],
        "last_line": lines[PAGE - 1].id if len(lines) > PAGE else None,
        **_breaks(report, kind),
        **_waiting(report),
    }
    return page_or_block("finance/reconciliation.html", "report", **facts)


def in_money(line: StripeStatementLine) -> dict[str, Any]:
    """A line as Stripe told it, with its figures as amounts."""
    names = ("id", "kind", "source_id", "created_at", "available_at")
    figures = {name: Money(getattr(line, name), line.currency) for name in FIGURES}
    return {name: getattr(line, name) for name in names} | figures


def _breaks(report: Report | None, kind: BreakKind | None) -> dict[str, Any]:
    """A page of breaks of one kind or all, by key."""
    after = request.args.get("after", "")
    found = [
        one
        for one in (report.breaks if report else ())
        if mark_of(one) > after and (kind is None or one.kind is kind)
    ]
    last = mark_of(found[PAGE - 1]) if len(found) > PAGE else None
    return {"breaks": found[:PAGE], "last": last}


def mark_of(one: Break) -> str:
    """What continues a list after this break; one key may stand for two kinds."""
    return f"{one.key} {one.kind}"


def _waiting(report: Report | None) -> dict[str, Any]:
    """Whether the page still waits for a statement that was asked for, and for how many looks."""
    waits_for = request.args.get("newer_than")
    looks = request.args.get("looks", "0")
    number = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 4 else LOOKS_MAX
    newest = str(report.statement_id) if report else "none"
    waits = waits_for is not None and waits_for == newest
    return {
        "waits": waits and number < LOOKS_MAX,
        "given_up": waits and number >= LOOKS_MAX,
        "arrived": waits_for is not None and not waits,
        "next_look": url_for("finance.reconcile", newer_than=waits_for, looks=number + 1),
    }


def ages_plot(breaks: Sequence[Break], now: datetime) -> Markup | None:
    """How many breaks are how old; None while all are of today, since that is one bar."""
    if all(now - one.since < timedelta(days=1) for one in breaks):
        return None
    counts = dict.fromkeys([*(words for words, _ in AGES), OLDER], 0)
    for one in breaks:
        age = now - one.since
        limits = [words for words, days in AGES if age < timedelta(days=days)]
        counts[limits[0] if limits else OLDER] += 1
    columns = [plots.Column(words, (number,)) for words, number in counts.items()]
    return plots.bars("Breaks by age", columns, ("Breaks",))


@finance.post("/reconciliation/pull")
@needs(Permission.RECONCILIATION_WORK)
def pull() -> Response:
    """Ask for a new statement; clicking again within the minute asks once."""
    minute = f"reconciliation-pull:{clock.now():%Y-%m-%dT%H:%M}"
    with transaction() as session:
        newest = queries.latest_statement(session, me())
        if outbox.enqueue_once(session, minute, "reconciliation.pull"):
            audit.record(session, me(), "asked for a statement", me().person())
    known = newest.id if newest else "none"
    return redirect(url_for("finance.reconcile", newer_than=known), code=303)
