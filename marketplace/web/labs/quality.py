"""A job's quality: how far people agree, how sure the labels are, what they cost, who was checked.

Every figure was worked out before; the page says when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.quality import queries
from marketplace.quality.queries import AuthorReliability, CostPoint, JobQuality, Shape
from marketplace.quality.rules.ballots import AuthorKind
from marketplace.review import queries as review
from marketplace.web import plots, quality_plots
from marketplace.web.filters import count, percent
from marketplace.web.guards import me, needs
from marketplace.web.labs import quality_words, shown
from marketplace.web.labs.quality_words import unit_words
from marketplace.web.labs.strengths import strengths_plot, win_ratio
from marketplace.web.quality_plots import Dot, Line, Mark

quality = Blueprint("lab_quality", __name__, url_prefix="/lab/jobs")
UNITS_DRAWN = 12
QUESTIONS_DRAWN = 6
PEOPLE_DRAWN = 30
CURVES_DRAWN = 3
CONTESTED_SHOWN = 3


@quality.get("/<uuid:job_id>/quality")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID) -> str:
    """Agreement, people, confidence, cost, reviews and gold of a job."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        own = JobId(job.id)
        known = queries.quality_of(session, me(), own)
        shape = queries.confidence_shape(session, me(), own)
        facts = shown.job_facts(job, "quality") | {
            "known": known,
            "shape": shape,
            "cost": cost_plot(queries.cost_curve(session, me(), own), job),
            "contested": queries.contested_items(session, me(), own, limit=CONTESTED_SHOWN),
            "gold": queries.gold_summary(session, me(), own),
            "reviews": _reviews(session, own),
        }
    facts |= {
        "agreement": agreement_plot(known),
        "people": people_plots(known),
        "compared": known.strengths,
        "compared_plot": strengths_plot(known.strengths) if known.strengths else None,
        "win_ratio": win_ratio,
        "confidence": confidence_plot(shape),
        "pairs": _pairs(known),
        "warnings": quality_words.warnings(known, job),
        "words": quality_words,
    }
    return render_template("labs/quality.html", **facts)


def agreement_plot(known: JobQuality) -> Markup:
    """Alpha by question with its interval; the plain share where there is no alpha."""
    dots = [
        Dot(
            unit_words(unit.unit), quality_words.stands_on(unit), unit.alpha, unit.lower, unit.upper
        )
        for unit in known.units[:UNITS_DRAWN]
        if unit.alpha is not None
    ]
    return quality_plots.dots(
        "Agreement beyond chance, by question (alpha)",
        dots,
        words=lambda value: f"{value:.2f}".replace("-", "\u2212"),
        measure="Alpha",
        ticks=(0, 0.5, 0.8, 1),
    )


def people_plots(known: JobQuality) -> list[tuple[str, Markup]]:
    """For each question how far each author can be trusted, people before models, by name."""
    questions: dict[str, list[AuthorReliability]] = defaultdict(list)
    for each in known.authors:
        questions[each.question].append(each)
    most = sorted(questions, key=lambda name: -sum(each.n for each in questions[name]))
    return [(unit_words(name), _authors_plot(questions[name])) for name in most[:QUESTIONS_DRAWN]]


def _authors_plot(authors: Sequence[AuthorReliability]) -> Markup:
    # By name, since intervals this wide rank nobody.
    rows = sorted(
        authors[:PEOPLE_DRAWN], key=lambda one: (one.kind is AuthorKind.MODEL, one.author)
    )
    dots = [
        Dot(
            f"{one.author} (model)" if one.kind is AuthorKind.MODEL else one.author,
            count(one.n, "label"),
            one.reliability,
            one.lower,
            one.upper,
        )
        for one in rows
    ]
    return quality_plots.dots(
        "How often each is right, as estimated", dots, words=_whole, measure="Right"
    )


def _whole(value: float) -> str:
    return percent(value, 0)


def confidence_plot(shape: Shape) -> Markup:
    """How many labels are how sure; the bars begin where the first label lies."""
    filled = [at for at, each in enumerate(shape.bins) if each.labels]
    bins = shape.bins[filled[0] :] if filled else []
    columns = [plots.Column(f"{each.lower * 100:.0f}", (each.labels,)) for each in bins]
    return plots.bars("Labels by how sure they are, in per cent", columns, ("Labels",))


def cost_plot(curves: Mapping[str, Sequence[CostPoint]], job: Job) -> Markup:
    """Judgements bought against mean confidence, of the questions with the most of them."""
    longest = sorted(curves.items(), key=lambda each: (-len(each[1]), each[0]))[:CURVES_DRAWN]
    lines = [
        Line(
            unit_words(name),
            [
                Mark(at.judgements, at.confidence, count(at.judgements, "judgement"))
                for at in points
            ],
        )
        for name, points in longest
        if points
    ]
    target = job.confidence_target
    return quality_plots.curves(
        "Mean confidence for judgements bought",
        lines,
        words=lambda value: percent(value, 1),
        measure="Mean confidence",
        across="judgements bought",
        goal=(f"asked for: {percent(target, 0)}", float(target)) if target is not None else None,
    )


def _pairs(known: JobQuality) -> list[Any]:
    pairs = [(*sorted((pair.first, pair.second)), pair) for pair in known.pairs]
    return sorted(pairs, key=lambda row: row[:2])


def _reviews(session: Session, job_id: JobId) -> dict[str, Any]:
    """What reviewers looked at, what they would accept, and whose rejections did not hold."""
    may_edit = me().may(Permission.JOBS_EDIT)
    records = review.reviewer_records(session, me(), job_id) if may_edit else []
    people = identity.people_by_ids(session, {one.reviewer_id for one in records})
    return {
        "progress": review.review_progress(session, job_id),
        "share": review.accepted_share(session, me(), job_id),
        "records": [(one, people.get(one.reviewer_id, "Somebody")) for one in records],
    }
