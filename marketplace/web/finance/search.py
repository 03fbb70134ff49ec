"""One box for everything that finance has a reference or an amount of; what is found, by kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger import queries as ledger
from marketplace.money import EXPONENT, Money, parse_money
from marketplace.reconciliation.queries.lookup import REFERENCE_MAX, Hit, HitKind, look_up
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.guards import me, needs

FOUND_MAX = 50
HEADINGS: Mapping[HitKind, str] = {
    HitKind.RUN: "Payout runs",
    HitKind.LINE: "Payout lines",
    HitKind.REVERSAL: "Transfers taken back",
    HitKind.BANK_PAYOUT: "Payouts to specialists\u2019 banks",
    HitKind.PAYEE: "Payees",
    HitKind.INVOICE: "Invoices",
    HitKind.CASH: "Cash received",
    HitKind.TOP_UP: "Top-ups",
    HitKind.REFUND: "Refunds",
    HitKind.DISPUTE: "Disputes",
    HitKind.STRIPE_LINE: "Lines at Stripe",
    HitKind.STRIPE_PAYOUT: "Payouts told by Stripe",
    HitKind.BANK_LINE: "Lines of bank statements",
    HitKind.BREAK: "Breaks",
}
SYMBOLS = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY"}
_CODE = re.compile(r"\b([A-Za-z]{3})\b")
_NUMBER = re.compile(r"[-\u2212+]?\d[\d,.\u00a0 ]*")
_LINKS: Mapping[HitKind, tuple[str, str]] = {
    HitKind.RUN: ("finance.show_run", "run_id"),
    HitKind.LINE: ("finance.show_line", "line_id"),
    HitKind.REVERSAL: ("finance.show_line", "line_id"),
    HitKind.CASH: ("finance.show_cash", "receipt_id"),
    HitKind.BANK_LINE: ("finance.show_statement", "statement_id"),
    HitKind.BREAK: ("finance.show_break", "break_id"),
    HitKind.PAYEE: ("finance.list_entries", "owner"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit as the page shows it. href: where it is, or the entries that name it."""

    hit: Hit
    href: str
    words: str


@finance.get("/search")
@needs(Permission.FINANCE_VIEW)
def search() -> str:
    """What a reference names, or what is of an amount."""
    typed = request.args.get("q", "").replace("\0", "").strip()[:REFERENCE_MAX]
    with transaction() as session:
        facts = _found(session, typed) if typed else {"groups": {}, "postings": [], "amounts": ()}
    count = len(facts["postings"]) + sum(len(hits) for hits in facts["groups"].values())
    return render_template(
        "finance/search.html",
        typed=typed,
        count=count,
        headings=HEADINGS,
        sources=shown.SOURCES,
        tail=shown.tail,
        most=FOUND_MAX,
        **facts,
    )


def _found(session: Session, typed: str) -> dict[str, Any]:
    amounts = amounts_of(typed, list(ledger.money_by_state(session, me())))
    hits = look_up(session, me(), reference=typed, amounts=amounts)
    postings = {one.transaction_id: one for one in ledger.find(session, me(), reference=typed)}
    for each in amounts:
        for one in ledger.find(session, me(), amount=each):
            postings[one.transaction_id] = one
    owners = {hit.owner_id for some in hits.values() for hit in some if hit.owner_id}
    known = parse_id(typed)
    names = shown.names_of(session, owners | ({known} if known else set()))
    newest = sorted(postings.values(), key=lambda one: str(one.transaction_id), reverse=True)
    return {
        "groups": {
            kind: [Shown(hit, _href(hit), _words(hit, names)) for hit in some]
            for kind, some in hits.items()
        },
        "postings": newest[:FOUND_MAX],
        "amounts": amounts,
        "owner": names.get(known, "") if known else "",
        "owner_id": known,
    }


def _words(hit: Hit, names: Mapping[Any, str]) -> str:
    return names.get(hit.owner_id, shown.tail(hit.owner_id)) if hit.owner_id else ""


def _href(hit: Hit) -> str:
    if hit.kind in _LINKS:
        endpoint, name = _LINKS[hit.kind]
        values: dict[str, Any] = {name: hit.subject}
        return url_for(endpoint, **values)
    if hit.kind is HitKind.STRIPE_LINE:
        return url_for("finance.search", q=hit.subject)
    return url_for("finance.search", q=hit.reference)


def amounts_of(typed: str, currencies: list[str]) -> tuple[Money, ...]:
    """The amounts that the text may mean: of the currency that it names, or of each in use.

    Nothing for what is no number, or has more decimals than its currency.
    """
    symbols = [code for symbol, code in SYMBOLS.items() if symbol in typed]
    codes = [found.upper() for found in _CODE.findall(typed) if found.upper() in EXPONENT]
    plain = _CODE.sub("", typed) if codes else typed
    for symbol in SYMBOLS:
        plain = plain.replace(symbol, "")
    plain = plain.strip()
    if not _NUMBER.fullmatch(plain):
        return ()
    found = []
    for currency in codes or symbols or currencies:
        try:
            figure = plain.lstrip("-\u2212+").replace(" ", "")
            found.append(parse_money(figure, currency))
        except Faulty:
            continue  # A yen has no cents: this text means no amount in that currency.
    return tuple(one for one in found if one)
