"""Credentials that run out soon, and who was told."""

from __future__ import annotations

from datetime import date

from flask import render_template, request

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists.queries import catalogue
from marketplace.specialists.queries.expiring import expiring
from marketplace.specialists.rules.reminders import STAGES
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.hits import screening_tabs

PAGE = 50


@operations.get("/expiring")
@needs(Permission.CREDENTIALS_VERIFY)
def expiring_credentials() -> str:
    """Credentials by their last day, the nearest first, with the reminders that went out."""
    days = request.args.get("days", type=int)
    chosen = days if days in STAGES else STAGES[0]
    day, _, last_id = request.args.get("after", "").partition("~")
    known = parse_id(last_id)
    try:
        after = (date.fromisoformat(day), known) if known else None
    except ValueError:
        after = None
    with transaction() as session:
        found = expiring(session, me(), days=chosen, after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {row.claim.person_id for row in rows})
        types = catalogue(session).types
        tabs = screening_tabs(session)
    last = rows[-1] if len(found) > PAGE else None
    return render_template(
        "operations/expiring.html",
        rows=rows,
        names=names,
        types=types,
        days=chosen,
        stages=STAGES,
        after=after,
        last=f"{last.last_day}~{last.claim.id}" if last else None,
        **tabs,
    )
