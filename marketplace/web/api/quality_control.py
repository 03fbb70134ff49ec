"""Rules of quality control over the API: writing, replaying, switching; what they fired on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job
from marketplace.quality import queries, service
from marketplace.quality.models import ControlReplay, ControlRule
from marketplace.quality.queries.control import FiringRow, RuleRow
from marketplace.quality.rules.control import (
    READY,
    Action,
    Bound,
    Collector,
    Condition,
    RuleText,
    Side,
    sentence,
)
from marketplace.review import service as review
from marketplace.secrets import pseudonym
from marketplace.web import api
from marketplace.web.guards import me, needs

quality_control_api = api.blueprint("quality_control", "Rules of quality control.")


class RuleFields(Schema):
    """What a rule says."""

    name = fields.String(required=True)
    collector = fields.Enum(Collector, by_value=True, required=True)
    side = fields.Enum(Side, by_value=True, required=True)
    bound = fields.Enum(Bound, by_value=True, required=True)
    threshold = fields.Float(required=True)
    n_min = fields.Integer(required=True)
    window = fields.Integer(allow_none=True, load_default=None)
    action = fields.Enum(Action, by_value=True, required=True)
    amount = fields.Integer(allow_none=True, load_default=None)


class NewRule(RuleFields):
    """A rule of one job, or of all jobs for operations."""

    job_id = fields.UUID(allow_none=True, load_default=None)


class RuleShown(RuleFields):
    """A rule with how it stands. sentence: what it says, in words."""

    id = fields.UUID()
    job_id = fields.UUID(allow_none=True)
    state = fields.String()
    version = fields.Integer()
    sentence = fields.String()
    firings = fields.Integer()
    open_firings = fields.Integer()


def _rule_text(asked: dict[str, Any]) -> RuleText:
    condition = Condition(
        asked["side"], asked["bound"], asked["threshold"], asked["n_min"], asked["window"]
    )
    return RuleText(asked["name"], asked["collector"], condition, asked["action"], asked["amount"])


def _rule_shown(row: RuleRow) -> dict[str, Any]:
    names = ("name", "collector", "side", "bound", "threshold", "n_min", "window", "action")
    return {name: getattr(row.version, name) for name in (*names, "amount")} | {
        "id": row.rule.id,
        "job_id": row.rule.job_id,
        "state": row.rule.state.value,
        "version": row.version.number,
        "sentence": sentence(row.version.text),
        "firings": row.firings,
        "open_firings": row.open_firings,
    }


@quality_control_api.get("/quality/rules")
@needs(Permission.QUALITY_CONTROL)
@quality_control_api.response(200, api.listing(RuleShown))
def list_rules() -> dict[str, Any]:
    """The rules of one's organisation, newest first; at most two hundred."""
    with transaction() as session:
        rows = queries.rules_of(session, me(), limit=200)
    return api.page([_rule_shown(row) for row in rows], limit=200, key=lambda row: row["id"])


class ReadyShown(RuleFields):
    """A rule to begin with."""

    key = fields.String()
    why = fields.String()


@quality_control_api.get("/quality/rules/ready")
@needs(Permission.QUALITY_CONTROL)
@quality_control_api.response(200, api.listing(ReadyShown))
def list_ready() -> dict[str, Any]:
    """Rules that are ready to be added, replayed and switched on."""
    rows = []
    for one in READY:
        text, asked = one.text, one.text.condition
        rows.append(
            {"key": one.key, "why": one.why, "name": text.name, "collector": text.collector}
            | asdict(asked)
            | {"action": text.action, "amount": text.amount}
        )
    return api.page(rows, limit=len(rows), key=lambda row: row["key"])


@quality_control_api.post("/quality/rules")
@api.refuses(404)
@needs(Permission.QUALITY_CONTROL)
@api.once
@quality_control_api.arguments(NewRule)
@quality_control_api.response(201, RuleShown)
def post_rule(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Keep a rule, switched off."""
    rule = service.write_rule(session, me(), _rule_text(asked), job_id=asked["job_id"])
    return _rule_shown(queries.rule_of(session, me(), rule.id))


@quality_control_api.put("/quality/rules/<uuid:rule_id>")
@needs(Permission.QUALITY_CONTROL)
@quality_control_api.arguments(RuleFields)
@quality_control_api.response(200, RuleShown)
def put_rule(asked: dict[str, Any], rule_id: UUID) -> dict[str, Any]:
    """Write a rule that is off anew, as its next version."""
    with transaction() as session:
        service.change_rule(session, me(), rule_id, _rule_text(asked))
        return _rule_shown(queries.rule_of(session, me(), rule_id))


class ReplayShown(Schema):
    """A replay; result is null until it is finished. People are under one's own pseudonyms."""

    id = fields.UUID(allow_none=True)
    asked_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)
    result = fields.Dict(allow_none=True)


NO_REPLAY: Mapping[str, None] = dict.fromkeys(("id", "asked_at", "finished_at", "result"))


def _replay_shown(replay: ControlReplay) -> dict[str, Any]:
    result = replay.result
    if result is not None:
        caught = [
            {name: value for name, value in each.items() if name != "person_id"}
            | {"person": pseudonym(str(me().organisation()), each["person_id"])}
            for each in result["caught"]
        ]
        result = result | {"caught": caught}
    return {
        "id": replay.id,
        "asked_at": replay.asked_at,
        "finished_at": replay.finished_at,
        "result": result,
    }


@quality_control_api.post("/quality/rules/<uuid:rule_id>/replay")
@needs(Permission.QUALITY_CONTROL)
@api.once
@quality_control_api.response(202, ReplayShown)
def post_replay(session: Session, rule_id: UUID) -> dict[str, Any]:
    """Replay a rule's present version on history, in the background."""
    return _replay_shown(service.ask_replay(session, me(), rule_id))


@quality_control_api.get("/quality/rules/<uuid:rule_id>/replay")
@needs(Permission.QUALITY_CONTROL)
@quality_control_api.response(200, ReplayShown)
def get_replay(rule_id: UUID) -> dict[str, Any]:
    """The last replay of a rule's present version; all null where none was asked for."""
    with transaction() as session:
        row = queries.rule_of(session, me(), rule_id)
        replay = queries.newest_replay(session, row.version.id)
        return _replay_shown(replay) if replay is not None else dict(NO_REPLAY)


@quality_control_api.post("/quality/rules/<uuid:rule_id>/on")
@needs(Permission.QUALITY_CONTROL)
@api.once
@quality_control_api.response(200, RuleShown)
def post_on(session: Session, rule_id: UUID) -> dict[str, Any]:
    """Switch a rule on; 409 before its present version was replayed."""
    return _switched(session, service.switch_on, rule_id)


@quality_control_api.post("/quality/rules/<uuid:rule_id>/off")
@needs(Permission.QUALITY_CONTROL)
@api.once
@quality_control_api.response(200, RuleShown)
def post_off(session: Session, rule_id: UUID) -> dict[str, Any]:
    """Switch a rule off; what it restricts stays until each firing is decided."""
    return _switched(session, service.switch_off, rule_id)


def _switched(session: Session, verb: Callable[..., ControlRule], rule_id: UUID) -> dict[str, Any]:
    rule = verb(session, me(), rule_id)
    session.flush()
    return _rule_shown(queries.rule_of(session, me(), rule.id))


class FiringShown(Schema):
    """A rule that somebody met, with the figures it stands on."""

    id = fields.UUID()
    rule_id = fields.UUID()
    rule = fields.String()
    job_id = fields.UUID()
    person = fields.String(allow_none=True)
    action = fields.String()
    state = fields.String()
    value = fields.Float()
    lower = fields.Float()
    upper = fields.Float()
    n = fields.Integer()
    fired_at = fields.AwareDateTime()
    reply = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    evidence_pack_id = fields.UUID(allow_none=True)


def _firing_shown(row: FiringRow, job: Job, *, named: bool = True) -> dict[str, Any]:
    names = ("id", "rule_id", "value", "lower", "upper", "n", "fired_at", "reply", "note")
    firing = row.firing
    person = pseudonym(str(me().organisation()), str(firing.person_id)) if named else None
    return {name: getattr(firing, name) for name in (*names, "evidence_pack_id")} | {
        "rule": row.version.name,
        "job_id": job.id,
        "person": person,
        "action": firing.action.value,
        "state": firing.state.value,
    }


@quality_control_api.get("/quality/firings")
@needs(Permission.QUALITY_CONTROL)
@quality_control_api.arguments(api.PageQuery, location="query")
@quality_control_api.response(200, api.listing(FiringShown))
def list_firings(asked: dict[str, Any]) -> dict[str, Any]:
    """What rules fired on, newest first."""
    with transaction() as session:
        rows = queries.firings_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    shown = [_firing_shown(row, row.job) for row in rows]
    return api.page(shown, limit=asked["limit"], key=lambda row: row["id"])


class FiringDecision(Schema):
    """stands: uphold it, or let a proposed pause begin; else it is lifted."""

    stands = fields.Boolean(required=True)
    note = fields.String(required=True)


@quality_control_api.post("/quality/firings/<uuid:firing_id>/decision")
@needs(Permission.QUALITY_CONTROL)
@api.once
@quality_control_api.arguments(FiringDecision)
@quality_control_api.response(200, FiringShown)
def post_firing_decision(
    session: Session, asked: dict[str, Any], firing_id: UUID
) -> dict[str, Any]:
    """Uphold a firing or lift it."""
    review.decide_firing(session, me(), firing_id, stands=asked["stands"], note=asked["note"])
    row = queries.firing_of(session, me(), firing_id)
    return _firing_shown(row, row.job)


@quality_control_api.get("/checks/rules")
@needs(Permission.WORK_DO)
@quality_control_api.response(200, api.listing(FiringShown))
def list_own_firings() -> dict[str, Any]:
    """Rules that restrict one's own work, with their figures; at most fifty."""
    with transaction() as session:
        rows = queries.own_firings(session, me())
    shown = [_firing_shown(row, row.job, named=False) for row in rows]
    return api.page(shown, limit=50, key=lambda row: row["id"])


class ReplyAsked(Schema):
    """One's side."""

    reply = fields.String(required=True)


@quality_control_api.post("/checks/rules/<uuid:firing_id>/reply")
@needs(Permission.WORK_DO)
@api.once
@quality_control_api.arguments(ReplyAsked)
@quality_control_api.response(200, FiringShown)
def post_reply(session: Session, asked: dict[str, Any], firing_id: UUID) -> dict[str, Any]:
    """Answer a rule that restricts one's work; a person reads it."""
    service.reply_to_firing(session, me(), firing_id, reply=asked["reply"])
    found = [row for row in queries.own_firings(session, me()) if row.firing.id == firing_id]
    return _firing_shown(found[0], found[0].job, named=False)
