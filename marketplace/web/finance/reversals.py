"""Transfers that are taken back, and transfers that nobody has accounted for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Faulty
from marketplace.identity.rules import Permission
from marketplace.money import Money, parse_money
from marketplace.payouts import queries, service
from marketplace.payouts.rules import REASON_LABELS, REVERSAL_LABELS, GateState, ReversalReason
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs, step_up_try, visitor

LIST = "finance/reversals.html"
ASK = "finance/take_back.html"
LATEST = 200


class AskForm(Form):
    """How much to take back, and why."""

    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    why = fields.String(
        required=True,
        validate=validate.OneOf([each.value for each in ReversalReason], error="Choose a reason."),
    )
    note = fields.String(required=True, error_messages={"required": "Say why in a sentence."})
    hold = fields.Boolean(load_default=False)


class CodeForm(Form):
    """A present code of the second factor."""

    code = fields.String(required=True, error_messages={"required": "Type the six digits."})


class SettleForm(Form):
    """How an unknown transfer was accounted for."""

    note = fields.String(required=True, error_messages={"required": "Say how."})


@finance.get("/reversals")
@needs(Permission.FINANCE_VIEW)
def list_reversals() -> str:
    """What waits for a second person, what was taken back, and what nobody explains."""
    return render_template(LIST, **_facts())


@finance.get("/payout-lines/<uuid:line_id>/take-back")
@needs(Permission.PAYOUTS_RELEASE)
def new_reversal(line_id: UUID) -> str:
    """Ask to take a line's transfer back."""
    return render_template(ASK, **_line(line_id))


@finance.post("/payout-lines/<uuid:line_id>/take-back")
@needs(Permission.PAYOUTS_RELEASE)
def ask_reversal(line_id: UUID) -> Response:
    """Leave it for a second person."""
    found = _line(line_id)
    try:
        asked = load(AskForm)
        amount = parse_money(asked["amount"], found["line"].currency, pointer="/amount")
        with transaction() as session:
            service.ask_reversal(
                session,
                me(),
                line_id,
                amount=amount,
                why=ReversalReason(asked["why"]),
                note=asked["note"],
                hold=asked["hold"],
            )
    except Faulty as error:
        return refill(ASK, error, **found)
    except Conflict as refused:
        page = render_template(ASK, **_line(line_id) | {"refused": refused.message})
        return Response(page, 409, mimetype="text/html")
    flash("Asked for. Somebody else must approve it before anything is called.", "good")
    return _back()


@finance.post("/reversals/<uuid:reversal_id>/approve")
@needs(Permission.PAYOUTS_APPROVE)
def approve_reversal(reversal_id: UUID) -> Response:
    """Let it go out, with a present code."""
    try:
        asked = load(CodeForm)
        step_up_try()
        with transaction() as session:
            service.approve_reversal(session, me(), reversal_id, asked["code"])
    except Faulty as error:
        return refill(LIST, error, **_facts() | {"failed_id": reversal_id})
    except Conflict as refused:
        page = render_template(LIST, **_facts() | {"refused": refused.message})
        return Response(page, 409, mimetype="text/html")
    flash("Approved. Stripe is asked now.", "good")
    return _back()


@finance.post("/reversals/<uuid:reversal_id>/cancel")
@needs(Permission.PAYOUTS_RELEASE)
def cancel_reversal(reversal_id: UUID) -> Response:
    """Drop it before it goes out."""
    try:
        with transaction() as session:
            service.cancel_reversal(session, me(), reversal_id)
    except Conflict as refused:
        page = render_template(LIST, **_facts() | {"refused": refused.message})
        return Response(page, 409, mimetype="text/html")
    flash("Cancelled. Nothing was taken back.")
    return _back()


@finance.post("/unknown-transfers/<transfer_id>/settle")
@needs(Permission.PAYOUTS_RELEASE)
def settle_stray(transfer_id: str) -> Response:
    """Say how a transfer that no line explains was accounted for."""
    try:
        asked = load(SettleForm)
        with transaction() as session:
            service.settle_stray(session, me(), transfer_id, asked["note"])
    except Faulty as error:
        return refill(LIST, error, **_facts() | {"failed_id": transfer_id})
    flash("Settled. Its specialist can be paid again.", "good")
    return _back()


def _back() -> Response:
    return redirect(url_for("finance.list_reversals"), code=303)


def _line(line_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        line = queries.line_of(session, me(), line_id)
        run = queries.run_of(session, me(), line.run_id)
        return {
            "line": line,
            "run": run,
            "left": Money(line.amount_minor - line.reversed_minor, line.currency),
            "names": shown.names_of(session, {line.specialist_id}),
            "reasons": [(each.value, words) for each, words in REASON_LABELS.items()],
            "earlier": queries.reversals_of(session, me(), line_ids=[line.id]),
            "labels": REVERSAL_LABELS,
            "refused": "",
        }


def _facts() -> dict[str, Any]:
    here = visitor()
    with transaction() as session:
        rows = queries.reversals_of(session, me(), limit=LATEST)
        lines = {row.line_id: queries.line_of(session, me(), row.line_id) for row in rows}
        strays = queries.strays(session, me())
        gate = service.gate(session)
        people = {line.specialist_id for line in lines.values()}
        people |= {one for row in rows for one in (row.asked_by, row.approved_by) if one}
        people |= {one.specialist_id for one in strays if one.specialist_id}
        return {
            "rows": rows,
            "lines": lines,
            "strays": strays,
            "closed": gate.state is GateState.CLOSED,
            "closed_why": gate.reason,
            "closed_at": gate.closed_at,
            "troubled": queries.troubled_payouts(session),
            "names": shown.names_of(session, people),
            "labels": REVERSAL_LABELS,
            "reasons": REASON_LABELS,
            "has_totp": here is not None and here.has_totp,
            "refused": "",
            "failed_id": None,
        }
