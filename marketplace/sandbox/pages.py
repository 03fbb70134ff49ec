"""The sandbox's own pages: what it is, a page to pay, a page to onboard, an account's dashboard.

Every page says that it is a sandbox. No page holds a cookie or a session: an address with an
unguessable id is all that a form needs, so there is nothing for another site to misuse; the
clock's form alone asks that it comes from here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from psycopg import sql
from werkzeug.wrappers import Response as Redirect

from marketplace.sandbox import balance, checkout, onboarding, state
from marketplace.sandbox.cards import AT_ONCE, BY_NUMBER, CARDS, DEBITS
from marketplace.sandbox.currencies import words
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Body, Row, Store, Tx
from marketplace.sandbox.worker import Worker, run_due_timers

DAY = 86_400
STEPS = {"hour": 3_600, "day": DAY, "week": 7 * DAY}
EVENTS_SHOWN = 15
Page = Response | Redirect


def blueprint(store: Store, worker: Worker) -> Blueprint:
    """The pages of one sandbox."""
    views = Pages(store, worker)
    routes = Blueprint("pages", __name__)
    routes.add_app_template_filter(moment)
    routes.add_app_template_filter(words, "money")
    routes.add_url_rule("/", view_func=views.front)
    routes.add_url_rule("/clock", view_func=views.advance, methods=["POST"])
    paying = f"{checkout.PAGE}/<session_id>"
    routes.add_url_rule(paying, view_func=views.checkout)
    routes.add_url_rule(paying, view_func=views.pay, methods=["POST"])
    boarding = f"{onboarding.PAGE}/<link_id>"
    routes.add_url_rule(boarding, view_func=views.onboarding)
    routes.add_url_rule(boarding, view_func=views.onboard, methods=["POST"])
    routes.add_url_rule(f"{onboarding.DASHBOARD}/<account_id>", view_func=views.account)
    return routes


def moment(seconds: int) -> str:
    """A virtual time as people read it, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y, %H:%M} UTC"


def page(template: str, *, status: int = 200, leads_to: str | None = None, **facts: object) -> Page:
    """A page with its policy; `leads_to` is where its form may send the browser in the end.

    Browsers apply `form-action` to the redirect that answers a form as well, so the address of
    the product has to be named.
    """
    actions = "'self'"
    if leads_to:
        parts = urlsplit(leads_to)
        actions = f"'self' {parts.scheme}://{parts.netloc}"
    response = Response(render_template(f"sandbox/{template}.html", **facts), status=status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {actions}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    # With `no-referrer` a browser would hide even from ourselves where a form came from.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def fault_page(status: int) -> Response:
    """The page for an address that leads nowhere, or a fault of ours."""
    response = page("fault", status=status, code=status)
    assert isinstance(response, Response)  # noqa: S101 - `page` without an address redirects never.
    return response


def _text(name: str, most: int = 100) -> str:
    return request.form.get(name, "").strip()[:most]


class Pages:
    """The views, each a sentence: read, change, show or send on."""

    def __init__(self, store: Store, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    def front(self) -> Page:
        """What this is, the clock, the test cards, and the newest events."""
        with self._store.transaction() as tx:
            amounts, newest, now = balance.amounts(tx), _newest_events(tx), tx.now
        return page("front", now=now, amounts=amounts, events=newest, cards=CARDS, steps=STEPS)

    def advance(self) -> Page:
        """Move the virtual clock forward by a step, and run what falls due."""
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            return fault_page(403)
        seconds = STEPS.get(_text("step"))
        if seconds is None:
            return fault_page(400)
        with self._store.transaction() as tx:
            state.move_clock(tx, seconds)
        run_due_timers(self._store)
        self._worker.nudge()
        return redirect(url_for("pages.front"), code=303)

    def checkout(self, session_id: str) -> Page:
        """The page to pay on, or why there is nothing to pay."""
        with self._store.transaction() as tx:
            session = tx.find("checkout.session", session_id)
        return fault_page(404) if session is None else _paying(session)

    def pay(self, session_id: str) -> Page:
        """Charge the chosen card; back to the product when paid, here again when declined."""
        card = BY_NUMBER.get(_text("card") or AT_ONCE.number)
        with self._store.transaction() as tx:
            session = tx.find("checkout.session", session_id, lock=True)
            if session is None:
                return fault_page(404)
            if session["status"] != "open":
                return _paying(session)
            if card is None:
                return _paying(session, fault="This sandbox does not know that card.", status=422)
            email = _text("email") or session["customer_email"]
            declined = checkout.pay(tx, session, card, email=email)
        self._worker.nudge()
        if declined is not None:
            return _paying(session, fault=declined, status=402)
        return redirect(_success_url(session), code=303)

    def onboarding(self, link_id: str) -> Page:
        """The page to fill in, or on to `refresh_url` when the link is used or too old."""
        with self._store.transaction() as tx:
            opened = _opened(tx, link_id)
            if opened is None:
                return fault_page(404)
            link, account = opened
            if account is None:
                return redirect(link["_refresh_url"], code=303)
        return _boarding(link, account)

    def onboard(self, link_id: str) -> Page:
        """Take what was filled in, or leave for later; back to the product either way."""
        with self._store.transaction() as tx:
            opened = _opened(tx, link_id)
            if opened is None:
                return fault_page(404)
            link, account = opened
            if account is None:
                return redirect(link["_refresh_url"], code=303)
            if _text("action") == "later":
                onboarding.close(tx, link)
                return redirect(link["_return_url"], code=303)
            filled, fault = _filled()
            if filled is None:
                return _boarding(link, account, fault=fault, status=422)
            onboarding.submit(tx, link, account, filled, request.remote_addr or "127.0.0.1")
        self._worker.nudge()
        return redirect(link["_return_url"], code=303)

    def account(self, account_id: str) -> Page:
        """What a connected account sees: its balance and its payouts."""
        with self._store.transaction() as tx:
            account = tx.find("account", account_id)
            if account is None:
                return fault_page(404)
            there = tx.acting_for(account_id)
            amounts, sent = balance.amounts(there), _newest_payouts(there)
        return page("account", account=account, amounts=amounts, payouts=sent)


def _newest_events(tx: Tx) -> list[Row]:
    return tx.rows(
        sql.SQL(
            "SELECT e.type, e.created, e.account,"
            " coalesce(string_agg(DISTINCT d.state, ', '), 'nobody to tell') AS delivery"
            " FROM (SELECT * FROM sandbox_events ORDER BY serial DESC LIMIT %s) e"
            " LEFT JOIN sandbox_deliveries d ON d.event_id = e.id"
            " GROUP BY e.id, e.type, e.created, e.account, e.serial ORDER BY e.serial DESC"
        ),
        (EVENTS_SHOWN,),
    )


def _newest_payouts(tx: Tx) -> list[Body]:
    rows = tx.rows(
        sql.SQL(
            "SELECT body FROM sandbox_objects WHERE account = %s AND kind = 'payout'"
            " ORDER BY serial DESC LIMIT 20"
        ),
        (tx.account,),
    )
    return [row["body"] for row in rows]


def _paying(session: Body, *, fault: str | None = None, status: int = 200) -> Page:
    leads_to = session["success_url"]
    return page(
        "checkout",
        status=status,
        leads_to=leads_to,
        session=session,
        cards=(*CARDS, *DEBITS),
        fault=fault,
    )


def _success_url(session: Body) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _opened(tx: Tx, link_id: str) -> tuple[Body, Body | None] | None:
    """The link with its account; no account when it is used up, nothing when it never was."""
    try:
        both = onboarding.open_link(tx, link_id)
    except ApiError:
        return None
    return both or (tx.need("account_link", link_id), None)


def _boarding(link: Body, account: Body, *, fault: str | None = None, status: int = 200) -> Page:
    return page(
        "onboarding",
        status=status,
        leads_to=link["_return_url"],
        link=link,
        account=account,
        outcomes=onboarding.OUTCOMES,
        fault=fault,
        filled=request.form,
    )


def _filled() -> tuple[onboarding.Filled | None, str | None]:
    filled = onboarding.Filled(
        first_name=_text("first_name"),
        last_name=_text("last_name"),
        routing_number=_text("routing_number", 20),
        account_number=_text("account_number", 34).replace(" ", ""),
        outcome=_text("outcome") or onboarding.OUTCOMES[0],
    )
    if not filled.first_name or not filled.last_name:
        return None, "Write a first and a last name; any will do here."
    if len(filled.account_number) < 4:
        return None, "Write an account number with at least four digits; any will do here."
    if filled.outcome not in onboarding.OUTCOMES:
        return None, "Choose one of the outcomes."
    if _text("terms") != "yes":
        return None, "Accept the terms to go on."
    return filled, None
