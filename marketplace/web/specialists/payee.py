"""Where a specialist is paid: opened here, filled in at Stripe, read back from there."""

from __future__ import annotations

import structlog
from flask import flash, request, url_for
from flask import session as browser
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import GatewayError
from marketplace.identity.rules import Permission
from marketplace.payouts import background as stripe_side
from marketplace.payouts import queries, service
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists
from marketplace.web.specialists.earnings import facts

log = structlog.get_logger(__name__)
# Who came from onboarding goes back there from Stripe.
FROM_START = "payee_from_start"
AWAY = "Stripe does not answer at present. What you typed here is kept; try again in a moment."


class PayeeForm(Form):
    """Who is paid, where, in which currency."""

    payee_name = fields.String(required=True)
    country = fields.String(required=True)
    currency = fields.String(required=True)


@specialists.post("/earnings/account")
@needs(Permission.EARNINGS_VIEW)
@form_page("specialists/earnings.html", facts)
def open_account() -> Response:
    """Say where to be paid, and go on to Stripe's form."""
    asked = load(PayeeForm)
    with transaction() as session:
        service.open_onboarding(session, me(), **asked)
    if request.args.get("from") == "start":
        browser[FROM_START] = True
    return _to_stripe()


@specialists.post("/earnings/account/continue")
@needs(Permission.EARNINGS_VIEW)
def continue_account() -> Response:
    """Go to Stripe's form again."""
    return _to_stripe()


@specialists.get("/earnings/account/again")
@needs(Permission.EARNINGS_VIEW)
def again() -> Response:
    """Where Stripe sends a browser whose link has run out: on to a fresh one."""
    return _to_stripe()


@specialists.get("/earnings/account/returned")
@needs(Permission.EARNINGS_VIEW)
def returned() -> Response:
    """Back from Stripe, which says nothing by itself: ask how the account stands."""
    with transaction() as session:
        payee = queries.payee_of(session, me())
    if payee is not None and payee.stripe_account_id is not None:
        try:
            payee = stripe_side.read_account(payee.person_id, payee.stripe_account_id)
        except GatewayError as away:
            log.warning("payee_not_read", cause=type(away).__name__)
            flash("Stripe does not answer at present; look again in a moment.", "watch")
        else:
            _tell(active=payee.transfers_active)
    where = "specialists.start" if browser.pop(FROM_START, False) else "specialists.earnings"
    return redirect(url_for(where), code=303)


def _tell(*, active: bool) -> None:
    if active:
        flash("Stripe has what it needs. You are in the next payout run.", "good")
    else:
        flash("Stripe still checks what you sent, or wants more; the list is below.", "watch")


def _to_stripe() -> Response:
    try:
        address = stripe_side.onboarding_url(
            me().person(),
            refresh_url=_address("specialists.again"),
            return_url=_address("specialists.returned"),
        )
    except GatewayError as away:
        log.warning("onboarding_not_opened", cause=type(away).__name__)
        flash(AWAY, "watch")
        return redirect(url_for("specialists.earnings"), code=303)
    return redirect(address, code=303)


def _address(endpoint: str) -> str:
    return settings().public_url.rstrip("/") + url_for(endpoint)
