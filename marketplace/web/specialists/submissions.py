"""What a specialist handed in, with what became of it and why."""

from __future__ import annotations

from flask import render_template, request

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId, parse_id
from marketplace.review import queries as review
from marketplace.web.guards import me, needs
from marketplace.web.specialists import shown
from marketplace.web.specialists.blueprint import specialists
from marketplace.web.specialists.rounds import due_dates
from marketplace.work import queries as work

PAGE = 50


@specialists.get("/submissions")
@needs(Permission.WORK_DO)
def submissions() -> str:
    """The newest first, a page at a time."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = work.own_submissions(
            session, me(), after=SubmissionId(after) if after else None, limit=PAGE + 1
        )
        rows = found[:PAGE]
        ids = [given.id for given, _ in rows]
        decisions = review.decisions_of(session, ids)
        until = review.appealable_until(session, ids)
        appealed = review.appeals_of(session, ids)
        due = due_dates(session, ids)
    last = rows[-1][0].id if len(found) > PAGE else None
    return render_template(
        "specialists/submissions.html",
        rows=rows,
        decisions=decisions,
        until=until,
        appealed=appealed,
        due=due,
        after=after,
        last=last,
        shown=shown,
    )
