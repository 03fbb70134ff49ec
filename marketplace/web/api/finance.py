"""Finance over the API: payout runs, the trial balance, accounts, the book for an auditor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, current_app
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.money import EXPONENT, LARGEST_MINOR, Money
from marketplace.payouts import queries
from marketplace.payouts import service as payouts
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.reconciliation import queries as reconciliation
from marketplace.web import EXTENSION, api
from marketplace.web.guards import me, needs, step_up_counted

finance_api = api.blueprint("finance", "Finance: payout runs and the book.")
BOOK_YEARS = range(2000, 2101)


class LineShown(Schema):
    """One specialist's part of a run."""

    id = fields.UUID()
    specialist_id = fields.UUID()
    amount = fields.Nested(api.MoneySchema)
    state = fields.String()
    reason = fields.String(allow_none=True)
    transfer_id = fields.String(allow_none=True)
    bank_state = fields.String(
        allow_none=True,
        metadata={"description": "After the transfer: null is still at Stripe"},
    )
    withheld_minor = fields.Integer()
    reversed_minor = fields.Integer()


class RunShown(Schema):
    """A payout run; what is approved is `content_sha256`."""

    id = fields.UUID()
    reference = fields.String()
    state = fields.String()
    total = fields.Nested(api.MoneySchema)
    line_count = fields.Integer()
    content_sha256 = fields.String()
    prepared_by = fields.UUID()
    prepared_at = fields.AwareDateTime()
    approved_by = fields.UUID(allow_none=True)
    approved_at = fields.AwareDateTime(allow_none=True)
    released_by = fields.UUID(allow_none=True)
    released_at = fields.AwareDateTime(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)
    approvals_needed = fields.Integer()
    paused_at = fields.AwareDateTime(allow_none=True)
    funding_gap_minor = fields.Integer(allow_none=True)


class RunWithLines(RunShown):
    """A run with a page of its lines."""

    lines = fields.List(fields.Nested(LineShown))
    next = fields.String(allow_none=True)


def _run(run: PayoutRun) -> dict[str, Any]:
    names = set(RunShown().fields) - {"state", "total"}
    plain = {name: getattr(run, name) for name in names}
    return plain | {"state": run.state.value, "total": Money(run.total_minor, run.currency)}


def _line(line: PayoutLine) -> dict[str, Any]:
    names = ("id", "specialist_id", "amount", "reason", "transfer_id")
    minor = ("withheld_minor", "reversed_minor")
    states = {"state": line.state.value, "bank_state": line.bank_state and line.bank_state.value}
    return {name: getattr(line, name) for name in (*names, *minor)} | states


class RunAsked(Schema):
    """Whom to pay: everybody with at least the minimum available, or `only` these; `without`
    leaves people out, `country` keeps to accounts of one country."""

    currency = fields.String(load_default="USD", validate=validate.OneOf(sorted(EXPONENT)))
    minimum_minor = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=1, max=LARGEST_MINOR),
    )
    specialists = fields.List(fields.UUID(), data_key="only", load_default=None, allow_none=True)
    without = fields.List(fields.UUID(), load_default=list)
    country = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(r"^[A-Z]{2}$")
    )


@finance_api.post("/finance/payout-runs")
@needs(Permission.PAYOUTS_PREPARE)
@api.once
@finance_api.arguments(RunAsked)
@finance_api.response(201, RunShown)
def post_run(session: Session, asked: dict[str, Any]) -> dict[str, Any]:
    """Prepare a run from available balances; each line's money is set aside."""
    least = asked["minimum_minor"]
    minimum = Money(least, asked["currency"]) if least else queries.minimum_of(asked["currency"])
    only = asked["specialists"]
    filters = queries.Filters(
        only=frozenset(only) if only is not None else None,
        without=frozenset(asked["without"]),
        country=asked["country"],
    )
    return _run(payouts.prepare_run(session, me(), minimum=minimum, filters=filters))


@finance_api.get("/finance/payout-runs")
@needs(Permission.FINANCE_VIEW)
@finance_api.arguments(api.PageQuery, location="query")
@finance_api.response(200, api.listing(RunShown))
def list_runs(asked: dict[str, Any]) -> dict[str, Any]:
    """Payout runs, newest first."""
    with transaction() as session:
        rows = queries.runs(session, me(), after=asked["after"], limit=asked["limit"] + 1)
    return api.page([_run(row) for row in rows], limit=asked["limit"], key=lambda row: row["id"])


@finance_api.get("/finance/payout-runs/<uuid:run_id>")
@needs(Permission.FINANCE_VIEW)
@finance_api.arguments(api.PageQuery, location="query")
@finance_api.response(200, RunWithLines)
def get_run(asked: dict[str, Any], run_id: UUID) -> dict[str, Any]:
    """A run with its lines and their reasons."""
    with transaction() as session:
        run = queries.run_of(session, me(), run_id)
        lines = queries.lines_of(
            session, me(), run_id, after=asked["after"], limit=asked["limit"] + 1
        )
    paged = api.page(
        [_line(line) for line in lines], limit=asked["limit"], key=lambda row: row["id"]
    )
    return _run(run) | {"lines": paged["items"], "next": paged["next"]}


class Approval(Schema):
    """The hash of what you looked at, and a fresh code of your second factor."""

    content_sha256 = fields.String(required=True)
    totp_code = fields.String(required=True)


@finance_api.post("/finance/payout-runs/<uuid:run_id>/approve")
@needs(Permission.PAYOUTS_APPROVE)
@step_up_counted
@api.once
@finance_api.arguments(Approval)
@finance_api.response(200, RunShown)
def post_approve(session: Session, asked: dict[str, Any], run_id: UUID) -> dict[str, Any]:
    """Approve exactly that content; its preparer cannot."""
    return _run(
        payouts.approve_run(session, me(), run_id, asked["content_sha256"], asked["totp_code"])
    )


@finance_api.post("/finance/payout-runs/<uuid:run_id>/release")
@needs(Permission.PAYOUTS_RELEASE)
@api.once
@finance_api.response(200, RunShown)
def post_release(session: Session, run_id: UUID) -> dict[str, Any]:
    """Start sending an approved run."""
    return _run(payouts.release_run(session, me(), run_id))


@finance_api.post("/finance/payout-runs/<uuid:run_id>/pause")
@needs(Permission.PAYOUTS_RELEASE)
@api.once
@finance_api.response(200, RunShown)
def post_pause(session: Session, run_id: UUID) -> dict[str, Any]:
    """Send nothing further until somebody resumes it."""
    return _run(payouts.pause_by_hand(session, me(), run_id))


@finance_api.post("/finance/payout-runs/<uuid:run_id>/resume")
@needs(Permission.PAYOUTS_RELEASE)
@api.once
@finance_api.response(200, RunShown)
def post_resume(session: Session, run_id: UUID) -> dict[str, Any]:
    """Go on with a run that is paused."""
    return _run(payouts.resume_run(session, me(), run_id))


@finance_api.post("/finance/payout-runs/<uuid:run_id>/cancel")
@needs(Permission.PAYOUTS_PREPARE)
@api.once
@finance_api.response(200, RunShown)
def post_cancel(session: Session, run_id: UUID) -> dict[str, Any]:
    """Cancel every line that was not sent; its money is its specialist's again."""
    return _run(payouts.cancel_run(session, me(), run_id))


@finance_api.post("/finance/payout-lines/<uuid:line_id>/cancel")
@needs(Permission.PAYOUTS_PREPARE)
@api.once
@finance_api.response(200, LineShown)
def post_cancel_line(session: Session, line_id: UUID) -> dict[str, Any]:
    """Take one line that was not sent out of its run; an approval of the run is void then."""
    return _line(payouts.cancel_line(session, me(), line_id))


def _in_the_calendar(at: datetime) -> None:
    """At the ends of the calendar a zone's offset leads out of it."""
    if at.year not in BOOK_YEARS:
        raise ValidationError(f"Give a time from {BOOK_YEARS[0]} to {BOOK_YEARS[-1]}.")


class TrialQuery(Schema):
    """As of which moment, and from which account code on."""

    at = fields.AwareDateTime(load_default=None, validate=_in_the_calendar)
    after = fields.String(load_default="")
    limit = fields.Integer(load_default=200, validate=validate.Range(min=1, max=500))


class TrialRowShown(Schema):
    """An account's balance, in the column of its sign."""

    code = fields.String()
    kind = fields.String()
    debit = fields.Nested(api.MoneySchema, allow_none=True)
    credit = fields.Nested(api.MoneySchema, allow_none=True)


class TrialTotalShown(Schema):
    """Both columns of a currency; they are equal, or the book is broken."""

    debit = fields.Nested(api.MoneySchema)
    credit = fields.Nested(api.MoneySchema)


class TrialShown(Schema):
    """The trial balance, with the sums of its columns by currency."""

    at = fields.AwareDateTime(allow_none=True)
    items = fields.List(fields.Nested(TrialRowShown))
    totals = fields.Dict(keys=fields.String(), values=fields.Nested(TrialTotalShown))
    next = fields.String(allow_none=True)


@finance_api.get("/finance/trial-balance")
@needs(Permission.FINANCE_VIEW)
@finance_api.arguments(TrialQuery, location="query")
@finance_api.response(200, TrialShown)
def get_trial_balance(asked: dict[str, Any]) -> dict[str, Any]:
    """Every account's balance at a moment, and the sums that must be equal."""
    with transaction() as session:
        rows = ledger.trial_balance(
            session, me(), asked["at"], after=asked["after"], limit=asked["limit"] + 1
        )
        totals = ledger.trial_totals(session, me(), asked["at"])
    listed = [
        {
            "code": row.code,
            "kind": row.kind,
            "debit": row.raw if row.raw.minor > 0 else None,
            "credit": -row.raw if row.raw.minor < 0 else None,
        }
        for row in rows
    ]
    paged = api.page(listed, limit=asked["limit"], key=lambda row: row["code"])
    return paged | {"at": asked["at"], "totals": totals}


class EntryShown(Schema):
    """One entry of an account."""

    transaction_id = fields.UUID()
    number = fields.Integer(allow_none=True)
    source_kind = fields.String()
    source_id = fields.String()
    effective_on = fields.Date()
    posted_at = fields.AwareDateTime()
    amount = fields.Nested(
        api.LedgerMoneySchema, metadata={"description": "On the account's own side"}
    )
    balance_after = fields.Nested(api.LedgerMoneySchema)


EntryQuery = api.page_query(fields.String(load_default=None))


@finance_api.get("/finance/accounts/<path:code>/entries")
@needs(Permission.FINANCE_VIEW)
@finance_api.arguments(EntryQuery, location="query")
@finance_api.response(200, api.listing(EntryShown))
def list_entries(asked: dict[str, Any], code: str) -> dict[str, Any]:
    """An account's entries, newest first, with the balance after each."""
    with transaction() as session:
        rows = ledger.entries_of(session, me(), code, asked["after"], asked["limit"] + 1)
    names = ("transaction_id", "number", "source_kind", "source_id", "effective_on", "posted_at")
    listed = [
        {name: getattr(row, name) for name in names}
        | {
            "amount": row.amount,
            "balance_after": row.balance_after,
            "cursor": row.cursor,
        }
        for row in rows
    ]
    return api.page(listed, limit=asked["limit"], key=lambda row: row["cursor"])


@finance_api.get("/finance/ledger.beancount")
@needs(Permission.LEDGER_EXPORT)
@finance_api.doc(
    responses={
        "200": {
            "description": "A file for `bean-check`",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
)
def get_beancount() -> Response:
    """The whole book as a Beancount file, with Stripe's balances as assertions."""
    zone = current_app.extensions[EXTENSION].settings.book_timezone
    with transaction() as session:
        assertions = reconciliation.stripe_assertions(session, me(), zone)
        lines = "\n".join(ledger.beancount(session, me(), assertions))
    return Response(lines + "\n", mimetype="text/plain")
