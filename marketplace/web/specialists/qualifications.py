"""Qualifications for specialists: which there are, one of them, an attempt and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules import Feedback, Purpose
from marketplace.jobs.service import NoPlaceLeft
from marketplace.quality import queries as quality
from marketplace.routing import queries
from marketplace.routing import service as routing
from marketplace.routing.queries import Standing
from marketplace.routing.rules import BudgetSpent, NotEligible, NotOpen
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.specialists.rules.qualifications import (
    AttemptState,
    CoolingDown,
    NoFormLeft,
    StillPassed,
)
from marketplace.web.filters import count, duration, percent
from marketplace.web.guards import me, needs
from marketplace.web.specialists import shown
from marketplace.web.specialists.blueprint import specialists

# (tone, icon, words) of how a person stands to a qualification.
STANDINGS: Mapping[Standing, tuple[str, str, str]] = {
    Standing.OPEN: ("neutral", "circle", "You may begin"),
    Standing.LIVE: ("watch", "play", "You are at it"),
    Standing.PASSED: ("good", "circle-check", "Passed"),
    Standing.COOLING: ("watch", "clock", "Not passed yet"),
    Standing.NO_FORM: ("neutral", "circle-x", "No form left for you"),
    Standing.FULL: ("neutral", "circle-x", "No place free"),
    Standing.CLOSED: ("neutral", "circle-x", "Closed"),
    Standing.UNFIT: ("watch", "triangle-alert", "It asks for more"),
}
REFUSALS: tuple[type[Refused], ...] = (
    NotEligible,
    NotOpen,
    CoolingDown,
    NoFormLeft,
    NoPlaceLeft,
    StillPassed,
    BudgetSpent,
)


def rules_of(terms: Qualification) -> Sequence[str]:
    """What a candidate knows before the start, as sentences."""
    limit = duration(terms.time_limit_seconds)
    feedback = {
        Feedback.NONE: "Afterwards you learn whether you passed.",
        Feedback.SCORES: "Afterwards you see how you did in each concept.",
        Feedback.EXPLANATIONS: "Afterwards you see how you did in each concept, and the "
        "explanation of each item.",
    }[terms.feedback]
    wait = (
        f"at the earliest {count(terms.cooldown_days, 'day')} later, "
        if terms.cooldown_days
        else ""
    )
    return (
        "Every answer that you hand in is paid, right or wrong.",
        f"You have {limit} from the start; an item that is open then counts as wrong.",
        f"You pass with {percent(terms.pass_ratio, 0)} or more. A pass stands for "
        f"{count(terms.valid_days, 'day')}.",
        f"There are {count(terms.forms, 'form')} of it. You meet each at most once: another "
        f"attempt, {wait}brings other items."
        if terms.forms > 1
        else "There is one form of it, so there is one attempt.",
        feedback,
    )


@specialists.get("/qualifications")
@needs(Permission.WORK_DO)
def qualifications() -> str:
    """Qualifications that the viewer may take or took, those that open most work first."""
    with transaction() as session:
        rows = queries.offered(session, me())
        ids = {each.job.organisation_id for each in rows}
        labs = identity.organisations_by_ids(session, ids)
    return render_template(
        "specialists/qualifications.html", rows=rows, labs=labs, shown=shown, standings=STANDINGS
    )


@specialists.get("/qualifications/<uuid:job_id>")
@needs(Permission.WORK_DO)
def qualification(job_id: UUID) -> str:
    """What one qualification tests, asks and pays, and how the viewer stands to it."""
    with transaction() as session:
        found = queries.offered_one(session, me(), JobId(job_id))
        labs = identity.organisations_by_ids(session, [found.job.organisation_id])
    return render_template(
        "specialists/qualification.html",
        found=found,
        job=found.job,
        lab=labs.get(found.job.organisation_id, ""),
        rules=rules_of(found.terms),
        standing=STANDINGS[found.standing],
        shown=shown,
    )


@specialists.post("/qualifications/<uuid:job_id>/attempts")
@needs(Permission.WORK_DO)
def start_attempt(job_id: UUID) -> Response:
    """Begin an attempt, or go on with the one that is live."""
    try:
        with transaction() as session:
            attempt = routing.start_attempt(session, me(), JobId(job_id))
    except REFUSALS as refused:
        flash(refused.message, "watch")
        return redirect(url_for("specialists.qualification", job_id=job_id), code=303)
    return redirect(url_for("specialists.attempt", attempt_id=attempt.id), code=303)


@specialists.get("/qualifications/attempts/<uuid:attempt_id>")
@needs(Permission.WORK_DO)
def attempt(attempt_id: UUID) -> str:
    """How far an attempt is; once it has ended, its result and when one may try again."""
    with transaction() as session:
        row = attempts.own_attempt(session, me(), attempt_id)
        progress = quality.progress_of_attempt(session, row)
        found = queries.offered_one(session, me(), JobId(row.job_id))
        explained = quality.explanations(session, me(), attempt_id)
    return render_template(
        "specialists/attempt.html",
        attempt=row,
        live=row.state is AttemptState.LIVE,
        progress=progress,
        found=found,
        job=found.job,
        concepts=_concepts(row, found.terms),
        explained=explained,
        shown=shown,
    )


def _concepts(row: QualificationResult, terms: Qualification) -> Sequence[tuple[str, float, int]]:
    """(concept, score 0..1, items), as far as the qualification tells them.

    Concepts of a single item are told together: alone, they would say which item was right.
    """
    if terms.feedback is Feedback.NONE:
        return []
    told = {
        name: (float(each["score"]), int(each["items"]))
        for name, each in sorted(row.by_concept.items())
    }
    single = (
        []
        if terms.feedback is Feedback.EXPLANATIONS
        else [name for name, (_, items) in told.items() if items == 1]
    )
    rows = [(name, *told[name]) for name in told if name not in single]
    if single:
        mean = sum(told[name][0] for name in single) / len(single)
        rows.append(("other concepts" if rows else "all concepts", mean, len(single)))
    return rows


def place_in_attempt(job: Job) -> tuple[int, int] | None:
    """(number of the item, items) of the viewer's live attempt, for the workbench's top line;
    None for ordinary work."""
    if job.purpose is not Purpose.QUALIFICATION:
        return None
    with transaction() as session:
        live = attempts.live_attempt(session, me().person(), job.id)
        if live is None:
            return None
        answered = quality.progress_of_attempt(session, live).answered
    return min(answered + 1, live.items), live.items


def newest_attempt(job: Job) -> UUID | None:
    """The attempt that handing in leads back to; None for ordinary work."""
    if job.purpose is not Purpose.QUALIFICATION:
        return None
    with transaction() as session:
        own = attempts.attempts_of(session, me().person(), job.id)
    return own[0].id if own else None
