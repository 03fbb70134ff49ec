"""Appeals over the API: for their authors, for the lab, and for who decides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId
from marketplace.review import queries
from marketplace.review import service as review
from marketplace.review.models import Appeal
from marketplace.review.rules import REASON_MAX, REASON_MIN, AppealState, appeals
from marketplace.secrets import pseudonym
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs

appeals_api = api.blueprint("appeals", "Appeals: a decision is looked at by somebody else.")
WORDS = validate.Length(min=REASON_MIN, max=REASON_MAX)


class AppealShown(Schema):
    """An appeal. reason: its author's words; statement: the lab's; note: who decided it wrote it.

    Nobody is named: neither the reviewer nor, to a lab, the author, who is `author` there, under
    the lab's own pseudonym.
    """

    id = fields.UUID()
    subject = fields.String()
    submission_id = fields.UUID(allow_none=True)
    job_id = fields.UUID()
    state = fields.String()
    reason = fields.String(allow_none=True)
    statement = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    filed_at = fields.AwareDateTime()
    statement_due_at = fields.AwareDateTime()
    decide_by = fields.AwareDateTime()
    ended_at = fields.AwareDateTime(allow_none=True)
    author = fields.String(allow_none=True)


class AppealWhole(AppealShown):
    """An appeal with what was frozen when it was filed; null once it was erased."""

    evidence = fields.Raw(allow_none=True, metadata={"type": "object"})


def _shown(appeal: Appeal) -> dict[str, Any]:
    names = ("id", "submission_id", "job_id", "reason", "statement", "note")
    times = ("filed_at", "decide_by", "ended_at")
    mine = appeal.organisation_id == me().organisation_id
    author = pseudonym(str(appeal.organisation_id), str(appeal.appellant_id)) if mine else None
    return {name: getattr(appeal, name) for name in names + times} | {
        "subject": appeal.subject.value,
        "state": appeal.state.value,
        "statement_due_at": appeals.statement_due(appeal.filed_at),
        "author": author,
    }


class AppealAsked(Schema):
    """Why the decision is wrong; the lab and who decides read it."""

    reason = fields.String(required=True, validate=WORDS)


@appeals_api.post("/submissions/<uuid:submission_id>/appeal")
@needs(Permission.WORK_DO)
@api.once
@appeals_api.arguments(AppealAsked)
@appeals_api.response(201, AppealShown)
def post_appeal(session: Session, asked: dict[str, Any], submission_id: UUID) -> dict[str, Any]:
    """Appeal the decision on one's own submission, within two weeks."""
    filed = review.file_appeal(session, me(), SubmissionId(submission_id), reason=asked["reason"])
    return _shown(filed)


@appeals_api.post("/quality/firings/<uuid:firing_id>/appeal")
@needs(Permission.WORK_DO)
@api.once
@appeals_api.arguments(AppealAsked)
@appeals_api.response(201, AppealShown)
def post_firing_appeal(session: Session, asked: dict[str, Any], firing_id: UUID) -> dict[str, Any]:
    """Appeal a rule of quality control that a person has upheld against one's own work."""
    filed = review.file_firing_appeal(session, me(), firing_id, reason=asked["reason"])
    return _shown(filed)


def _listed(rows: Sequence[queries.AppealRow], limit: int) -> dict[str, Any]:
    shown = [_shown(row.appeal) for row in rows]
    return api.page(shown, limit=limit, key=lambda row: row["id"])


def _whole(appeal_id: UUID, *, side: Callable[[Appeal], bool]) -> dict[str, Any]:
    """An appeal for one of those it concerns; Missing for anybody else."""
    with transaction() as session:
        view = queries.appeal_of(session, me(), appeal_id)
    if not side(view.row.appeal):
        raise Missing("This appeal is not there, or it does not concern you.")
    return _shown(view.row.appeal) | {"evidence": view.evidence}


@appeals_api.get("/appeals")
@needs(Permission.WORK_DO)
@appeals_api.arguments(api.PageQuery, location="query")
@appeals_api.response(200, api.listing(AppealShown))
def list_own(asked: dict[str, Any]) -> dict[str, Any]:
    """One's own appeals, newest first."""
    with transaction() as session:
        rows = queries.own_appeals(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return _listed(rows, asked["limit"])


@appeals_api.get("/appeals/<uuid:appeal_id>")
@needs(Permission.WORK_DO)
@appeals_api.response(200, AppealWhole)
def get_own(appeal_id: UUID) -> dict[str, Any]:
    """One's own appeal with what was frozen when it was filed."""
    return _whole(appeal_id, side=lambda appeal: appeal.appellant_id == me().person_id)


@appeals_api.post("/appeals/<uuid:appeal_id>/withdraw")
@needs(Permission.WORK_DO)
@api.once
@appeals_api.response(200, AppealShown)
def post_withdrawal(session: Session, appeal_id: UUID) -> dict[str, Any]:
    """Take back one's own appeal, while it is open."""
    return _shown(review.withdraw_appeal(session, me(), appeal_id))


@appeals_api.get("/review/appeals")
@needs(Permission.WORK_REVIEW)
@appeals_api.arguments(api.PageQuery, location="query")
@appeals_api.response(200, api.listing(AppealShown))
def list_of_lab(asked: dict[str, Any]) -> dict[str, Any]:
    """Appeals against decisions of the lab, newest first."""
    with transaction() as session:
        rows = queries.lab_appeals(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return _listed(rows, asked["limit"])


@appeals_api.get("/review/appeals/<uuid:appeal_id>")
@needs(Permission.WORK_REVIEW)
@appeals_api.response(200, AppealWhole)
def get_of_lab(appeal_id: UUID) -> dict[str, Any]:
    """One appeal against a decision of the lab, its author under the lab's own pseudonym."""
    return _whole(appeal_id, side=lambda one: one.organisation_id == me().organisation_id)


class AppealStatement(Schema):
    """The lab's side."""

    statement = fields.String(required=True, validate=WORDS)


@appeals_api.post("/review/appeals/<uuid:appeal_id>/statement")
@needs(Permission.WORK_REVIEW)
@api.once
@appeals_api.arguments(AppealStatement)
@appeals_api.response(200, AppealShown)
def post_statement(session: Session, asked: dict[str, Any], appeal_id: UUID) -> dict[str, Any]:
    """Say the lab's side of an appeal, once, within three days."""
    said = review.say_side(session, me(), appeal_id, statement=asked["statement"])
    return _shown(said)


class AppealQueueQuery(api.PageQuery):
    """Which to list: the open ones, or those in one state."""

    state = fields.Enum(AppealState, by_value=True, load_default=None)


@appeals_api.get("/operations/appeals")
@needs(Permission.APPEALS_DECIDE)
@appeals_api.arguments(AppealQueueQuery, location="query")
@appeals_api.response(200, api.listing(AppealShown))
def list_queue(asked: dict[str, Any]) -> dict[str, Any]:
    """Appeals to decide by their deadlines, those overdue first; ended ones newest first."""
    with transaction() as session:
        rows = queries.appeal_queue(
            session,
            me(),
            state=asked["state"],
            after=asked["after"],
            limit=asked["limit"] + 1,
        )
    return _listed(rows, asked["limit"])


@appeals_api.get("/operations/appeals/<uuid:appeal_id>")
@needs(Permission.APPEALS_DECIDE)
@appeals_api.response(200, AppealWhole)
def get_of_queue(appeal_id: UUID) -> dict[str, Any]:
    """One appeal for who decides it; nobody is named in it."""
    return _whole(appeal_id, side=lambda appeal: appeal.appellant_id != me().person_id)


@appeals_api.post("/operations/appeals/<uuid:appeal_id>/take")
@needs(Permission.APPEALS_DECIDE)
@api.once
@appeals_api.response(200, AppealShown)
def post_taking(session: Session, appeal_id: UUID) -> dict[str, Any]:
    """Take an appeal to look at; it is one's own to decide until it is given back."""
    return _shown(review.take_appeal(session, me(), appeal_id))


@appeals_api.post("/operations/appeals/<uuid:appeal_id>/give-back")
@needs(Permission.APPEALS_DECIDE)
@api.once
@appeals_api.response(200, AppealShown)
def post_giving_back(session: Session, appeal_id: UUID) -> dict[str, Any]:
    """Leave an appeal that one took to somebody else."""
    return _shown(review.give_back_appeal(session, me(), appeal_id))


class AppealDecision(Schema):
    """How an appeal ends, and why; both sides read the note."""

    outcome = fields.String(required=True, validate=validate.OneOf(["upheld", "denied"]))
    note = fields.String(required=True, validate=WORDS)


@appeals_api.post("/operations/appeals/<uuid:appeal_id>/decision")
@needs(Permission.APPEALS_DECIDE)
@api.once
@appeals_api.arguments(AppealDecision)
@appeals_api.response(200, AppealShown)
def post_outcome(session: Session, asked: dict[str, Any], appeal_id: UUID) -> dict[str, Any]:
    """Decide an appeal that one took; upheld, the work is accepted and paid at once."""
    settings = current_app.extensions[EXTENSION].settings
    decided = review.decide_appeal(
        session,
        me(),
        appeal_id,
        upheld=asked["outcome"] == "upheld",
        note=asked["note"],
        clearance_days=settings.clearance_days,
    )
    return _shown(decided)
