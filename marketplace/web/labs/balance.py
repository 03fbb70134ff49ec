"""The balance: what is free, what is set aside for which job, top-ups and where they stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.billing import background as checkout
from marketplace.billing import queries, service
from marketplace.billing.background import CheckoutClosed
from marketplace.billing.rules import LABELS, WAITING
from marketplace.db import transaction
from marketplace.errors import GatewayError, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, parse_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.money import Money, parse_money
from marketplace.web import bills, settings
from marketplace.web.downloads import sent_file
from marketplace.web.forms import Form, form_page, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs
from marketplace.web.labs import money_words
from marketplace.web.labs.builder import CURRENCY

balance = Blueprint("lab_balance", __name__, url_prefix="/lab/balance")
PAGE = 20
JOBS_LOOKED_AT = 100
# How each state of a top-up is drawn: the nearest state that the macros know.
DRAWN = {
    "requested": "requested",
    "checkout_open": "waiting",
    "settling": "processing",
    "posted": "done",
    "failed": "failed",
    "expired": "expired",
    "clearing": "pending",
    "returned": "returned",
}


class TopUpForm(Form):
    """How much to put in."""

    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    currency = fields.String(load_default="USD", validate=CURRENCY)


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        currency, used = money_words.currency_asked(session)
        top_ups = queries.top_ups_of(session, me(), after=after, limit=PAGE + 1)
        posted = jobs.jobs_of(session, me(), limit=JOBS_LOOKED_AT)
        reserved = [
            (job, amount)
            for job in posted
            if job.currency == currency and (amount := _reserved(session, job))
        ]
        standing = queries.standing(session, me(), currency)
        plot = money_words.spend_plot(session, currency)
        low = money_words.low_hint(session, currency, standing.available)
    return {
        "tabs": money_words.tabs("lab_balance.show"),
        "currency": currency,
        "used": used,
        "standing": standing,
        "plot": plot,
        "low": low,
        "reserved": reserved,
        "top_ups": top_ups[:PAGE],
        "last": top_ups[PAGE - 1].id if len(top_ups) > PAGE else None,
        "labels": LABELS,
        "drawn": DRAWN,
        "currencies": money_words.currencies(),
        "suggested": request.args.get("amount", "")[:20],
    }


def _reserved(session: Session, job: Job) -> Money:
    return ledger.job_balance(session, JobId(job.id), job.currency)


@balance.get("")
@needs(Permission.BALANCE_VIEW)
def show() -> str:
    """The money, and the form to add some."""
    return render_template("labs/balance.html", **_facts())


@balance.post("/top-ups")
@needs(Permission.BALANCE_TOP_UP)
@form_page("labs/balance.html", _facts)
def top_up() -> Response:
    """Ask for a top-up and go to its checkout."""
    asked = load(TopUpForm)
    with transaction() as session:
        asked_for = service.begin_top_up(
            session,
            me(),
            parse_money(asked["amount"], asked["currency"]),
            success_url=_address("lab_balance.returned"),
            cancel_url=_address("lab_balance.show"),
        )
    try:
        return redirect(checkout.open_checkout(asked_for.id), code=303)
    except (GatewayError, CheckoutClosed) as away:
        words = away.message if isinstance(away, CheckoutClosed) else AWAY
        flash(words, "watch")
        return redirect(url_for("lab_balance.show"), code=303)


AWAY = "Stripe does not answer at present. No money was taken; we keep trying to open the checkout."


def _address(endpoint: str) -> str:
    return settings().public_url.rstrip("/") + url_for(endpoint)


@balance.get("/top-ups/<uuid:top_up_id>/receipt.pdf")
@needs(Permission.BALANCE_VIEW)
def receipt(top_up_id: UUID) -> Response:
    """The receipt of a top-up that has reached the book; Missing before."""
    with transaction() as session:
        top_up = queries.top_up_of(session, me(), top_up_id)
        if top_up.posted_at is None or top_up.balance_transaction_id is None:
            raise Missing("There is no receipt before the money has come.")
        number = f"R-{top_up.posted_at.year}-{top_up.balance_transaction_id[-8:].upper()}"
        on = clock.book_day(top_up.posted_at, settings().book_timezone)
        parties = service.seller(), queries.buyer_of(session, me())
    content = bills.receipt_pdf(top_up, number=number, on=on, parties=parties)
    return sent_file(content, f"receipt-{number}.pdf", "application/pdf")


@balance.get("/returned")
@needs(Permission.BALANCE_VIEW)
def returned() -> str:
    """Where the payer comes back to: the newest top-up, watched until it is in the balance."""
    with transaction() as session:
        newest = next(iter(queries.top_ups_of(session, me(), limit=1)), None)
        if newest is not None and newest.state in WAITING:
            service.look_soon(session, me(), newest.id)
        amount = newest.amount if newest else None
        available = (
            amount and ledger.lab_balance(session, me().organisation(), amount.currency).available
        )
    return page_or_block(
        "labs/returned.html",
        "settling",
        newest=newest,
        available=available,
        waiting=newest is not None and newest.state in WAITING,
        labels=LABELS,
        drawn=DRAWN,
    )
