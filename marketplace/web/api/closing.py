"""Months over the API: their state, the close, its pack, and opening one again."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.reconciliation import background, service
from marketplace.reconciliation.models import MonthClose, MonthReopening
from marketplace.reconciliation.queries import closing as queries
from marketplace.reconciliation.rules.closing import Check, month_of
from marketplace.web import api
from marketplace.web.close_packs import sent_pack
from marketplace.web.guards import me, needs

closing_api = api.blueprint("closing", "Months of the book: closed, kept, opened again.")


class CheckShown(Schema):
    """One line of the checklist; `missing` says what is in the way."""

    code = fields.String()
    label = fields.String()
    ok = fields.Boolean()
    said = fields.String()
    missing = fields.List(fields.String())


class CloseShown(Schema):
    """One close of a month. pack_sha256 is null while the pack is being made."""

    round = fields.Integer()
    closed_by = fields.UUID()
    closed_at = fields.AwareDateTime()
    reopened_at = fields.AwareDateTime(allow_none=True)
    head_number = fields.Integer()
    head_hash = fields.String()
    pack_bytes = fields.Integer(allow_none=True)
    pack_sha256 = fields.String(allow_none=True)


class ReopeningShown(Schema):
    """What opened a month again, or waits for a second person to."""

    reason = fields.String()
    asked_by = fields.UUID()
    asked_at = fields.AwareDateTime()
    approved_by = fields.UUID(allow_none=True)
    approved_at = fields.AwareDateTime(allow_none=True)


class PeriodShown(Schema):
    """A month with its closes, newest first, and its checklist while it is not closed."""

    month = fields.String()
    state = fields.String()
    checklist = fields.List(fields.Nested(CheckShown))
    closes = fields.List(fields.Nested(CloseShown))
    reopenings = fields.List(fields.Nested(ReopeningShown))


class PeriodListed(Schema):
    """A month of the book in short."""

    month = fields.String()
    state = fields.String()
    reopened = fields.Integer()


class PeriodsShown(Schema):
    """All months of the book, newest first."""

    items = fields.List(fields.Nested(PeriodListed))
    next = fields.String(allow_none=True)


def _close(row: MonthClose) -> dict[str, Any]:
    head = row.facts["head"]
    return {
        "round": row.round,
        "closed_by": row.closed_by,
        "closed_at": row.closed_at,
        "reopened_at": row.reopened_at,
        "head_number": head["number"],
        "head_hash": head["hash"],
        "pack_bytes": row.pack_bytes,
        "pack_sha256": row.pack_sha256.hex() if row.pack_sha256 else None,
    }


def _reopening(row: MonthReopening) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ReopeningShown().fields}


def _checks(checks: list[Check]) -> list[dict[str, Any]]:
    return [check.as_json() for check in checks]


def _period(session: Session, month: date) -> dict[str, Any]:
    state = queries.state_of(session, month) or "open"
    checks = [] if state == "closed" else service.checklist(session, me(), month)
    return {
        "month": f"{month:%Y-%m}",
        "state": state,
        "checklist": _checks(checks),
        "closes": [_close(row) for row in queries.closes_of(session, me(), month)],
        "reopenings": [_reopening(row) for row in queries.reopenings_of(session, me(), month)],
    }


@closing_api.get("/finance/periods")
@needs(Permission.FINANCE_VIEW)
@closing_api.response(200, PeriodsShown)
def list_periods() -> dict[str, Any]:
    """Every month of the book."""
    with transaction() as session:
        months = queries.months(session, me())
    rows = [
        {"month": f"{one.first:%Y-%m}", "state": one.state, "reopened": one.reopened}
        for one in months
    ]
    return {"items": rows, "next": None}


@closing_api.get("/finance/periods/<month>")
@needs(Permission.FINANCE_VIEW)
@closing_api.response(200, PeriodShown)
def get_period(month: str) -> dict[str, Any]:
    """A month: its state, what is in the way of its close, its closes and its marks.

    The invariants and the auditor's file take longer and are checked at the close.
    """
    first = month_of(month)
    with transaction() as session:
        return _period(session, first)


@closing_api.post("/finance/periods/<month>/close")
@api.keyed
@needs(Permission.PERIODS_CLOSE)
@closing_api.response(200, PeriodShown)
def post_close(month: str) -> Response:
    """Check everything, lock the month; its pack is made in the background.

    409 `month_not_ready` while something is in the way; the detail says what.
    """
    first = month_of(month)
    with transaction() as session:
        former = api.kept(session)
    if former is not None:
        return former.answer()
    complaints = background.audited(first)
    with transaction() as session:
        former = api.kept(session)
        if former is not None:
            return former.answer()
        service.close_month(session, me(), first, complaints)
        answer = jsonify(PeriodShown().dump(_period(session, first)))
        api.keep(session, answer)
    return answer


@closing_api.get("/finance/periods/<month>/pack")
@needs(Permission.LEDGER_EXPORT)
@api.refuses(409)
@closing_api.doc(responses={"200": api.file("The close pack", "application/zip")})
def get_pack(month: str) -> Response:
    """The pack of the newest close: PDF, CSVs, the book for beancount, and their hashes.

    409 `pack_not_ready` while it is being made.
    """
    first = month_of(month)
    with transaction() as session:
        close = queries.close_of(session, me(), first)
    return sent_pack(close)


class ReasonAsked(Schema):
    """Why."""

    reason = fields.String(required=True)


@closing_api.post("/finance/periods/<month>/reopening")
@needs(Permission.PERIODS_CLOSE)
@api.once
@closing_api.arguments(ReasonAsked)
@closing_api.response(201, ReopeningShown)
def post_reopening(session: Session, asked: dict[str, Any], month: str) -> dict[str, Any]:
    """Ask to open a closed month again; a second person approves."""
    return _reopening(service.ask_reopening(session, me(), month_of(month), asked["reason"]))


@closing_api.post("/finance/periods/<month>/reopening/approve")
@needs(Permission.PERIODS_CLOSE)
@api.once
@closing_api.response(200, ReopeningShown)
def post_reopening_approval(session: Session, month: str) -> dict[str, Any]:
    """Open the month again, as somebody else asked; the mark stays on it."""
    return _reopening(service.approve_reopening(session, me(), month_of(month)))
