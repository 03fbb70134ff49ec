"""The feed: jobs that fit, and a card for each with all that counts before a claim."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.routing import queries
from marketplace.web.guards import me, needs
from marketplace.web.specialists import shown
from marketplace.web.specialists.blueprint import specialists

FEED_SHOWN = 20
OTHERS_SHOWN = 20


@specialists.get("/feed")
@needs(Permission.WORK_DO)
def feed() -> str:
    """The jobs that fit, best first; below them the others with the reasons."""
    with transaction() as session:
        offers = queries.feed(session, me(), limit=FEED_SHOWN)
        others = queries.other_jobs(session, me(), limit=OTHERS_SHOWN)
        ids = {entry.job.organisation_id for entry in offers}
        labs = identity.organisations_by_ids(session, ids)
    return render_template(
        "specialists/feed.html", offers=offers, others=others, labs=labs, shown=shown
    )


@specialists.get("/jobs/<uuid:job_id>")
@needs(Permission.WORK_DO)
def job(job_id: UUID) -> str:
    """One job's card: pay, time, rules, instructions, and whether the viewer may work on it."""
    with transaction() as session:
        found = queries.visible_job(session, JobId(job_id))
        allowed = queries.eligibility(session, me(), JobId(job_id))
        labs = identity.organisations_by_ids(session, [found.organisation_id])
    return render_template(
        "specialists/job.html",
        job=found,
        allowed=allowed,
        lab=labs.get(found.organisation_id, ""),
        shown=shown,
    )
