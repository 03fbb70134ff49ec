"""Rules of quality control: writing, replaying and switching them, and what they fired on.

For operations, whose rules are about all jobs, and for labs, whose rules are about their own; each
sees their own. Nothing here rejects work, and nobody is stopped without a person.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from markupsafe import Markup
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.jobs import queries as jobs
from marketplace.quality import queries, service
from marketplace.quality.rules.control import (
    ACTION_LABELS,
    COLLECTOR_LABELS,
    FIRING_LABELS,
    READY,
    Action,
    Bound,
    Collector,
    Condition,
    RuleText,
    Side,
    sentence,
)
from marketplace.quality.service.control import is_operations
from marketplace.review import service as review
from marketplace.secrets import pseudonym
from marketplace.web import plots
from marketplace.web.filters import percent
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs

quality_control = Blueprint("quality_control", __name__, url_prefix="/quality")
PAGE = 50
WHOLE: dict[str, Any] = {"invalid": "Write a whole number."}
SHARE: dict[str, Any] = {"invalid": "Write a share between 0 and 1, such as 0.4."}
OUTLOOKS = {
    "fine": "Wrongly: later work was fine",
    "not_fine": "Rightly: later work was not fine",
    "unknown": "Not known: too little came later",
}


class RuleForm(Form):
    """A rule as it is typed; window and amount may be left empty."""

    name = fields.String(load_default="")
    collector = fields.Enum(Collector, by_value=True, required=True)
    side = fields.Enum(Side, by_value=True, required=True)
    bound = fields.Enum(Bound, by_value=True, required=True)
    threshold = fields.Float(required=True, error_messages=SHARE)
    n_min = fields.Integer(required=True, error_messages=WHOLE)
    window = fields.String(load_default="")
    action = fields.Enum(Action, by_value=True, required=True)
    amount = fields.String(load_default="")


class DecisionForm(Form):
    """What somebody says of a firing."""

    stands = fields.String(load_default="")
    note = fields.String(load_default="")


def _text(asked: dict[str, Any]) -> RuleText:
    condition = Condition(
        asked["side"], asked["bound"], asked["threshold"], asked["n_min"], _whole(asked["window"])
    )
    amount = _whole(asked["amount"])
    return RuleText(asked["name"], asked["collector"], condition, asked["action"], amount)


def _whole(text: str) -> int | None:
    """A number where there is one; what is none becomes 0, which the rule's own check explains."""
    if not text.strip():
        return None
    return int(text) if text.strip().isdecimal() and len(text) < 9 else 0


def _asked_job(session: Session) -> Any:
    """The job that the address names, where it names one of the viewer's own."""
    job_id = parse_id(request.args.get("job_id", ""))
    return jobs.job_of(session, me(), job_id) if job_id else None


def _listed() -> dict[str, Any]:
    with transaction() as session:
        job = _asked_job(session)
        rows = queries.rules_of(session, me(), job_id=job.id if job else None)
        waiting = queries.firings_of(session, me(), open_only=True, limit=PAGE)
    return {
        "rows": [(row, sentence(row.version.text)) for row in rows],
        "job": job,
        "ready": [(each, sentence(each.text)) for each in READY],
        "waiting": len(waiting),
        "for_all": is_operations(me()),
    }


@quality_control.get("/rules")
@needs(Permission.QUALITY_CONTROL)
def rules() -> str:
    """The rules of one's organisation, and those that are ready to begin with."""
    return render_template("operations/rules.html", **_listed())


@quality_control.post("/rules")
@needs(Permission.QUALITY_CONTROL)
def add_ready() -> Response:
    """Keep a ready rule, switched off."""
    job_id = parse_id(request.form.get("job_id", ""))
    with transaction() as session:
        rule = service.add_ready(session, me(), request.form.get("ready", ""), job_id=job_id)
    flash("Kept, and switched off. Replay it to see whom it would have caught.", "good")
    return redirect(url_for("quality_control.rule", rule_id=rule.id), code=303)


def _choices() -> dict[str, Any]:
    return {
        "collectors": [(each.value, words) for each, words in COLLECTOR_LABELS.items()],
        "actions": [(each.value, words) for each, words in ACTION_LABELS.items()],
        "sides": [("above", "above"), ("below", "below")],
        "bounds": [("lower", "lower bound"), ("upper", "upper bound")],
    }


def _new() -> dict[str, Any]:
    with transaction() as session:
        return {"job": _asked_job(session), "for_all": is_operations(me()), **_choices()}


@quality_control.get("/rules/new")
@needs(Permission.QUALITY_CONTROL)
def new_rule() -> str:
    """The form of a new rule."""
    return render_template("operations/rule_new.html", **_new())


@quality_control.post("/rules/new")
@needs(Permission.QUALITY_CONTROL)
@form_page("operations/rule_new.html", _new)
def write_rule() -> Response:
    """Keep a new rule, switched off."""
    text = _text(load(RuleForm))
    with transaction() as session:
        job = _asked_job(session)
        rule = service.write_rule(session, me(), text, job_id=job.id if job else None)
    flash("Kept, and switched off. Replay it to see whom it would have caught.", "good")
    return redirect(url_for("quality_control.rule", rule_id=rule.id), code=303)


def _one() -> dict[str, Any]:
    rule_id = (request.view_args or {})["rule_id"]
    with transaction() as session:
        row = queries.rule_of(session, me(), rule_id)
        replay = queries.newest_replay(session, row.version.id)
        firings = queries.firings_of(session, me(), rule_id=rule_id, limit=PAGE)
    result = replay.result if replay and replay.result else None
    return {
        "row": row,
        "said": sentence(row.version.text),
        "replay": replay,
        "result": result,
        "tally": _tally(result["caught"]) if result else {},
        "caught": [_caught(each) for each in result["caught"][:PAGE]] if result else [],
        "plot": caught_plot(result["caught"], row.version) if result else None,
        "firings": [(each, _name(each.firing.person_id)) for each in firings],
        "labels": FIRING_LABELS,
        "outlooks": OUTLOOKS,
        **_choices(),
    }


def _tally(caught: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(each["outlook"] == name for each in caught) for name in OUTLOOKS}


def _caught(each: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(each["at"], UTC)
    return each | {"when": at, "who": _name(UUID(each["person_id"]))}


def _name(person_id: UUID) -> str:
    """The name under which the viewer's organisation knows a person."""
    return pseudonym(str(me().organisation()), str(person_id))


def caught_plot(caught: list[dict[str, Any]], version: Any) -> Markup:
    """Whom a rule would have caught: each with the share and its bounds at that moment."""
    points = [
        plots.Point(
            f"{_name(UUID(each['person_id']))}, n = {each['n']}",
            each["value"],
            each["lower"],
            each["upper"],
        )
        for each in caught[:20]
    ]
    title = f"Who would have been caught, at the moment (threshold {version.threshold:.0%})"
    return plots.intervals(title, points, words=percent, measure="Share")


@quality_control.get("/rules/<uuid:rule_id>")
@needs(Permission.QUALITY_CONTROL)
def rule(rule_id: UUID) -> str:
    """One rule: what it says, whom it would have caught, what it fired on."""
    del rule_id  # Read from the address, as the form's page does.
    return render_template("operations/rule.html", **_one())


@quality_control.post("/rules/<uuid:rule_id>")
@needs(Permission.QUALITY_CONTROL)
@form_page("operations/rule.html", _one)
def change_rule(rule_id: UUID) -> Response:
    """Write a rule anew, as its next version."""
    with transaction() as session:
        queries.rule_of(session, me(), rule_id)
    text = _text(load(RuleForm))
    return _done(rule_id, "Changed. Replay this version before you switch it on.", text)


def _done(rule_id: UUID, words: str, text: RuleText | None = None, verb: Any = None) -> Response:
    """Do something to a rule and go back to its page, with what stands in the way."""
    try:
        with transaction() as session:
            if text is not None:
                service.change_rule(session, me(), rule_id, text)
            else:
                verb(session, me(), rule_id)
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash(words, "good")
    return redirect(url_for("quality_control.rule", rule_id=rule_id), code=303)


@quality_control.post("/rules/<uuid:rule_id>/replay")
@needs(Permission.QUALITY_CONTROL)
def replay(rule_id: UUID) -> Response:
    """Replay a rule on history."""
    words = "It runs over all that came in so far. Load this page again in a moment."
    return _done(rule_id, words, verb=service.ask_replay)


@quality_control.post("/rules/<uuid:rule_id>/on")
@needs(Permission.QUALITY_CONTROL)
def switch_on(rule_id: UUID) -> Response:
    """Let it watch new work."""
    return _done(rule_id, "On. It looks at new work once a minute.", verb=service.switch_on)


@quality_control.post("/rules/<uuid:rule_id>/off")
@needs(Permission.QUALITY_CONTROL)
def switch_off(rule_id: UUID) -> Response:
    """Let it watch no more."""
    words = "Off. What it restricts already stays until you decide each firing."
    return _done(rule_id, words, verb=service.switch_off)


@quality_control.get("/firings")
@needs(Permission.QUALITY_CONTROL)
def firings() -> str:
    """What rules fired on, newest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.firings_of(session, me(), after=after, limit=PAGE + 1)
    rows = [(each, _name(each.firing.person_id)) for each in found[:PAGE]]
    last = rows[-1][0].firing.id if len(found) > PAGE else None
    return render_template(
        "operations/firings.html", rows=rows, last=last, after=after, labels=FIRING_LABELS
    )


def _firing() -> dict[str, Any]:
    with transaction() as session:
        row = queries.firing_of(session, me(), (request.view_args or {})["firing_id"])
        people = {each for each in (row.firing.decided_by,) if each}
        names = identity.people_by_ids(session, people)
    return {
        "row": row,
        "who": _name(row.firing.person_id),
        "said": sentence(row.version.text),
        "names": names,
        "labels": FIRING_LABELS,
    }


@quality_control.get("/firings/<uuid:firing_id>")
@needs(Permission.QUALITY_CONTROL)
def firing(firing_id: UUID) -> str:
    """One firing with its figures, what its person says, and the decision."""
    del firing_id
    return render_template("operations/firing.html", **_firing())


@quality_control.post("/firings/<uuid:firing_id>")
@needs(Permission.QUALITY_CONTROL)
@form_page("operations/firing.html", _firing)
def decide(firing_id: UUID) -> Response:
    """Uphold a firing or lift it."""
    asked = load(DecisionForm)
    with transaction() as session:
        review.decide_firing(
            session, me(), firing_id, stands=asked["stands"] == "yes", note=asked["note"]
        )
    flash("Kept. The person reads your note.", "good")
    return redirect(url_for("quality_control.firing", firing_id=firing_id), code=303)
