"""Refunds, disputes, spend limits, budgets and bonuses over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing import queries
from marketplace.billing.models import Dispute, Refund
from marketplace.billing.service import refunds
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, SubmissionId, new_id
from marketplace.money import EXPONENT
from marketplace.review.models import Bonus
from marketplace.routing import queries as spending
from marketplace.routing import service as routing
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs

spending_api = api.blueprint("spending", "Spending: money back, limits, budgets and bonuses.")
CURRENCY = validate.OneOf(sorted(EXPONENT))


class RefundAsked(Schema):
    """How much of the available balance goes back to the cards that paid it."""

    amount = fields.Nested(api.MoneySchema, required=True)


class RefundShown(Schema):
    """A part of one payment on its way back; parts of one wish share `request_id`."""

    id = fields.UUID()
    request_id = fields.UUID()
    amount = fields.Nested(api.MoneySchema)
    state = fields.String()
    note = fields.String()
    asked_at = fields.AwareDateTime()
    ended_at = fields.AwareDateTime(allow_none=True)


class RefundsMade(Schema):
    """The refunds that one wish became, the newest payment first."""

    data = fields.List(fields.Nested(RefundShown))


class PaymentDisputeShown(Schema):
    """A payment that its payer's bank asks about or has taken back."""

    id = fields.UUID()
    amount = fields.Nested(api.MoneySchema)
    state = fields.String()
    reason = fields.String()
    evidence_due_at = fields.AwareDateTime(allow_none=True)
    opened_at = fields.AwareDateTime()


class ContestedPaymentsShown(Schema):
    """The newest disputes."""

    data = fields.List(fields.Nested(PaymentDisputeShown))


class SpendQuery(Schema):
    """Which currency."""

    currency = fields.String(load_default="USD", validate=CURRENCY)


class SpendLimitAsked(Schema):
    """The most of a month; null lifts the limit."""

    currency = fields.String(required=True, validate=CURRENCY)
    month_max = fields.Nested(api.MoneySchema, allow_none=True, required=True)


class SpendLimitShown(Schema):
    """What a member may reserve in a month, and has reserved in this one."""

    person_id = fields.UUID()
    month_max = fields.Nested(api.MoneySchema, allow_none=True)
    spent = fields.Nested(api.MoneySchema)


class SpendLimitsShown(Schema):
    """The members of the organisation, by name."""

    data = fields.List(fields.Nested(SpendLimitShown))


class BudgetAsked(Schema):
    """The most that may ever be reserved for the job; null lifts the budget."""

    budget = fields.Nested(api.MoneySchema, allow_none=True, required=True)


class BudgetShown(Schema):
    """A job's budget and what was ever reserved for it."""

    budget = fields.Nested(api.MoneySchema, allow_none=True)
    reserved = fields.Nested(api.MoneySchema)


class BonusAsked(Schema):
    """What a submission is given beyond its price; words: what its author reads."""

    amount = fields.Nested(api.MoneySchema, required=True)
    words = fields.String(required=True)


class BonusShown(Schema):
    """A bonus that was given, with our fee on top of it."""

    id = fields.UUID()
    submission_id = fields.UUID()
    amount = fields.Nested(api.MoneySchema)
    fee = fields.Nested(api.MoneySchema)
    words = fields.String()
    given_at = fields.AwareDateTime()


@spending_api.post("/refunds")
@needs(Permission.BALANCE_REFUND)
@api.once
@spending_api.arguments(RefundAsked)
@spending_api.response(201, RefundsMade)
def post_refund(session: Session, asked: dict[str, Any]) -> dict[str, list[Refund]]:
    """Ask available money back; larger amounts wait in `asked` until a person approves them."""
    return {"data": refunds.ask_refund(session, me(), asked["amount"])}


@spending_api.get("/refunds")
@needs(Permission.BALANCE_VIEW)
@spending_api.arguments(api.PageQuery, location="query")
@spending_api.response(200, api.listing(RefundShown))
def list_refunds(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's refunds, newest first."""
    with transaction() as session:
        rows = queries.refunds_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


@spending_api.get("/refunds/<uuid:refund_id>")
@needs(Permission.BALANCE_VIEW)
@spending_api.response(200, RefundShown)
def get_refund(refund_id: UUID) -> Refund:
    """One refund."""
    with transaction() as session:
        return queries.refund_of(session, me(), refund_id)


@spending_api.get("/disputes")
@needs(Permission.BALANCE_VIEW)
@spending_api.response(200, ContestedPaymentsShown)
def list_disputes() -> dict[str, list[Dispute]]:
    """The organisation's contested payments, newest first."""
    with transaction() as session:
        return {"data": queries.disputes_of(session, me())}


@spending_api.get("/spend-limits")
@needs(Permission.BALANCE_VIEW)
@spending_api.arguments(SpendQuery, location="query")
@spending_api.response(200, SpendLimitsShown)
def list_spend_limits(asked: dict[str, Any]) -> dict[str, Any]:
    """What each member may reserve in a month, and has reserved in this one."""
    zone = current_app.extensions[EXTENSION].settings.book_timezone
    since = clock.book_day(clock.now(), zone).replace(day=1)
    with transaction() as session:
        return {"data": spending.member_spends(session, me(), asked["currency"], since)}


@spending_api.put("/spend-limits/<uuid:person_id>")
@needs(Permission.SPENDING_LIMIT)
@spending_api.arguments(SpendLimitAsked)
@spending_api.response(204)
def put_spend_limit(asked: dict[str, Any], person_id: UUID) -> None:
    """Limit what a member may reserve in a month, or lift the limit."""
    with transaction() as session:
        most, code = asked["month_max"], asked["currency"]
        routing.set_limit(session, me(), PersonId(person_id), code, most)


@spending_api.get("/jobs/<uuid:job_id>/budget")
@needs(Permission.BALANCE_VIEW)
@spending_api.response(200, BudgetShown)
def get_budget(job_id: UUID) -> spending.JobSpend:
    """A job's budget and what was ever reserved for it."""
    with transaction() as session:
        found = spending.job_spend(session, me(), job_id)
    if found is None:
        raise Missing("There is no such job.")
    return found


@spending_api.put("/jobs/<uuid:job_id>/budget")
@needs(Permission.SPENDING_LIMIT)
@spending_api.arguments(BudgetAsked)
@spending_api.response(204)
def put_budget(asked: dict[str, Any], job_id: UUID) -> None:
    """Limit what may ever be reserved for a job, or lift the budget."""
    with transaction() as session:
        routing.set_budget(session, me(), job_id, asked["budget"])


@spending_api.post("/submissions/<uuid:submission_id>/bonuses")
@needs(Permission.JOBS_PUBLISH)
@api.once
@spending_api.arguments(BonusAsked)
@spending_api.response(201, BonusShown)
def post_bonus(session: Session, asked: dict[str, Any], submission_id: UUID) -> Bonus:
    """Give the author of accepted work a bonus; send an Idempotency-Key to give it once."""
    return routing.give_bonus(
        session,
        me(),
        SubmissionId(submission_id),
        asked["amount"],
        words=asked["words"],
        once_key=str(new_id()),
        clearance_days=current_app.extensions[EXTENSION].settings.clearance_days,
    )
