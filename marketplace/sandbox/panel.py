"""The control panel at /sandbox: one page from which a person plays Stripe, the cards and banks.

It holds no secret and no session; its forms work from this page only, by their origin.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, request, url_for
from psycopg import sql
from werkzeug.wrappers import Response as Redirect

from marketplace.sandbox import balance, bank, panel_verbs
from marketplace.sandbox.cards import AT_ONCE, CARDS, DEBITS
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.money_controls import statement_file
from marketplace.sandbox.pages import Page, fault_page, page
from marketplace.sandbox.store import Body, Row, Store, Tx
from marketplace.sandbox.worker import Worker, run_due_timers

SHOWN = 8
DISPUTES_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
SECTIONS = {
    "clock": "Clock",
    "payments": "Payments",
    "disputes": "Disputes",
    "accounts": "Accounts",
    "payouts": "Payouts",
    "faults": "Faults",
    "bank": "Bank",
}


def blueprint(store: Store, worker: Worker) -> Blueprint:
    """The page, what its buttons do, and the bank's statement as a file."""
    routes = Blueprint("panel", __name__)

    def show() -> Page:
        done = panel_verbs.VERBS.get(request.args.get("done", ""))
        return _shown(store, done=done[2] if done else None)

    def do() -> Page | Redirect:
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            return fault_page(403)
        name = request.form.get("verb", "")
        if name not in panel_verbs.VERBS:
            return fault_page(400)
        verb, section, _ = panel_verbs.VERBS[name]
        try:
            with store.transaction() as tx:
                verb(tx, request.form)
        except ApiError as refused:
            return _shown(store, fault=refused.message, status=422)
        run_due_timers(store)
        worker.nudge()
        return redirect(url_for("panel.show", done=name, _anchor=section), code=303)

    def statement() -> Page:
        try:
            with store.transaction() as tx:
                return statement_file(tx, request.args.to_dict())
        except ApiError as refused:
            return _shown(store, fault=refused.message, status=422)

    routes.add_url_rule("/sandbox", "show", show)
    routes.add_url_rule("/sandbox", "do", do, methods=["POST"])
    routes.add_url_rule("/sandbox/statement", "statement", statement)
    return routes


def _shown(
    store: Store, *, done: str | None = None, fault: str | None = None, status: int = 200
) -> Page:
    with store.transaction() as tx:
        facts: dict[str, Any] = {
            "now": tx.now,
            "amounts": _with_reserve(tx),
            "sessions": _newest(tx, "checkout.session", status="open"),
            "charges": _newest(tx, "charge"),
            "refunds": _newest(tx, "refund"),
            "disputes": _open_disputes(tx),
            "accounts": _newest(tx, "account"),
            "payouts": _newest_payouts(tx),
            "topups": _newest(tx, "topup", status="pending"),
            "armed": _armed(tx),
            "held": _held(tx),
            "bank": _bank(tx),
        }
    return page(
        "panel",
        status=status,
        done=done,
        fault=fault,
        sections=SECTIONS,
        steps=panel_verbs.STEPS,
        card=AT_ONCE,
        others=[*CARDS[1:], *DEBITS],
        webhook_faults=panel_verbs.WEBHOOK_FAULTS,
        call_faults=panel_verbs.CALL_FAULTS,
        paths=panel_verbs.PATHS,
        formats={"camt053": "camt.053 (XML)", "mt940": "MT940", "csv": "CSV"},
        bank_accounts=bank.ACCOUNTS,
        **facts,
    )


def _with_reserve(tx: Tx) -> list[Row]:
    aside = balance.reserved(tx)
    return [{**row, "reserved": aside.get(row["currency"], 0)} for row in balance.amounts(tx)]


def _newest(tx: Tx, kind: str, status: str | None = None) -> list[Body]:
    """The platform's newest objects of a kind."""
    rows = tx.rows(
        sql.SQL(
            "SELECT body FROM sandbox_objects WHERE account = '' AND kind = %s"
            " AND body->>'status' IS NOT DISTINCT FROM coalesce(%s, body->>'status')"
            " ORDER BY serial DESC LIMIT %s"
        ),
        (kind, status, SHOWN),
    )
    return [row["body"] for row in rows]


def _open_disputes(tx: Tx) -> list[Body]:
    rows = tx.rows(
        sql.SQL(
            "SELECT body FROM sandbox_objects WHERE account = '' AND kind = 'dispute'"
            " AND body->>'status' = ANY(%s) ORDER BY serial DESC LIMIT %s"
        ),
        (list(DISPUTES_OPEN), SHOWN),
    )
    return [row["body"] for row in rows]


def _newest_payouts(tx: Tx) -> list[Row]:
    """The newest payouts of every account, with whose they are."""
    return tx.rows(
        sql.SQL(
            "SELECT account, body FROM sandbox_objects WHERE kind = 'payout'"
            " ORDER BY serial DESC LIMIT %s"
        ),
        (SHOWN,),
    )


def _armed(tx: Tx) -> list[Row]:
    return tx.rows(sql.SQL("SELECT * FROM sandbox_faults WHERE remaining > 0 ORDER BY id LIMIT 20"))


def _held(tx: Tx) -> int:
    rows = tx.rows(sql.SQL("SELECT count(*) AS held FROM sandbox_deliveries WHERE state = 'held'"))
    return int(rows[0]["held"])


def _bank(tx: Tx) -> list[Body]:
    return [
        {
            "account": account,
            "title": title,
            "number": bank.account_number(account, currency),
            "currency": currency,
            "held": bank.balance_of(tx, account, currency),
        }
        for account, title in bank.ACCOUNTS.items()
        for currency in bank.currencies_of(tx, account)
    ]
