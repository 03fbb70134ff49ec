"""Payout runs: all of them, by state."""

from __future__ import annotations

from flask import render_template, request

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.payouts import queries
from marketplace.payouts.rules import RUN_LABELS, RunState
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.desk import ended_of
from marketplace.web.guards import me, needs

PAGE = 50


@finance.get("/payout-runs")
@needs(Permission.FINANCE_VIEW)
def list_runs() -> str:
    """Payout runs, newest first, of one state or all."""
    states = {each.value: each for each in RunState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.runs(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = [(run, ended_of(session, run)) for run in found[:PAGE]]
        signers = {one for run, _ in rows for one in (run.prepared_by, run.approved_by) if one}
        names = shown.names_of(session, signers)
    last = rows[-1][0].id if len(found) > PAGE else None
    return render_template(
        "finance/runs.html", rows=rows, names=names, state=state, labels=RUN_LABELS, last=last
    )
