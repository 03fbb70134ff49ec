"""Entries of the whole book: filters, sums of what is shown and of all, and the same as a file.

Every figure of the desk links here, by `of`, the name of the figure; the sum is the figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.ledger import queries as ledger
from marketplace.ledger.queries import SelectedEntry, Selection, SelectionTotal
from marketplace.ledger.queries.position import CASH, OWED, STEMS
from marketplace.ledger.rules import AccountKind, SourceKind
from marketplace.money import EXPONENT, Money
from marketplace.web.finance import moments, shown
from marketplace.web.finance.account import against
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import Cell, amount, csv_text, download
from marketplace.web.forms import refill
from marketplace.web.guards import me, needs

PAGE = 100
HEAD = (
    "number", "effective_on", "posted_at", "account", "source_kind", "source_id",
    "balance_transaction_id", "transaction_id", "currency", "debit", "credit",
)  # fmt: skip
TEMPLATE = "finance/entries.html"


def _stems(*names: str) -> tuple[str, ...]:
    return tuple(stem for name in names for stem in STEMS[name])


# The figures of the desk that entries make, by name: words, and their control accounts.
FIGURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cash": ("Cash, wherever it lies", _stems(*CASH)),
    "cash_and_disputed": ("Cash, and what disputes took", _stems(*CASH, "disputed")),
    "owed": ("Owed to labs, specialists and the tax office", _stems(*OWED)),
    "cover": ("Cover: cash less what is owed", _stems(*CASH, "disputed", *OWED)),
    "at_stripe": ("At Stripe", _stems("at_stripe")),
    "kept_back": ("Kept back by Stripe", _stems("kept_back")),
    "to_bank": ("On its way from Stripe to our bank", _stems("to_bank")),
    "to_stripe": ("On its way from our bank to Stripe", _stems("to_stripe")),
    "at_bank": ("In our account of clients\u2019 funds", _stems("at_bank")),
    "operating": ("In our operating account", _stems("operating")),
    "disputed": ("Taken by disputes, still contested", _stems("disputed")),
    "labs_pending": ("Labs, pending", _stems("labs_pending")),
    "labs_available": ("Labs, available", _stems("labs_available")),
    "labs_disputed": ("Labs, held by a dispute", _stems("labs_disputed")),
    "jobs_reserved": ("Labs, set aside for jobs", _stems("jobs_reserved")),
    "refunds": ("Refunds on their way", _stems("refunds")),
    "unapplied": ("Cash not applied yet", _stems("unapplied")),
    "pending": ("Specialists, pending", _stems("pending")),
    "available": ("Specialists, available", _stems("available")),
    "held": ("Specialists, held", _stems("held")),
    "payout_reserved": ("Specialists, in payout runs", _stems("payout_reserved")),
    "withheld": ("Tax withheld", _stems("withheld")),
    "labs_owe": ("Labs owe us", _stems("labs_owe")),
    "specialists_owe": ("Specialists owe us", _stems("specialists_owe")),
    "fees_earned": ("Fees we earned", _stems("fees_earned")),
    "processing_paid": ("What Stripe kept of payments", _stems("processing_paid")),
    "connected": ("On specialists\u2019 accounts at Stripe", ("C:A:connected",)),
    "to_specialists": ("On its way to specialists\u2019 banks", ("C:A:to_bank",)),
    "in_connected": ("Specialists\u2019, outside our book", ("C:L:in_connected",)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of entries asks for. kept: the filters as its address says them."""

    wanted: Selection
    figure: str
    kept: dict[str, str]


def _plain(name: str) -> str:
    return request.args.get(name, "").replace("\0", "").strip()


def asked() -> Asked:
    """The filters of the address; Faulty for a day that is none, or ones that end too early."""
    names = ("of", "code", "kind", "source", "owner", "currency", "since", "until")
    kept = {name: text for name in names if (text := _plain(name))}
    since = moments.parse_day(kept.get("since", ""), pointer="/since")
    until = moments.parse_day(kept.get("until", ""), pointer="/until")
    if since and until and until < since:
        told = Fault("/until", "Choose a day that is not before the first.")
        raise Faulty("The days end before they begin.", [told])
    owner = parse_id(kept.get("owner", ""))
    if owner is None and kept.get("owner"):
        told = Fault("/owner", "Write the id of a lab, a job or a specialist.")
        raise Faulty("The owner is not an id.", [told])
    figure = kept.get("of", "") if kept.get("of", "") in FIGURES else ""
    wanted = Selection(
        stems=FIGURES[figure][1] if figure else (),
        code=kept.get("code", ""),
        kind={each.value: each for each in AccountKind}.get(kept.get("kind", "")),
        owner_id=owner,
        currency=kept.get("currency", "").upper(),
        source={each.value: each for each in SourceKind}.get(kept.get("source", "")),
        since=since,
        until=until,
    )
    return Asked(wanted, figure, kept)


@finance.get("/entries")
@needs(Permission.FINANCE_VIEW)
def list_entries() -> str | Response:
    """Entries that fit the filters, newest first, with their sums."""
    try:
        return render_template(TEMPLATE, **_facts(asked()))
    except Faulty as error:
        return refill(TEMPLATE, error, **_facts(Asked(Selection(currency="-"), "", {})))


def _facts(each: Asked) -> dict[str, Any]:
    with transaction() as session:
        found = ledger.selected_entries(
            session, me(), each.wanted, after=_plain("after") or None, limit=PAGE + 1
        )
        totals = ledger.selection_totals(session, me(), each.wanted)
        rows = found[:PAGE]
        legs = ledger.counter_accounts(session, me(), {row.transaction_id for row in rows})
        codes = {code for some in legs.values() for code, _ in some}
        names = shown.owner_names(session, codes)
    currency = each.wanted.currency
    return {
        "asked": each,
        "title": FIGURES[each.figure][0] if each.figure else "Entries",
        "rows": [
            (
                row,
                shown.named(row.code, names),
                against(row.code, row.raw, legs[row.transaction_id], names),
            )
            for row in rows
        ],
        "page_sums": page_sums(rows),
        "totals": totals,
        "net_words": {code: net_words(total) for code, total in totals.items()},
        "last": found[PAGE - 1].cursor if len(found) > PAGE else None,
        "kinds": shown.KINDS,
        "sources": shown.SOURCES,
        "of_lines": shown.OF_LINES,
        "tail": shown.tail,
        "figures": [("", "All entries"), *((name, words) for name, (words, _) in FIGURES.items())],
        "currencies": [("", "All"), *((code, code) for code in sorted(codes_of(totals, currency)))],
        "csv": csv_href(each),
    }


def csv_href(each: Asked) -> str:
    """The address of the same entries as a file."""
    kept: dict[str, Any] = dict(each.kept)
    return url_for("finance.entries_csv", **kept)


def codes_of(totals: Mapping[str, Any], currency: str) -> set[str]:
    """The currencies to choose from: those of the entries, and the one that is chosen."""
    return {*totals, currency} & set(EXPONENT)


def page_sums(rows: Sequence[SelectedEntry]) -> dict[str, tuple[Money, Money]]:
    """Debits and credits of the entries on a page, by currency."""
    sums: dict[str, tuple[Money, Money]] = {}
    for row in rows:
        nothing = row.raw * 0
        debit, credit = sums.get(row.raw.currency, (nothing, nothing))
        if row.raw.minor > 0:
            sums[row.raw.currency] = (debit + row.raw, credit)
        else:
            sums[row.raw.currency] = (debit, credit - row.raw)
    return dict(sorted(sums.items()))


def net_words(total: SelectionTotal) -> str:
    """What the net figure of a total is."""
    if total.side == 0:
        return "Debits less credits"
    return "Sum, on the debit side" if total.side > 0 else "Sum, on the credit side"


@finance.get("/entries.csv")
@needs(Permission.FINANCE_VIEW)
def entries_csv() -> Response:
    """All entries that fit the same filters, as a file."""
    each = asked()
    with transaction() as session:
        rows = csv_text(HEAD, _cells(session, each.wanted))
        return download(rows, f"entries-{clock.now():%Y-%m-%d}.csv", "text/csv")


def _cells(session: Session, wanted: Selection) -> Iterator[tuple[Cell, ...]]:
    for row in ledger.every_selected(session, me(), wanted):
        raw = row.raw
        yield (
            row.number,
            row.effective_on.isoformat(),
            row.posted_at.isoformat(),
            row.code,
            row.source_kind.value,
            row.source_id,
            row.balance_transaction_id,
            str(row.transaction_id),
            raw.currency,
            amount(raw if raw.minor > 0 else None),
            amount(-raw if raw.minor < 0 else None),
        )
