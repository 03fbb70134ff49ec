"""Money back: refunds that a lab asks for, and payments that their payer's bank contests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.billing import queries
from marketplace.billing.rules import refunds as rules
from marketplace.billing.rules.disputes import LABELS as DISPUTE_LABELS
from marketplace.billing.rules.disputes import reason_words
from marketplace.billing.rules.refunds import RefundState
from marketplace.billing.service import refunds as service
from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id, parse_id
from marketplace.money import parse_money
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import money_words
from marketplace.web.labs.builder import CURRENCY

refunds = Blueprint("lab_refunds", __name__, url_prefix="/lab/balance")
PAGE = 30
# How each state is drawn: the nearest state that the macros know.
DRAWN = {
    "asked": "asked",
    "ready": "waiting",
    "sending": "sending",
    "unknown": "unknown",
    "pending": "processing",
    "sent": "done",
    "returned": "returned",
    "refused": "rejected",
    "cancelled": "cancelled",
}
DISPUTES_DRAWN = {
    "inquiry": "waiting",
    "open": "contested",
    "won": "done",
    "lost": "rejected",
    "closed": "closed",
}


class RefundForm(Form):
    """How much to ask back. once: made with the page, so that a second press asks nothing more."""

    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    currency = fields.String(load_default="USD", validate=CURRENCY)
    once = fields.UUID(required=True)


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        currency, used = money_words.currency_asked(session)
        found = queries.refunds_of(session, me(), after=after, limit=PAGE + 1)
        standing = queries.standing(session, me(), currency)
        lab = OrganisationId(me().organisation())
        payments = service.payments_of(session, lab, currency)
    return {
        "tabs": money_words.tabs("lab_refunds.listing"),
        "currency": currency,
        "used": used,
        "rows": found[:PAGE],
        "last": found[PAGE - 1].id if len(found) > PAGE else None,
        "available": standing.available,
        "most": rules.refundable(standing.available, payments),
        "labels": rules.LABELS,
        "drawn": DRAWN,
        "once": new_id(),
        "cancellable": {RefundState.ASKED, RefundState.READY},
        "currencies": money_words.currencies(),
    }


@refunds.get("/refunds")
@needs(Permission.BALANCE_VIEW)
def listing() -> str:
    """What may be asked back, and what was."""
    return render_template("labs/refunds.html", **_facts())


@refunds.post("/refunds")
@needs(Permission.BALANCE_REFUND)
@form_page("labs/refunds.html", _facts)
def ask() -> Response:
    """Ask money back to the cards that paid it."""
    asked = load(RefundForm)
    amount = parse_money(asked["amount"], asked["currency"])
    with transaction() as session:
        made = service.ask_refund(session, me(), amount, request_id=asked["once"])
        waits = any(refund.state is RefundState.ASKED for refund in made)
    words = "Asked. Somebody at our finance desk approves it first." if waits else "Asked."
    flash(f"{words} {amount} are set aside for it.", "good")
    return redirect(url_for("lab_refunds.listing", currency=amount.currency), code=303)


@refunds.post("/refunds/<uuid:refund_id>/cancel")
@needs(Permission.BALANCE_REFUND)
def cancel(refund_id: UUID) -> Response:
    """Take back what has not been sent yet."""
    with transaction() as session:
        refund = service.cancel_refund(session, me(), refund_id)
    flash(f"Cancelled. {refund.amount} are in your balance again.", "good")
    return redirect(url_for("lab_refunds.listing", currency=refund.currency), code=303)


@refunds.get("/disputes")
@needs(Permission.BALANCE_VIEW)
def disputes() -> str:
    """Payments that are contested: what happened, and what to do."""
    with transaction() as session:
        rows = queries.disputes_of(session, me())
        currency, _ = money_words.currency_asked(session)
        standing = queries.standing(session, me(), currency)
    return render_template(
        "labs/disputes.html",
        tabs=money_words.tabs("lab_refunds.disputes"),
        rows=rows,
        standing=standing,
        labels=DISPUTE_LABELS,
        drawn=DISPUTES_DRAWN,
        reason_words=reason_words,
    )
