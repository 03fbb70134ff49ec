"""Qualifications over the API: their terms, taking one, results, and the bank's items."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs import service
from marketplace.jobs.rules import Feedback
from marketplace.quality import queries as quality
from marketplace.quality.rules.bank import ItemFigures
from marketplace.routing import queries
from marketplace.routing import service as routing
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.web import api
from marketplace.web.guards import me, needs

qualifications_api = api.blueprint("qualifications", "Qualifications: paid tests of the work.")


class TermsAsked(Schema):
    """The terms of a qualification; what is left out is as usual."""

    pass_ratio = fields.Float(metadata={"description": "Above 0, at most 1; usually 0.8"})
    items_a_form = fields.Integer(strict=True, metadata={"description": "Usually 10"})
    forms = fields.Integer(
        strict=True, metadata={"description": "Parallel forms; each person meets each once"}
    )
    cooldown_days = fields.Integer(
        strict=True, metadata={"description": "After an attempt that did not pass; usually 14"}
    )
    valid_days = fields.Integer(strict=True, metadata={"description": "Usually 365"})
    candidates_max = fields.Integer(
        strict=True,
        metadata={
            "description": "Attempts that are paid for, of all people together; one person may "
            "take as many as there are forms. Usually 20"
        },
    )
    time_limit_seconds = fields.Integer(
        strict=True, metadata={"description": "For an attempt, from its start; usually a week"}
    )
    feedback = fields.String(metadata={"enum": [each.value for each in Feedback]})
    credential_type = fields.String(
        allow_none=True, metadata={"description": "What passing one of the platform's shows"}
    )


class TermsShown(TermsAsked):
    """The terms as they stand, and how many places are taken."""

    pass_ratio = fields.Float()
    places_taken = fields.Integer()


@qualifications_api.put("/jobs/<uuid:job_id>/qualification")
@needs(Permission.JOBS_EDIT)
@api.once
@qualifications_api.arguments(TermsAsked)
@qualifications_api.response(200, TermsShown)
def put_terms(session: Session, asked: dict[str, Any], job_id: UUID) -> Any:
    """Make a draft a qualification, or set its terms anew."""
    return service.set_terms(session, me(), job_id, **asked)


@qualifications_api.get("/jobs/<uuid:job_id>/qualification")
@needs(Permission.JOBS_VIEW)
@qualifications_api.response(200, TermsShown)
def get_terms(job_id: UUID) -> Any:
    """The terms of one of your qualifications."""
    with transaction() as session:
        return jobs.terms_of(session, jobs.job_of(session, me(), job_id).id)


@qualifications_api.delete("/jobs/<uuid:job_id>/qualification")
@needs(Permission.JOBS_EDIT)
@api.once
@qualifications_api.response(204)
def delete_terms(session: Session, job_id: UUID) -> None:
    """Make a draft ordinary work again."""
    service.drop_terms(session, me(), job_id)


class PlacesAsked(Schema):
    """How many attempts are paid for from now on, in all; one person may take several."""

    candidates_max = fields.Integer(required=True, strict=True)


@qualifications_api.post("/qualifications/<uuid:job_id>/places")
@needs(Permission.JOBS_PUBLISH)
@api.once
@qualifications_api.arguments(PlacesAsked)
@qualifications_api.response(200, TermsShown)
def post_places(session: Session, asked: dict[str, Any], job_id: UUID) -> Any:
    """Pay for more attempts; 409 `insufficient_funds` without the money."""
    return routing.add_places(session, me(), JobId(job_id), candidates_max=asked["candidates_max"])


class AttemptShown(Schema):
    """Your attempt. score and by_concept: as far as the qualification tells them."""

    id = fields.UUID()
    job_id = fields.UUID()
    attempt = fields.Integer()
    state = fields.String()
    items = fields.Integer()
    answered = fields.Integer()
    started_at = fields.AwareDateTime()
    due_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)
    pass_ratio = fields.Float()
    score = fields.Float(allow_none=True)
    passed = fields.Boolean(allow_none=True)
    by_concept = fields.Dict(keys=fields.String(), allow_none=True)
    expires_at = fields.AwareDateTime(allow_none=True)


NAMES = (
    "id",
    "job_id",
    "attempt",
    "state",
    "items",
    "started_at",
    "due_at",
    "finished_at",
    "pass_ratio",
    "passed",
    "expires_at",
)


def _attempt(session: Session, row: QualificationResult) -> dict[str, Any]:
    told = jobs.terms_of(session, row.job_id).feedback is not Feedback.NONE
    return {name: getattr(row, name) for name in NAMES} | {
        "answered": quality.progress_of_attempt(session, row).answered,
        "score": row.score if told else None,
        "by_concept": row.by_concept if told else None,
    }


@qualifications_api.post("/qualifications/<uuid:job_id>/attempts")
@needs(Permission.WORK_DO)
@api.once
@qualifications_api.response(201, AttemptShown)
def post_attempt(session: Session, job_id: UUID) -> dict[str, Any]:
    """Begin an attempt, or get the one that is live; claim its items by POST /claims.

    409 with the code `not_eligible`, `cooling_down`, `still_passed`, `no_form_left`,
    `no_place_left` or `qualification_budget_spent` says why there is none.
    """
    return _attempt(session, routing.start_attempt(session, me(), JobId(job_id)))


@qualifications_api.get("/qualifications/attempts/<uuid:attempt_id>")
@needs(Permission.WORK_DO)
@qualifications_api.response(200, AttemptShown)
def get_attempt(attempt_id: UUID) -> dict[str, Any]:
    """One of your attempts: how far it is, or what came of it."""
    with transaction() as session:
        return _attempt(session, attempts.own_attempt(session, me(), attempt_id))


class OfferedShown(Schema):
    """A qualification that you may take or took."""

    job_id = fields.UUID()
    title = fields.String()
    standing = fields.String()
    items = fields.Integer()
    expected_seconds = fields.Integer()
    pay = fields.Nested(api.MoneySchema)
    pass_ratio = fields.Float()
    forms_left = fields.Integer()
    again_at = fields.AwareDateTime(allow_none=True)
    jobs_opened = fields.Integer()
    worth = fields.List(fields.Nested(api.MoneySchema))
    attempts = fields.List(fields.UUID(), metadata={"description": "Yours, newest first"})


class OfferedListed(Schema):
    """Qualifications, those that open most work first."""

    items = fields.List(fields.Nested(OfferedShown))
    next = fields.String(allow_none=True)


@qualifications_api.get("/qualifications")
@needs(Permission.WORK_DO)
@qualifications_api.response(200, OfferedListed)
def list_qualifications() -> dict[str, Any]:
    """Qualifications that you may take or took, with what passing opens."""
    with transaction() as session:
        rows = queries.offered(session, me())
    items = [
        {
            "job_id": each.job.id,
            "title": each.job.title,
            "standing": each.standing,
            "items": each.terms.items_a_form,
            "expected_seconds": each.job.expected_seconds * each.terms.items_a_form,
            "pay": each.pay,
            "pass_ratio": each.terms.pass_ratio,
            "forms_left": each.forms_left,
            "again_at": each.again_at,
            "jobs_opened": each.opened.jobs,
            "worth": list(each.opened.worth),
            "attempts": [row.id for row in each.attempts],
        }
        for each in rows
    ]
    return {"items": items, "next": None}


class ResultShown(Schema):
    """An attempt at your qualification, under your own pseudonym for the person."""

    id = fields.UUID()
    candidate = fields.String(attribute="pseudonym")
    attempt = fields.Integer()
    form = fields.Integer()
    state = fields.String()
    score = fields.Float(allow_none=True)
    passed = fields.Boolean(allow_none=True)
    by_concept = fields.Dict(keys=fields.String())
    started_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime(allow_none=True)
    expires_at = fields.AwareDateTime(allow_none=True)


@qualifications_api.get("/qualifications/<uuid:job_id>/results")
@needs(Permission.JOBS_VIEW)
@qualifications_api.arguments(api.PageQuery, location="query")
@qualifications_api.response(200, api.listing(ResultShown))
def list_results(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """Attempts at your qualification, newest first."""
    with transaction() as session:
        rows = quality.results_of(
            session, me(), JobId(job_id), after=asked["after"], limit=asked["limit"] + 1
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


class CorrelationShown(Schema):
    """A correlation of n pairs with the ends of its 90 % interval."""

    n = fields.Integer()
    estimate = fields.Float()
    lower = fields.Float()
    upper = fields.Float()


class BankItemShown(Schema):
    """An item of your bank and what is known of it; flags speak for retiring it."""

    item_id = fields.UUID()
    external_id = fields.String()
    concept = fields.String()
    form = fields.Integer(allow_none=True, metadata={"description": "null: a spare"})
    retired_at = fields.AwareDateTime(allow_none=True)
    answers = fields.Integer()
    difficulty = fields.Float(allow_none=True, metadata={"description": "Mean score, 0 to 1"})
    item_rest = fields.Nested(CorrelationShown, allow_none=True)
    foretells = fields.Nested(
        CorrelationShown,
        allow_none=True,
        metadata={"description": "Rank correlation with the later acceptance of people's work"},
    )
    flags = fields.List(fields.String())


PositionQuery = api.page_query(fields.Integer(load_default=0))


@qualifications_api.get("/qualifications/<uuid:job_id>/items")
@needs(Permission.JOBS_VIEW)
@qualifications_api.arguments(PositionQuery, location="query")
@qualifications_api.response(200, api.listing(BankItemShown))
def list_items(asked: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """The items of your bank in order of arrival, each with its figures."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        rows = jobs.bank_of(session, job, after=asked["after"], limit=asked["limit"] + 1)
        figures = queries.figures_of_bank(session, me(), JobId(job_id))
    listed = [row._asdict() | {"item_id": row.id} | _figures(figures.get(row.id)) for row in rows]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["position"])


def _figures(of: ItemFigures | None) -> dict[str, Any]:
    return {
        "answers": of.n if of else 0,
        "difficulty": of.difficulty if of else None,
        "item_rest": of.item_rest if of else None,
        "foretells": of.foretells if of else None,
        "flags": list(of.flags) if of else [],
    }


class RetiredShown(Schema):
    """The spare that took the item's place, null where there was none."""

    replaced_by = fields.UUID(allow_none=True)


@qualifications_api.post("/qualifications/<uuid:job_id>/items/<uuid:item_id>/retire")
@needs(Permission.JOBS_EDIT)
@api.once
@qualifications_api.response(200, RetiredShown)
def post_retire(session: Session, job_id: UUID, item_id: UUID) -> dict[str, Any]:
    """Take an item out of the bank; attempts that began keep it, and results stand."""
    return {"replaced_by": service.retire_item(session, me(), job_id, item_id)}
