"""Test controls of money under /sandbox/control: what cards, banks and Stripe itself may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request

from marketplace.sandbox import (
    adjustments,
    bank,
    cash_balances,
    charges,
    disputes,
    rates,
    refunds,
    state,
    top_ups,
)
from marketplace.sandbox.asked import asked, flag, signed_whole, text, whole, words
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.pace import Pace
from marketplace.sandbox.store import Body, Store, Tx
from marketplace.sandbox.worker import Worker

AMOUNT_MAX = 10**12
Verb = Callable[[Tx, Body], Body]


def blueprint(
    store: Store, authenticate: Callable[[Request], None], worker: Worker, pace: Pace
) -> Blueprint:
    """The controls of money of one sandbox; each is a POST of JSON but the bank's statement."""
    routes = Blueprint("money_controls", __name__, url_prefix="/sandbox/control")
    routes.before_request(lambda: authenticate(request))

    def add(path: str, verb: Verb) -> None:
        def view() -> Response:
            body = asked()
            with store.transaction(str(body.get("account_id") or "")) as tx:
                answer = verb(tx, body)
            worker.nudge()
            return jsonify({"done": True, **answer})

        routes.add_url_rule(path, f"do_{verb.__name__}", view, methods=["POST"])

    for path, verb in VERBS.items():
        add(path, verb)

    def set_pace() -> Response:
        pace.limit(whole(asked(), "per_second", most=10_000))
        return jsonify(done=True)

    def statement() -> Response:
        with store.transaction() as tx:
            return statement_file(tx, request.args.to_dict())

    routes.add_url_rule("/pace", view_func=set_pace, methods=["POST"])
    routes.add_url_rule("/bank/statement", view_func=statement)
    return routes


def statement_file(tx: Tx, wanted: dict[str, Any]) -> Response:
    """A file of statements: kind, account, currency, since, until (dates, both included)."""
    kind, account = text(wanted, "kind"), text(wanted, "account")
    if kind not in bank.FORMATS or account not in bank.ACCOUNTS:
        raise ApiError("kind is camt053, mt940 or csv; account is client_funds or operating.")
    currency = known(text(wanted, "currency"))
    since, until = (_day(wanted, name) for name in ("since", "until"))
    found = bank.statements(tx, account, currency, since, until)
    if not found:
        raise ApiError("There were no movements in these days.", status=404)
    form = bank.FORMATS[kind]
    response = Response(bank.render(found, kind), content_type=form.media_type)
    name = f"{account}-{currency}-{found[0].on:%Y%m%d}-{found[-1].on:%Y%m%d}.{form.ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _day(wanted: dict[str, Any], name: str) -> date | None:
    value = wanted.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as fault:
        raise ApiError(f"{name} must be a date such as 2026-11-30.", param=name) from fault


def fail_refund(tx: Tx, body: Body) -> Body:
    """{refund, reason?}: the card's bank sends a refund back."""
    reason = str(body.get("reason") or refunds.FAILURES[2])
    refunds.fail(tx, text(body, "refund"), reason)
    return {}


def open_dispute(tx: Tx, body: Body) -> Body:
    """{charge, amount?, reason?, inquiry?}: the card's holder complains."""
    amount = whole(body, "amount", most=AMOUNT_MAX) if body.get("amount") is not None else None
    made = disputes.open_dispute(
        tx,
        text(body, "charge"),
        amount,
        str(body.get("reason") or "fraudulent"),
        inquiry=flag(body, "inquiry"),
    )
    return {"dispute": made["id"]}


def close_dispute(tx: Tx, body: Body) -> Body:
    """{dispute, outcome}: won, lost, warning_closed or escalated."""
    disputes.close_dispute(tx, text(body, "dispute"), text(body, "outcome"))
    return {}


def fail_topup(tx: Tx, body: Body) -> Body:
    """{topup, code?}: the platform's bank refuses it."""
    top_ups.fail(tx, text(body, "topup"), str(body.get("code") or "insufficient_funds"))
    return {}


def reverse_topup(tx: Tx, body: Body) -> Body:
    """{topup}: the platform's bank takes it back."""
    top_ups.reverse(tx, text(body, "topup"))
    return {}


def return_payment(tx: Tx, body: Body) -> Body:
    """{charge, code?}: a bank debit comes back after it succeeded."""
    code = str(body.get("code") or "debit_not_authorized")
    charges.come_back(
        tx, text(body, "charge"), charges.Decline(code, "The bank took the debit back.")
    )
    return {}


def debit(tx: Tx, body: Body) -> Body:
    """{account_id, amount, currency, description?}: money goes off a balance, below zero too."""
    amount = whole(body, "amount", most=AMOUNT_MAX)
    why = str(body.get("description") or "Debit by Stripe")
    return {"line": adjustments.debit(tx, amount, known(text(body, "currency")), why)}


def post_line(tx: Tx, body: Body) -> Body:
    """{type, amount (signed), currency, fee?, description?, account_id?}: any line at all."""
    fee = whole(body, "fee", most=AMOUNT_MAX) if body.get("fee") is not None else 0
    line = adjustments.post_line(
        tx,
        text(body, "type"),
        signed_whole(body, "amount", most=AMOUNT_MAX),
        text(body, "currency"),
        fee=fee,
        description=words(body, "description") or None,
    )
    return {"line": line}


def hold_reserve(tx: Tx, body: Body) -> Body:
    """{amount, currency}: Stripe sets money aside for its own risk."""
    amount = whole(body, "amount", most=AMOUNT_MAX)
    return {"hold": adjustments.hold_reserve(tx, amount, text(body, "currency"))}


def release_reserve(tx: Tx, body: Body) -> Body:
    """{hold}: and lets it go."""
    return {"release": adjustments.release_reserve(tx, text(body, "hold"))}


def settle_in(tx: Tx, body: Body) -> Body:
    """{currency or null}: the one currency that the platform's balance settles in, or all."""
    value = words(body, "currency")
    state.set_option(tx, rates.SETTLEMENT, known(value) if value else None)
    return {}


def set_rate(tx: Tx, body: Body) -> Body:
    """{source, target, rate}: an exchange rate, as a text such as 1.0842."""
    try:
        rate = Decimal(text(body, "rate"))
    except InvalidOperation as fault:
        raise ApiError("rate must be a number such as 1.0842.", param="rate") from fault
    if not Decimal("0.000001") <= rate <= 10**6:
        raise ApiError("rate must lie between 0.000001 and 1000000.", param="rate")
    rates.set_rate(tx, known(text(body, "source")), known(text(body, "target")), rate)
    return {}


def fund_customer(tx: Tx, body: Body) -> Body:
    """{customer, amount, currency, reference?}: a bank transfer for a customer's cash balance."""
    made = cash_balances.fund(
        tx,
        text(body, "customer"),
        whole(body, "amount", most=AMOUNT_MAX),
        known(text(body, "currency")),
        words(body, "reference"),
    )
    return {"transaction": made["id"]}


def book(tx: Tx, body: Body) -> Body:
    """{account, amount (signed), currency, reference, payer, kind?, charges?}: a line at the bank.

    charges: what a bank on the way kept; the line's amount is what is left.
    """
    kept = whole(body, "charges", most=AMOUNT_MAX) if body.get("charges") is not None else 0
    line = bank.Line(
        account=text(body, "account"),
        currency=known(text(body, "currency")),
        amount=signed_whole(body, "amount", most=AMOUNT_MAX) - kept,
        reference=words(body, "reference"),
        counterparty=text(body, "payer"),
        kind=words(body, "kind") or "wire",
        charges=kept,
    )
    return {"number": bank.book(tx, line)}


VERBS: dict[str, Verb] = {
    "/refunds/fail": fail_refund,
    "/disputes/open": open_dispute,
    "/disputes/close": close_dispute,
    "/topups/fail": fail_topup,
    "/topups/reverse": reverse_topup,
    "/payments/return": return_payment,
    "/debit": debit,
    "/lines": post_line,
    "/reserves/hold": hold_reserve,
    "/reserves/release": release_reserve,
    "/settlement": settle_in,
    "/rates": set_rate,
    "/customers/fund": fund_customer,
    "/bank/lines": book,
}
