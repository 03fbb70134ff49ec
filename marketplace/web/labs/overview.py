"""A job's own page: how far it is, what it costs, how well people agree, what came back."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, SubmissionId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.money import Money
from marketplace.quality import queries as quality
from marketplace.quality.queries import JobQuality, UnitAgreement
from marketplace.routing import queries as routing
from marketplace.web import plots
from marketplace.web.filters import money, percent
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.labs.quality_words import unit_words
from marketplace.work import queries as work
from marketplace.work.rules import SubmissionState

overview = Blueprint("lab_overview", __name__, url_prefix="/lab/jobs")
DAYS_SHOWN = 14
PAGE = 50


@overview.get("/<uuid:job_id>")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """The job in one line, and below it the plots; a draft shows what it still needs."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        facts = shown.job_facts(job, "overview")
        facts["terms"] = jobs.qualification_of(session, job.id)
        if job.state is JobState.DRAFT:
            steps = shown.steps_of(job, jobs.lint(session, job))
            return render_template("labs/draft.html", steps=steps, **facts)
        facts |= _running(session, job)
    return render_template("labs/job.html", **facts)


def _running(session: Session, job: Job) -> dict[str, Any]:
    progress = work.progress_of(session, me(), JobId(job.id))
    seats = progress.seats_open + progress.seats_claimed
    known = quality.quality_of(session, me(), JobId(job.id))
    cost = shown.cost_of(session, job, progress)
    # Candidates come when they like; only work has an end to foresee.
    foreseen = seats > 0 and job.purpose is Purpose.WORK
    return {
        "progress": progress,
        "cost": cost,
        "known": known,
        "main": _main_unit(known),
        "forecast": routing.forecast_of(session, me(), job, seats=seats) if foreseen else None,
        "throughput": _throughput(session, job),
        "agreement": agreement_plot(known),
        "money_plot": plots.share(
            "Where the money of this job is",
            [("Spent", cost.spent.minor), ("Still reserved", cost.reserved.minor)],
            words=lambda minor: money(Money(round(minor), job.currency)),
        ),
        "people": people_plots(known),
    }


def _main_unit(known: JobQuality) -> UnitAgreement | None:
    """The unit that most was said about."""
    told = [unit for unit in known.units if unit.agreement_ratio is not None]
    return max(told, key=lambda unit: unit.labels, default=None)


def _throughput(session: Session, job: Job) -> Markup:
    """Submissions a day up to the last day with any; days without any stand there too."""
    rows = work.throughput_of(session, me(), JobId(job.id), days=DAYS_SHOWN)
    counts: dict[date, int] = {at.date(): number for at, number in rows}
    if not counts:
        return plots.bars("Submissions a day", [], ("Submissions",))
    last = max(counts)
    first = max(min(counts), last - timedelta(days=DAYS_SHOWN - 1))
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    columns = [plots.Column(f"{day:%-d %b}", (counts.get(day, 0),)) for day in days]
    return plots.bars("Submissions a day (UTC)", columns, ("Submissions",))


def agreement_plot(known: JobQuality) -> Markup:
    """Agreement by question, each with the number of items that it rests on."""
    points = [
        plots.Point(f"{unit_words(unit.unit)}, n = {unit.items:,}", unit.agreement_ratio)
        for unit in known.units[:12]
        if unit.agreement_ratio is not None
    ]
    return plots.intervals("Agreement by question", points, words=percent, measure="Agreement")


def people_plots(known: JobQuality) -> list[tuple[str, Markup]]:
    """For each person, in alphabetical order, how far they agree with each of the others."""
    peers: dict[str, list[plots.Point]] = defaultdict(list)
    for pair in known.pairs:
        if pair.agreement_ratio is None:
            continue
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            words = f"{other}, n = {pair.items:,}"
            peers[one].append(plots.Point(words, pair.agreement_ratio))
    return [
        (
            name,
            plots.intervals(
                "Agreement with the others",
                sorted(points, key=lambda point: point.label),
                words=percent,
                measure="Agreement",
            ),
        )
        for name, points in sorted(peers.items())
    ]


@overview.get("/<uuid:job_id>/submissions")
@needs(Permission.JOBS_VIEW)
def submissions(job_id: UUID) -> str:
    """What came back, in order of arrival, by state."""
    states = {each.value: each for each in SubmissionState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        found = work.submissions_of(
            session,
            me(),
            JobId(job.id),
            after=SubmissionId(after) if after else None,
            states=[state] if state else None,
            limit=PAGE + 1,
        )
        facts = shown.job_facts(job, "submissions")
    rows = [(view, shown.author_name(view.submission.specialist_id)) for view in found[:PAGE]]
    last = rows[-1][0].submission.id if len(found) > PAGE else None
    return render_template(
        "labs/submissions.html", rows=rows, state=state, last=last, states=states.values(), **facts
    )
