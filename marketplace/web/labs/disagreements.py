"""Where people differ most in a job: item by item, side by side, by part of the job."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.quality import queries
from marketplace.quality.queries import ContestedItem, Slice, Slices
from marketplace.review import queries as review
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.labs.quality_words import unit_words

disagreements = Blueprint("lab_disagreements", __name__, url_prefix="/lab/jobs")
PAGE = 10
ASKED = ("unit", "first", "second", "part")


@disagreements.get("/<uuid:job_id>/disagreements")
@needs(Permission.JOBS_VIEW)
def listing(job_id: UUID) -> str:
    """The labels of a job that are least sure first, each with who says what and why."""
    asked = {name: request.args.get(name, "").replace("\0", "").strip() for name in ASKED}
    asked = {name: value for name, value in asked.items() if value}
    after = request.args.get("after") or None
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        own = JobId(job.id)
        found = queries.contested_items(
            session, me(), own, slice=slice_of(asked), after=after, limit=PAGE + 1
        )
        slices = queries.slices_of(session, me(), own)
        facts = shown.job_facts(job, "quality") | _beside(session, job, found[:PAGE])
    return render_template(
        "labs/disagreements.html",
        rows=[(one, _sides(one)) for one in found[:PAGE]],
        last=found[PAGE - 1].cursor if len(found) > PAGE else None,
        after=after,
        asked=asked,
        choices=_choices(slices),
        unit_words=unit_words,
        **facts,
    )


def slice_of(asked: dict[str, str]) -> Slice:
    """The part of the job that an address asks for; one label alone asks for items where it is in
    the contest."""
    labels = [asked[name] for name in ("first", "second") if name in asked]
    field, _, value = asked.get("part", "").partition("=")
    return Slice(
        unit=asked.get("unit"),
        labels=(labels[0], labels[-1]) if labels else None,
        field=field or None,
        value=value,
    )


def _beside(session: Session, job: Job, found: list[ContestedItem]) -> dict[str, Any]:
    """What stands beside the judgements: what the items say, and who was asked to settle them."""
    own = JobId(job.id)
    return {
        "kind": job.task_type,
        "task_template": jobs.template_version(session, me(), job.id).template,
        "payloads": queries.payloads_of(session, me(), own, [one.item_id for one in found]),
        "cases": review.cases_of(session, me(), own, [one.task_id for one in found]),
    }


def _sides(one: ContestedItem) -> list[tuple[str, float, list[Any]]]:
    """Each label with what speaks for it and who gave it, the likeliest first."""
    given: dict[str, list[Any]] = defaultdict(list)
    for voice in one.voices:
        given[voice.label].append(voice)
    # Of a ranked pair the likelihoods name places, and the voices the responses themselves.
    places = dict(zip(("first", "second"), one.unit.split("|", 1), strict=False))
    likely = {
        places.get(label, label) if "|" in one.unit else label: share
        for label, share in one.believed.probabilities.items()
    }
    labels = {label for label, share in likely.items() if share >= queries.IN_CONTEST} | set(given)
    sides = [(label, likely.get(label, 0.0), given[label]) for label in labels]
    return sorted(sides, key=lambda side: (-side[1], side[0]))


def _choices(slices: Slices) -> dict[str, list[tuple[str, str]]]:
    """What the form offers, each list beginning with all."""
    parts = [
        (f"{name}={value}", f"{name}: {value}")
        for name, values in slices.fields.items()
        for value in values
    ]
    return {
        "unit": [("", "All"), *((unit, unit_words(unit)) for unit in slices.units)],
        "label": [("", "Any"), *((label, label) for label in slices.labels)],
        "part": [("", "All"), *parts] if parts else [],
    }
