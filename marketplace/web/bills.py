"""What stands on invoices, receipts and statements: the facts of their PDFs, in words.

Documents outlive the reader's zone and language: their days are the book's, written out in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from marketplace import documents
from marketplace.billing.models import TopUp
from marketplace.billing.queries import GROUPS, InvoiceView, Movement, Standing
from marketplace.billing.rules import references
from marketplace.billing.rules.invoices import KIND_LABELS, STATE_LABELS, InvoiceKind, InvoiceState
from marketplace.billing.rules.tax import Treatment
from marketplace.documents import Json
from marketplace.money import Money, zero
from marketplace.settings import BankAccounts
from marketplace.web.countries import country_name
from marketplace.web.filters import money

Parties = tuple[Mapping[str, str], Mapping[str, str]]
LINE_HEAD = [
    {"title": "What", "width": "wide"},
    {"title": "Net", "align": "right"},
    {"title": "Tax rate", "align": "right"},
    {"title": "Tax", "align": "right"},
    {"title": "Amount", "align": "right"},
]
MOVEMENT_HEAD = [
    {"title": "Day"},
    {"title": "What", "width": "wide"},
    {"title": "Reference", "width": "wide"},
    {"title": "Amount", "align": "right"},
    {"title": "Balance", "align": "right"},
]


def day(on: date | None) -> str:
    """`23 November 2026`."""
    return format_date(on, "d MMMM y", locale="en_GB") if on else ""


def month_name(month: date) -> str:
    """`November 2026`."""
    return str(format_date(month, "MMMM y", locale="en_GB"))


def rate(basis_points: int) -> str:
    """`25.5 %`."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}{f'.{rest:02d}'.rstrip('0') if rest else ''} %"


def party(facts: Mapping[str, str]) -> list[str]:
    """The lines of somebody's address on a document."""
    lines = [facts["legal_name"], *facts["address"].split("\n")]
    country = country_name(facts["country"])
    if country and country.lower() not in facts["address"].lower():
        lines.append(country)
    if facts["tax_id"]:
        lines.append(f"Tax id {facts['tax_id']}")
    return [line for line in lines if line]


def footer(seller: Mapping[str, str]) -> str:
    """The issuer's line at the foot of each page."""
    return " · ".join(filter(None, (seller["legal_name"], *seller["address"].split("\n"),
                                    seller["tax_id"])))  # fmt: skip


def invoice_pdf(view: InvoiceView, accounts: BankAccounts) -> bytes:
    """An invoice as its document; the same for ever but for its mark."""
    invoice = view.invoice
    void = invoice.state is InvoiceState.VOID
    facts: dict[str, Json] = {
        "title": f"{KIND_LABELS[invoice.kind]} {invoice.reference}",
        "issuer": invoice.seller["legal_name"],
        "footer": footer(invoice.seller),
        "mark": STATE_LABELS[invoice.state] if void else None,
        "seller": party(invoice.seller),
        "buyer": party(invoice.buyer),
        "details": _details(view),
        "columns": LINE_HEAD,
        "rows": line_rows(view),
        "sums": [list(row) for row in sums(view)],
        "notes": [note for note in (*invoice.note.split("\n"), _settled(view)) if note],
        "pay": _pay(view, accounts),
    }
    return documents.pdf("invoice", facts)


def line_rows(view: InvoiceView) -> list[list[str]]:
    """The lines as they are printed: words, net, rate, tax, amount."""
    currency = view.invoice.currency
    return [
        [
            line.words,
            money(Money(line.net_minor, currency)),
            rate(line.rate_basis_points) if line.treatment is Treatment.STANDARD else "none",
            money(Money(line.tax_minor, currency)),
            money(Money(line.net_minor + line.tax_minor, currency)),
        ]
        for line in view.lines
    ]


def _details(view: InvoiceView) -> list[list[str]]:
    invoice = view.invoice
    rows = [["Number", invoice.reference], ["Issued on", day(invoice.issued_on)]]
    if invoice.month:
        rows.append(["For", month_name(invoice.month)])
    if invoice.due_on:
        rows.append(["Due on", day(invoice.due_on)])
    if invoice.buyer.get("purchase_order"):
        rows.append(["Your order", str(invoice.buyer["purchase_order"])])
    if view.credits:
        rows.append(["Takes back", view.credits.reference])
    rows.append(["Currency", invoice.currency])
    return rows


def sums(view: InvoiceView) -> list[tuple[str, str]]:
    """Net, the tax of each rate, and the whole, as they stand below the lines."""
    invoice = view.invoice
    taxes: dict[int, int] = {}
    for line in view.lines:
        if line.treatment is Treatment.STANDARD:
            taxes[line.rate_basis_points] = taxes.get(line.rate_basis_points, 0) + line.tax_minor
    rows = [("Net", money(invoice.net))]
    rows += [
        (f"Tax {rate(points)}", money(Money(minor, invoice.currency)))
        for points, minor in sorted(taxes.items())
    ]
    if not taxes:
        rows.append(("Tax", money(invoice.tax)))
    return [*rows, ("Total", money(invoice.gross))]


def _settled(view: InvoiceView) -> str:
    if view.invoice.kind is InvoiceKind.CONSUMPTION:
        return "Settled from the prepaid balance as the work was accepted. Nothing is due."
    if view.invoice.kind is InvoiceKind.CREDIT_NOTE:
        return "This credit note takes the amounts above back."
    return ""


def _pay(view: InvoiceView, accounts: BankAccounts) -> Json:
    if view.invoice.kind is not InvoiceKind.PREPAYMENT or view.payment_reference is None:
        return None
    account = dict(accounts).get(view.invoice.currency)
    if account is None:
        return None
    lines = [[label, words] for label, words in account]
    lines.append(["Payment reference", references.spaced(view.payment_reference)])
    return {"heading": "Pay by bank transfer", "lines": lines}


def receipt_pdf(top_up: TopUp, *, number: str, on: date, parties: Parties) -> bytes:
    """A receipt for a top-up that has reached the balance."""
    seller, buyer = parties
    facts: dict[str, Json] = {
        "title": f"Receipt {number}",
        "issuer": seller["legal_name"],
        "footer": footer(seller),
        "seller": party(seller),
        "buyer": party(buyer),
        "details": [
            ["Received on", day(on)],
            ["For", "Balance for expert judgements"],
            ["Paid through", "Stripe"],
            ["Payment", top_up.payment_intent_id or ""],
            ["In our books", top_up.balance_transaction_id or ""],
        ],
        "sums": [["Received", money(top_up.amount)]],
        "notes": [
            "A receipt is not a tax invoice: tax is stated on the invoice of the month in which "
            "the balance is used."
        ],
    }
    return documents.pdf("receipt", facts)


def statement_pdf(
    month: date,
    rows: Sequence[Sequence[str]],
    *,
    opening: Standing,
    closing: Standing,
    moved: Sequence[tuple[str, Money]],
    parties: Parties,
    over: bool,
) -> bytes:
    """A month's statement. rows: as `statement_rows` gives them; moved: sums by kind; over: no
    more can enter the month."""
    seller, buyer = parties
    totals = [["Opening", money(opening.total)]]
    totals += [[words, money(amount, sign=True)] for words, amount in moved]
    facts: dict[str, Json] = {
        "title": f"Statement of {month_name(month)}, {closing.total.currency}",
        "issuer": seller["legal_name"],
        "footer": footer(seller),
        "mark": None if over else "Not over yet",
        "seller": party(seller),
        "buyer": party(buyer),
        "columns": MOVEMENT_HEAD,
        "rows": [list(row) for row in rows],
        "sums": [*totals, ["Closing", money(closing.total)]],
        "parts": [list(part) for part in standing_parts(closing)],
        "notes": [
            "Accepted work is summed by day and job; each task stands in the same statement as "
            "CSV. Days are those of our books."
        ],
    }
    return documents.pdf("statement", facts)


def standing_parts(standing: Standing) -> list[tuple[str, str]]:
    """What the lab's money may be used for, with its sum at the end."""
    rows = [
        ("Available", standing.available),
        ("Pending", standing.pending),
        ("Reserved for jobs", standing.reserved),
        ("Held by disputes", standing.dispute_hold),
        ("Owed to us", -standing.owed),
    ]
    shown = [(words, money(amount)) for at, (words, amount) in enumerate(rows) if amount or not at]
    return [*shown, ("Together", money(standing.total))]


def statement_rows(opening: Money, moved: Iterable[Movement]) -> list[list[str]]:
    """Movements as a statement prints them, with the balance after each.

    Work is summed by day and job and follows the day's other movements; what only moves between a
    lab's own parts is left out, since it changes no sum.
    """
    found: dict[tuple[date, bool, object], _Row] = {}
    for each in moved:
        if not each.amount:
            continue
        work = each.kind in GROUPS["work"]
        key = each.on, work, each.words if work else each.place
        row = found.setdefault(key, _Row(each, zero(each.amount.currency), 0))
        found[key] = _Row(each, row.amount + each.amount, row.number + 1)
    rows, balance = [], opening
    for on, work, last in sorted(found, key=lambda key: key[:2]):
        row = found[on, work, last]
        balance = balance + row.amount
        rows.append(
            [
                format_date(on, "d MMM", locale="en_GB"),
                row.movement.words,
                f"{row.number} postings" if work else row.movement.reference,
                money(row.amount, sign=True),
                money(balance),
            ]
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Row:
    """Movements that are printed as one."""

    movement: Movement
    amount: Money
    number: int


def sums_by_kind(moved: Iterable[Movement]) -> list[tuple[str, Money]]:
    """What each kind of movement came to, in the order in which they first came."""
    found: dict[str, Money] = {}
    for each in moved:
        if each.amount:
            words = each.words.partition(":")[0]
            found[words] = found[words] + each.amount if words in found else each.amount
    return list(found.items())
