"""Statements over the API: files of banks and of Stripe, taken and proven, and comparisons."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT, LARGEST_MINOR, Money
from marketplace.reconciliation import background, service
from marketplace.reconciliation.models import Reconciliation, StatementSource
from marketplace.reconciliation.queries import uploads as queries
from marketplace.reconciliation.rules.statements import SourceKind
from marketplace.web import api
from marketplace.web.errors import faults_of
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_uploads

statements_api = api.blueprint("statements", "Statements of banks and of Stripe, and comparisons.")
KINDS = [kind.value for kind in SourceKind if kind is not SourceKind.STRIPE_API]
HOLDS = ("client_funds", "operating")


class StatementSourceAsked(Schema):
    """An account of ours that sends statements. holds: whose money it is for."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    account = fields.String(required=True, validate=validate.Length(min=1, max=80))
    currency = fields.String(required=True, validate=validate.OneOf(sorted(EXPONENT)))
    holds = fields.String(load_default="client_funds", validate=validate.OneOf(HOLDS))
    name = fields.String(load_default="", validate=validate.Length(max=120))


class StatementSourceShown(Schema):
    """An account of ours that sends statements."""

    id = fields.UUID()
    kind = fields.String()
    name = fields.String()
    account = fields.String()
    currency = fields.String()
    holds = fields.String()
    ledger_account = fields.String()


class StatementSourcesShown(Schema):
    """All accounts that send statements."""

    items = fields.List(fields.Nested(StatementSourceShown))
    next = fields.String(allow_none=True)


def _source(row: StatementSource) -> dict[str, Any]:
    return {name: getattr(row, name) for name in StatementSourceShown().fields}


@statements_api.get("/finance/statement-sources")
@needs(Permission.FINANCE_VIEW)
@statements_api.response(200, StatementSourcesShown)
def list_sources() -> dict[str, Any]:
    """The accounts that send statements."""
    with transaction() as session:
        rows = queries.sources(session, me())
    return {"items": [_source(row) for row in rows], "next": None}


@statements_api.post("/finance/statement-sources")
@needs(Permission.RECONCILIATION_WORK)
@api.once
@statements_api.arguments(StatementSourceAsked)
@statements_api.response(201, StatementSourceShown)
def post_source(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Add an account whose statements will come."""
    return _source(service.add_source(session, me(), **asked))


class StatementFields(Schema):
    """The fields beside the file. source_id: for CSV, the account whose mapping reads it."""

    kind = fields.Enum(SourceKind, by_value=True, required=True)
    source_id = fields.UUID(load_default=None)
    opening_minor = fields.Integer(load_default=None, validate=validate.Range(max=LARGEST_MINOR))
    closing_minor = fields.Integer(load_default=None, validate=validate.Range(max=LARGEST_MINOR))


class StatementFileShown(Schema):
    """What became of a file. again: it was taken before, and nothing changed."""

    id = fields.UUID()
    statements = fields.List(fields.UUID())
    entries_new = fields.Integer()
    entries_known = fields.Integer()
    matched = fields.Integer()
    again = fields.Boolean()


@statements_api.post("/finance/statements")
@takes_uploads
@api.keyed
@needs(Permission.RECONCILIATION_WORK)
@statements_api.response(201, StatementFileShown)
@statements_api.doc(
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "kind"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "kind": {"type": "string", "enum": KINDS},
                        "source_id": {"type": "string", "format": "uuid"},
                        "opening_minor": {"type": "integer"},
                        "closing_minor": {"type": "integer"},
                    },
                }
            }
        },
    }
)
def post_statement() -> Response:
    """Send a bank's or Stripe's file: read whole, proven (opening and lines make the closing),
    kept with its hash, and its lines posted where they explain themselves. The same file twice
    changes nothing.
    """
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Faulty("There is no file.", [Fault("/file", "Send it as the form field “file”.")])
    asked = _fields()
    content = upload.stream.read()
    digest = hashlib.sha256(content + repr(sorted(request.form.items())).encode()).digest()
    with transaction() as session:
        former = api.kept(session, digest)
    if former is not None:
        return former.answer()
    opening, closing = _balances(asked)
    taken = background.take_statement(
        me(),
        content,
        kind=asked["kind"],
        name=upload.filename,
        source_id=asked["source_id"],
        opening=opening,
        closing=closing,
    )
    with transaction() as session:
        matched = queries.matched_of(session, me(), taken.statement_ids)
        shown = {"id": taken.file_id, "statements": taken.statement_ids, "matched": matched}
        shown |= {name: getattr(taken, name) for name in ("entries_new", "entries_known", "again")}
        answer = jsonify(StatementFileShown().dump(shown))
        answer.status_code = 201
        if api.kept(session, digest) is None:
            api.keep(session, answer, digest)
    return answer


def _fields() -> dict[str, Any]:
    try:
        given = {name: value for name, value in request.form.items() if value}
        asked: dict[str, Any] = StatementFields(unknown="exclude").load(given)
    except ValidationError as faulty:
        raise Faulty("The fields are not right.", faults_of(faulty.messages)) from None
    return asked


def _balances(asked: dict[str, Any]) -> tuple[Money | None, Money | None]:
    """The two balances of a CSV whose export has no running one, in its account's currency."""
    if asked["source_id"] is None:
        return None, None
    with transaction() as session:
        currency = queries.source_of(session, me(), asked["source_id"]).currency
    both = (asked["opening_minor"], asked["closing_minor"])
    opening, closing = (None if one is None else Money(one, currency) for one in both)
    return opening, closing


class StatementShown(Schema):
    """One proven statement of an account."""

    id = fields.UUID()
    source_id = fields.UUID()
    number = fields.String()
    from_on = fields.Date()
    to_on = fields.Date()
    opening = fields.Dict()
    closing = fields.Dict()
    entry_count = fields.Integer()
    taken_at = fields.AwareDateTime()


@statements_api.get("/finance/statements")
@needs(Permission.FINANCE_VIEW)
@statements_api.arguments(api.PageQuery, location="query")
@statements_api.response(200, api.listing(StatementShown))
def list_statements(asked: dict[str, Any]) -> dict[str, Any]:
    """Statements of banks, the last taken first."""
    with transaction() as session:
        rows = queries.statements(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    plain = [name for name in StatementShown().fields if name not in {"opening", "closing"}]
    listed = [
        {name: getattr(row, name) for name in plain}
        | {"opening": _signed(row.opening), "closing": _signed(row.closing)}
        for row in rows
    ]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


def _signed(amount: Money) -> dict[str, Any]:
    return {"amount_minor": amount.minor, "currency": amount.currency}


class EntryMatched(Schema):
    """A line with what it was matched with; `rule` is null for a line that nothing explains."""

    id = fields.UUID()
    natural_id = fields.String()
    booked_on = fields.Date()
    amount = fields.Dict()
    bank_reference = fields.String()
    end_to_end = fields.String()
    rule = fields.String(allow_none=True)
    evidence = fields.Dict(allow_none=True)
    transaction_id = fields.UUID(allow_none=True)


@statements_api.get("/finance/statements/<uuid:statement_id>/entries")
@needs(Permission.FINANCE_VIEW)
@statements_api.arguments(api.PageQuery, location="query")
@statements_api.response(200, api.listing(EntryMatched))
def list_statement_entries(asked: dict[str, Any], statement_id: UUID) -> dict[str, Any]:
    """The lines of a statement, each with its match."""
    with transaction() as session:
        rows = queries.entries(
            session, me(), statement_id, after=asked["after"], limit=asked["limit"] + 1
        )
    names = ("id", "natural_id", "booked_on", "bank_reference", "end_to_end")
    listed = [
        {name: getattr(row.entry, name) for name in names}
        | {
            "amount": _signed(row.entry.amount),
            "rule": row.match.rule if row.match else None,
            "evidence": row.match.evidence if row.match else None,
            "transaction_id": row.match.transaction_id if row.match else None,
        }
        for row in rows
    ]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["id"])


class ReconciliationShown(Schema):
    """One comparison of everything. matched: by rule; breaks: by kind, as they stand; opened,
    resolved, standing and settled: what it did to them.
    """

    id = fields.UUID()
    as_of = fields.AwareDateTime()
    made_at = fields.AwareDateTime()
    matched = fields.Dict(attribute="counts")
    breaks = fields.Dict()
    outcome = fields.Dict()


def _reconciliation(row: Reconciliation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "as_of", "made_at", "counts", "breaks")} | {
        "outcome": row.outcome
    }


@statements_api.post("/finance/reconciliations")
@api.keyed
@needs(Permission.RECONCILIATION_WORK)
@statements_api.response(201, ReconciliationShown)
def post_reconciliation() -> Response:
    """Compare the book with everything that Stripe and the banks have said, now."""
    with transaction() as session:
        former = api.kept(session)
    if former is not None:
        return former.answer()
    made = background.compare_all(me())
    with transaction() as session:
        answer = jsonify(ReconciliationShown().dump(_reconciliation(made)))
        answer.status_code = 201
        if api.kept(session) is None:
            api.keep(session, answer)
    return answer


@statements_api.get("/finance/reconciliations")
@needs(Permission.FINANCE_VIEW)
@statements_api.arguments(api.PageQuery, location="query")
@statements_api.response(200, api.listing(ReconciliationShown))
def list_reconciliations(asked: dict[str, Any]) -> dict[str, Any]:
    """Comparisons, newest first."""
    with transaction() as session:
        rows = queries.reconciliations(
            session, me(), after=asked["after"], limit=asked["limit"] + 1
        )
    shown = [_reconciliation(row) for row in rows]
    return api.page(shown, limit=asked["limit"], key=lambda row: row["id"])
