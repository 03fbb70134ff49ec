"""What fills a balance by itself, when its people are warned, and who may spend how much."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.billing import background as cards
from marketplace.billing import queries
from marketplace.billing.rules.automatic import AUTOMATIC_LABELS
from marketplace.billing.service import automatic as service
from marketplace.billing.service import watching
from marketplace.db import transaction
from marketplace.errors import GatewayError
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, PersonId
from marketplace.jobs import queries as jobs
from marketplace.money import Money, parse_money
from marketplace.routing import queries as spending
from marketplace.routing import service as routing
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.labs import money_words
from marketplace.web.labs.builder import CURRENCY

limits = Blueprint("lab_limits", __name__, url_prefix="/lab/balance")
DRAWN = {"off": "disabled", "setting_up": "waiting", "on": "enabled"}
AWAY = "Stripe does not answer at present. Nothing was saved; please try again in a minute."


class AutomaticForm(Form):
    """When and how much to top up, and the most of a month."""

    currency = fields.String(required=True, validate=CURRENCY)
    threshold = fields.String(required=True, error_messages={"required": "Write an amount."})
    amount = fields.String(required=True, error_messages={"required": "Write an amount."})
    month_max = fields.String(required=True, error_messages={"required": "Write an amount."})


class WatchForm(Form):
    """Below what to warn, and whether jobs go on by themselves."""

    currency = fields.String(required=True, validate=CURRENCY)
    low = fields.String(load_default="0")
    resumes_jobs = fields.Boolean(load_default=False)


class CurrencyForm(Form):
    """Of which balance."""

    currency = fields.String(required=True, validate=CURRENCY)
    forget = fields.Boolean(load_default=False)


class LimitForm(Form):
    """The most of a month, or of a job; empty for no limit."""

    currency = fields.String(required=True, validate=CURRENCY)
    most = fields.String(load_default="")


def _currency() -> tuple[str, list[str]]:
    with transaction() as session:
        return money_words.currency_asked(session)


def _automatic() -> dict[str, Any]:
    currency, used = _currency()
    lab = OrganisationId(me().organisation())
    with transaction() as session:
        row = queries.automatic_of(session, me(), currency)
        standing = queries.standing(session, me(), currency)
        return {
            "tabs": money_words.tabs("lab_limits.automatic"),
            "currency": request.form.get("currency", currency),
            "used": used,
            "row": row,
            "watch": queries.watch_of(session, me(), currency),
            "labels": AUTOMATIC_LABELS,
            "drawn": DRAWN,
            "available": standing.available,
            "spent": service.month_spent(session, lab, currency),
            "days": watching.lasts_days(session, lab, standing.available),
        }


@limits.get("/automatic")
@needs(Permission.BALANCE_VIEW)
def automatic() -> str:
    """Automatic top-ups, warnings, and what happens when money comes."""
    return render_template("labs/automatic.html", **_automatic())


@limits.post("/automatic")
@needs(Permission.SPENDING_LIMIT)
@form_page("labs/automatic.html", _automatic)
def set_automatic() -> Response:
    """Keep when and how much to top up; without a card, go and save one."""
    asked = load(AutomaticForm)
    code = asked["currency"]
    with transaction() as session:
        row = service.set_automatic(
            session,
            me(),
            threshold=parse_money(asked["threshold"], code, pointer="/threshold"),
            amount=parse_money(asked["amount"], code),
            month_max=parse_money(asked["month_max"], code, pointer="/month_max"),
        )
        has_card = row.payment_method_id is not None
    if has_card:
        flash("Kept. Your balance fills itself.", "good")
        return _back("lab_limits.automatic", code)
    return _to_card(code)


@limits.post("/automatic/card")
@needs(Permission.SPENDING_LIMIT)
def save_card() -> Response:
    """Go to the page that saves a card, also in place of another."""
    return _to_card(load(CurrencyForm)["currency"])


def _to_card(currency: str) -> Response:
    back = settings().public_url.rstrip("/") + url_for("lab_limits.card_saved", currency=currency)
    try:
        return redirect(cards.open_setup(me(), currency, back_url=back), code=303)
    except GatewayError:
        flash(AWAY, "watch")
        return _back("lab_limits.automatic", currency)


@limits.get("/automatic/saved")
@needs(Permission.BALANCE_VIEW)
def card_saved() -> Response:
    """Where the page that saves a card leads back to: looked at once, then by the sweep."""
    currency, _ = _currency()
    with transaction() as session:
        row = queries.automatic_of(session, me(), currency)
        page = row.setup_session_id if row else None
    if page is not None:
        try:
            cards.look_at_setup(page)
        except GatewayError:
            flash("Stripe has not said yet whether the card was saved; we keep asking.", "watch")
    return _back("lab_limits.automatic", currency)


@limits.post("/automatic/off")
@needs(Permission.SPENDING_LIMIT)
def turn_off() -> Response:
    """Stop automatic top-ups."""
    asked = load(CurrencyForm)
    with transaction() as session:
        service.turn_off(session, me(), asked["currency"], forget=asked["forget"])
    flash("Automatic top-ups are off. One that is on its way still arrives.", "good")
    return _back("lab_limits.automatic", asked["currency"])


@limits.post("/watch")
@needs(Permission.SPENDING_LIMIT)
@form_page("labs/automatic.html", _automatic)
def watch() -> Response:
    """Keep when to warn, and whether jobs go on by themselves."""
    asked = load(WatchForm)
    low = parse_money(asked["low"] or "0", asked["currency"], pointer="/low")
    with transaction() as session:
        watching.set_watch(session, me(), low, resumes_jobs=asked["resumes_jobs"])
    flash("Kept.", "good")
    return _back("lab_limits.automatic", asked["currency"])


def _limits() -> dict[str, Any]:
    currency, used = _currency()
    with transaction() as session:
        since = money_words.today().replace(day=1)
        return {
            "tabs": money_words.tabs("lab_limits.show_limits"),
            "currency": currency,
            "used": used,
            "members": spending.member_spends(session, me(), currency, since),
            "jobs": [
                one for one in spending.job_spends(session, me()) if one.job.currency == currency
            ],
        }


@limits.get("/limits")
@needs(Permission.BALANCE_VIEW)
def show_limits() -> str:
    """Members' limits of a month, and jobs' budgets."""
    return render_template("labs/limits.html", **_limits())


@limits.post("/limits/members/<uuid:person_id>")
@needs(Permission.SPENDING_LIMIT)
@form_page("labs/limits.html", _limits)
def set_member(person_id: UUID) -> Response:
    """Limit what a member may reserve in a month, or lift the limit."""
    asked = load(LimitForm)
    most = _most(asked["most"], asked["currency"])
    with transaction() as session:
        routing.set_limit(session, me(), PersonId(person_id), asked["currency"], most)
    flash("Kept." if most is not None else "There is no limit now.", "good")
    return _back("lab_limits.show_limits", asked["currency"])


@limits.post("/limits/jobs/<uuid:job_id>")
@needs(Permission.SPENDING_LIMIT)
@form_page("labs/limits.html", _limits)
def set_job(job_id: UUID) -> Response:
    """Limit what may ever be reserved for a job, or lift the budget."""
    text = load(LimitForm)["most"]
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        most = _most(text, job.currency)
        routing.set_budget(session, me(), job_id, most)
    flash("Kept." if most is not None else "There is no budget now.", "good")
    return _back("lab_limits.show_limits", job.currency)


def _most(text: str, currency: str) -> Money | None:
    return parse_money(text, currency, pointer="/most") if text.strip() else None


def _back(endpoint: str, currency: str) -> Response:
    return redirect(url_for(endpoint, currency=currency), code=303)
