"""The feed: jobs that fit, and a card for each with all that counts before a claim."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import render_template, request

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs.queries import preview
from marketplace.review import queries as review
from marketplace.routing import queries
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.rules.profiles import within_hours
from marketplace.web.guards import me, needs
from marketplace.web.specialists import offers, shown
from marketplace.web.specialists.blueprint import page_there, specialists
from marketplace.web.specialists.profile_forms import clock_face
from marketplace.web.specialists.standing import standing_of


@specialists.get("/feed")
@needs(Permission.WORK_DO)
def feed() -> str:
    """The jobs that fit, best first or as asked for; below them the others with the reasons."""
    wish = offers.wish_from(request.args)
    with transaction() as session:
        entries = queries.feed(session, me(), limit=queries.FEED_MAX)
        others = queries.other_jobs(session, me(), limit=queries.FEED_MAX)
        standing = standing_of(session)
        ids = {entry.job.organisation_id for entry in entries}
        ids |= {job.organisation_id for job, _ in others}
        labs = identity.organisations_by_ids(session, ids)
        policies = review.policies_of(session, [entry.job.id for entry in entries])
    profile = standing.profile
    currency = profile.payout_currency if profile else "USD"
    near, far = offers.by_closeness(others, profile.professions if profile else ())
    return render_template(
        "specialists/feed.html",
        offers=offers.chosen(entries, wish, currency=currency),
        fitting=len(entries),
        wish=wish,
        others=near,
        elsewhere=far,
        checking=standing.checking,
        labs=labs,
        policies=policies,
        shown=shown,
        resting=resting(profile),
        qualifications=page_there("specialists.qualifications"),
        **offers.choices(entries),
    )


def resting(profile: SpecialistProfile | None) -> tuple[str, str, str] | None:
    """(now, from, until) as a clock shows them, outside the hours that somebody set."""
    if profile is None or profile.works_from is None or profile.works_until is None:
        return None
    local = clock.now().astimezone(ZoneInfo(profile.time_zone))
    minute = local.hour * 60 + local.minute
    if within_hours(profile.works_from, profile.works_until, minute):
        return None
    return f"{local:%H:%M}", clock_face(profile.works_from), clock_face(profile.works_until)


@specialists.get("/jobs/<uuid:job_id>")
@needs(Permission.WORK_DO)
def job(job_id: UUID) -> str:
    """One job's card: pay, time, rules, instructions, and whether the viewer may work on it."""
    with transaction() as session:
        found = queries.visible_job(session, JobId(job_id))
        allowed = queries.eligibility(session, me(), JobId(job_id))
        labs = identity.organisations_by_ids(session, [found.organisation_id])
        template = preview.asked_in(session, me(), found)
        checking = standing_of(session).checking
        policy = review.policy_of(session, JobId(job_id))
    return render_template(
        "specialists/job.html",
        job=found,
        allowed=allowed,
        policy=policy,
        lab=labs.get(found.organisation_id, ""),
        asked=shown.preview(template),
        welfare=template.get("welfare"),
        checking=checking,
        shown=shown,
    )
