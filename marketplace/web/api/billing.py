"""A lab's money over the API: balance and top-ups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, json, jsonify
from marshmallow import Schema, fields, validate

from marketplace.billing import queries
from marketplace.billing import service as billing
from marketplace.billing.background import CheckoutClosed, open_checkout
from marketplace.billing.models import TopUp
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT, Money
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs

billing_api = api.blueprint("billing", "Balance: a lab's money.")


class BalanceQuery(Schema):
    """Which currency."""

    currency = fields.String(load_default="USD", validate=validate.OneOf(sorted(EXPONENT)))


class BalanceShown(Schema):
    """What is free, set aside for jobs, pending, held by disputes, and owed to us."""

    available = fields.Nested(api.MoneySchema)
    reserved = fields.Nested(api.MoneySchema)
    pending = fields.Nested(api.MoneySchema)
    dispute_hold = fields.Nested(api.MoneySchema)
    owed = fields.Nested(api.MoneySchema)
    total = fields.Nested(api.MoneySchema)


@billing_api.get("/balance")
@needs(Permission.BALANCE_VIEW)
@billing_api.arguments(BalanceQuery, location="query")
@billing_api.response(200, BalanceShown)
def get_balance(asked: dict[str, Any]) -> queries.Standing:
    """The organisation's balance in a currency, by what may happen to it."""
    with transaction() as session:
        return queries.standing(session, me(), asked["currency"])


class TopUpAsked(Schema):
    """How much to pay in."""

    amount = fields.Nested(api.MoneySchema, required=True)


class TopUpShown(Schema):
    """A top-up; `checkout_url` is where it is paid."""

    id = fields.UUID()
    amount = fields.Nested(api.MoneySchema)
    state = fields.String()
    checkout_url = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    asked_at = fields.AwareDateTime()
    posted_at = fields.AwareDateTime(allow_none=True)


def _shown(top_up: TopUp) -> dict[str, Any]:
    names = ("id", "checkout_url", "note", "asked_at", "posted_at")
    plain = {name: getattr(top_up, name) for name in names}
    amount = Money(top_up.amount_minor, top_up.currency)
    return plain | {"amount": amount, "state": top_up.state.value}


@billing_api.post("/top-ups")
@api.keyed
@needs(Permission.BALANCE_TOP_UP)
@billing_api.arguments(TopUpAsked)
@billing_api.response(201, TopUpShown)
def post_top_up(asked: dict[str, Any]) -> dict[str, Any]:
    """Start a top-up; pay it at the answer's `checkout_url`.

    An Idempotency-Key leads back to the same top-up and its checkout, as they are now.
    """
    back = f"{current_app.extensions[EXTENSION].settings.public_url.rstrip('/')}/lab/balance"
    with transaction() as session:
        former = api.kept(session)
        if former is None:
            top_up_id = billing.begin_top_up(
                session, me(), asked["amount"], success_url=back, cancel_url=back
            ).id
            api.keep(session, jsonify(id=str(top_up_id)))
        else:
            top_up_id = UUID(json.loads(former.body)["id"])
    try:
        open_checkout(top_up_id)
    except CheckoutClosed:
        if former is None:
            raise
    with transaction() as session:
        return _shown(queries.top_up_of(session, me(), top_up_id))


@billing_api.get("/top-ups")
@needs(Permission.BALANCE_VIEW)
@billing_api.arguments(api.PageQuery, location="query")
@billing_api.response(200, api.listing(TopUpShown))
def list_top_ups(asked: dict[str, Any]) -> dict[str, Any]:
    """The organisation's top-ups, newest first."""
    with transaction() as session:
        rows = queries.top_ups_of(session, me(), after=asked["after"], limit=asked["limit"] + 1)
        listed = [_shown(row) for row in rows]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


@billing_api.get("/top-ups/<uuid:top_up_id>")
@needs(Permission.BALANCE_VIEW)
@billing_api.response(200, TopUpShown)
def get_top_up(top_up_id: UUID) -> dict[str, Any]:
    """One top-up."""
    with transaction() as session:
        return _shown(queries.top_up_of(session, me(), top_up_id))
