"""A job's gold: how worn and how disputed it is, whom it was answered by, changing it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ItemId, JobId
from marketplace.jobs import queries as jobs
from marketplace.quality import queries, service
from marketplace.quality.queries.gold import Share
from marketplace.quality.rules.gold import DISPUTE_LABELS, DisputeState, GoldCause
from marketplace.review import queries as review_queries
from marketplace.review import service as review
from marketplace.secrets import pseudonym
from marketplace.web import plots, settings
from marketplace.web.filters import percent
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

gold = Blueprint("lab_gold", __name__, url_prefix="/lab")
PAGE = 50
STATES = {"active": "In use", "worn": "Worn: enough have seen it", "withdrawn": "Gold no more"}
ALARMS = {
    "sudden": "Does better on much-seen gold than on the rest",
    "copied": "Wrote the same reason as somebody before, for the same gold",
}
OUTCOMES = [
    ("kept", "The gold is right", "Whoever doubted it is told why."),
    ("answer", "The answer that doubts it is right", "It becomes the gold."),
    ("corrected", "Something else is right", "Write it below."),
    ("withdrawn", "Nobody can tell", "The item is gold no more."),
]


class CapForm(Form):
    """How many may see a gold item."""

    exposures_max = fields.Integer(
        required=True, error_messages={"invalid": "Write a whole number."}
    )


class ChangeForm(Form):
    """What becomes of gold, and why; judgement: JSON where something else is right."""

    outcome = fields.String(load_default="")
    judgement = fields.String(load_default="")
    note = fields.String(load_default="")


class NoteForm(Form):
    """What somebody says of something."""

    note = fields.String(load_default="")


def _job_facts() -> dict[str, Any]:
    job_id = (request.view_args or {})["job_id"]
    after = max(0, min(request.args.get("after", 0, type=int), 2**31))
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        own = JobId(job.id)
        rows = queries.gold_of(session, me(), own, after=after, limit=PAGE + 1)
        people = queries.accuracy_of_people(session, me(), own)
        return shown.job_facts(job, "gold") | {
            "rows": rows[:PAGE],
            "last": rows[PAGE - 1].item.position if len(rows) > PAGE else None,
            "after": after,
            "told": queries.gold_summary(session, me(), own),
            "people": people_plot(people),
            "disputes": queries.disputes_of(session, me(), own),
            "alarms": [
                (each, pseudonym(str(job.organisation_id), str(each.person_id)))
                for each in queries.alarms_of(session, me(), own)
            ],
            "settled": review_queries.settled_without_gold(session, me(), own),
            "states": STATES,
            "alarm_words": ALARMS,
            "dispute_words": DISPUTE_LABELS,
        }


def people_plot(people: list[tuple[str, Share]]) -> Any:
    """How people did on gold, with intervals, in alphabetical order."""
    points = [
        plots.Point(f"{name}, n = {share.n:,}", share.value, share.lower, share.upper)
        for name, share in people[:30]
    ]
    return plots.intervals("Gold answered rightly, by person", points, words=percent)


@gold.get("/jobs/<uuid:job_id>/gold")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """The gold of a job, what is doubted of it, and what may be promoted to it."""
    del job_id  # Read from the address, as the form's page does.
    return render_template("labs/gold.html", **_job_facts())


@gold.post("/jobs/<uuid:job_id>/gold")
@needs(Permission.QUALITY_CONTROL)
@form_page("labs/gold.html", _job_facts)
def set_cap(job_id: UUID) -> Response:
    """Say how many people may see each gold item."""
    most = load(CapForm)["exposures_max"]
    with transaction() as session:
        service.set_exposures(session, me(), JobId(job_id), most)
    flash("Kept. It holds for gold that is met from now on.", "good")
    return redirect(url_for("lab_gold.of_job", job_id=job_id), code=303)


def _item_facts() -> dict[str, Any]:
    item_id = (request.view_args or {})["item_id"]
    with transaction() as session:
        job, row = queries.gold_item_of(session, me(), item_id)
        disputes = queries.disputes_of(session, me(), JobId(job.id), item_id=item_id)
        return shown.job_facts(job, "gold") | {
            "row": row,
            "kind": job.task_type,
            "payload": row.item.payload,
            "task_template": jobs.template_version(session, me(), job.id).template,
            "versions": queries.versions_of(session, item_id),
            "answers": queries.answers_to(session, me(), item_id),
            "disputes": disputes,
            "open_dispute": next((one for one in disputes if one.state == "open"), None),
            "author": {
                one.id: pseudonym(str(job.organisation_id), str(one.raised_by))
                for one in disputes
                if one.raised_by
            },
            "states": STATES,
            "outcomes": OUTCOMES,
            "dispute_words": DISPUTE_LABELS,
        }


@gold.get("/gold/<uuid:item_id>")
@needs(Permission.JOBS_VIEW)
def item(item_id: UUID) -> str:
    """One gold item: what it says, what it said, how it was answered, who doubts it."""
    del item_id
    return render_template("labs/gold_item.html", **_item_facts())


@gold.post("/gold/<uuid:item_id>")
@needs(Permission.QUALITY_CONTROL)
@form_page("labs/gold_item.html", _item_facts)
def change(item_id: UUID) -> Response:
    """Keep, correct or withdraw gold; all that it did to anybody follows."""
    asked = load(ChangeForm)
    outcome = asked["outcome"]
    if outcome not in {each for each, *_ in OUTCOMES}:
        raise Faulty("Say what holds.", [Fault("/outcome", "Choose one of these.")])
    with transaction() as session:
        _, row = queries.gold_item_of(session, me(), item_id)
        touched = _changed(session, ItemId(row.item.id), outcome, asked)
    flash(_said(outcome, touched), "good")
    return redirect(url_for("lab_gold.item", item_id=item_id), code=303)


def _changed(session: Session, item_id: ItemId, outcome: str, asked: dict[str, Any]) -> int:
    """Do what was chosen; how many answers are scored anew."""
    days = settings().clearance_days
    job, _ = queries.gold_item_of(session, me(), item_id)
    doubts = queries.disputes_of(session, me(), JobId(job.id), item_id=item_id)
    dispute = next((one for one in doubts if one.state is DisputeState.OPEN), None)
    if outcome == "kept":
        if dispute is None:
            raise Faulty("Nobody doubts it.", [Fault("/outcome", "Nobody doubts this gold.")])
        review.decide_gold_dispute(
            session, me(), dispute.id, outcome=DisputeState.KEPT, note=asked["note"],
            clearance_days=days,
        )  # fmt: skip
        return 0
    judgement = _judgement(
        session, outcome, asked["judgement"], dispute.submission_id if dispute else None
    )
    changed = review.change_gold(
        session,
        me(),
        item_id,
        judgement=judgement,
        cause=GoldCause.WITHDRAWN if judgement is None else GoldCause.CORRECTED,
        note=asked["note"],
        dispute_id=dispute.id if dispute else None,
        clearance_days=days,
    )
    return len(changed)


def _judgement(
    session: Session, outcome: str, written: str, answer_id: UUID | None
) -> dict[str, Any] | None:
    if outcome == "withdrawn":
        return None
    if outcome == "answer":
        found = queries.judgement_of(session, me(), answer_id) if answer_id else None
        if found is None:
            raise Faulty("There is none.", [Fault("/outcome", "No answer doubts this gold.")])
        return found
    try:
        told = json.loads(written)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        words = "Write the judgement as JSON, such as the one that is gold now."
        raise Faulty("This is no judgement.", [Fault("/judgement", words)])
    return told


def _said(outcome: str, touched: int) -> str:
    if outcome == "kept":
        return "The gold stands, and whoever doubted it reads why."
    answers = "1 answer is" if touched == 1 else f"{touched:,} answers are"
    return (
        f"Changed. {answers} scored anew; who was rejected for what is not wrong any more is "
        "paid after all."
    )


@gold.post("/items/<uuid:item_id>/gold")
@needs(Permission.QUALITY_CONTROL)
def promote(item_id: UUID) -> Response:
    """Make what a third person settled the gold of an item."""
    with transaction() as session:
        job_id, judgement = review_queries.settled_judgement(session, me(), item_id)
        review.promote_to_gold(
            session,
            me(),
            ItemId(item_id),
            judgement=judgement,
            note="Settled by adjudication.",
            clearance_days=settings().clearance_days,
        )
    flash("It is gold now, for people who have not judged it yet.", "good")
    return redirect(url_for("lab_gold.of_job", job_id=job_id), code=303)


@gold.post("/gold/alarms/<uuid:alarm_id>/close")
@needs(Permission.QUALITY_CONTROL)
def close_alarm(alarm_id: UUID) -> Response:
    """Say what came of an alarm."""
    asked = load(NoteForm)
    with transaction() as session:
        alarm = service.close_alarm(session, me(), alarm_id, note=asked["note"])
    flash("Closed, with your note.", "good")
    return redirect(url_for("lab_gold.of_job", job_id=alarm.job_id), code=303)
