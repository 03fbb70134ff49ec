"""What the PDF of a close pack prints; every figure and date as the text that is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from marketplace.money import Money
from marketplace.reconciliation.models import MonthClose
from marketplace.reconciliation.queries.closing import Rolled
from marketplace.reconciliation.rules.breaks import LABELS, BreakKind

Facts = Mapping[str, Any]
ROLLED = ("Control account", ("Opening", "Debits", "Credits", "Closing"))


def printed(close: MonthClose, controls: Sequence[Rolled]) -> dict[str, Any]:
    """The facts of the document: how it was closed, the book by control account, and the lists."""
    facts = close.facts
    parts = [
        _about(close),
        _checklist(facts["checklist"]),
        *_trial(controls),
        _roll_forwards(controls),
        _breaks(facts["breaks"]),
        _approvals(facts["approvals"]),
    ]
    if facts["late"]:
        parts.append(_late(facts["late"]))
    if facts["reopenings"]:
        parts.append(_reopenings(facts["reopenings"]))
    return {
        "title": f"Close of {close.month:%B %Y}",
        "issuer": "Marketplace",
        "footer": f"Close pack {close.month:%Y-%m}, round {close.round}",
        "mark": "Closed again" if close.round > 1 else "Closed",
        "parts": parts,
    }


def _about(close: MonthClose) -> dict[str, Any]:
    head = close.facts["head"]
    said = (
        f"{close.month:%B %Y} was closed on {close.closed_at.astimezone(UTC):%-d %B %Y at %H:%M} "
        f"UTC by person {close.closed_by}. Days are those of the book, in {close.facts['zone']}. "
    )
    chain = (
        f"The chain of transactions ends at number {head['number']:,} with the link {head['hash']}."
        if head["number"]
        else "Nothing was posted by its end."
    )
    people = " People are named by their ids, or the last eight digits of them."
    return {"text": said + chain + people}


def _column(title: str, *, right: bool = False, wide: bool = False) -> dict[str, str]:
    width = "wide" if wide else "auto"
    return {"title": title, "align": "right" if right else "left", "width": width}


def _checklist(checks: Sequence[Facts]) -> dict[str, Any]:
    return {
        "heading": "Checklist",
        "columns": [_column("What must be so", wide=True), _column("Found"), _column("")],
        "rows": [[one["label"], one["said"], "yes" if one["ok"] else "no"] for one in checks],
    }


def _figure(amount: Money) -> str:
    return f"{amount.decimal():,f}"


def _trial(controls: Sequence[Rolled]) -> Iterator[dict[str, Any]]:
    """The trial balance, a table for each currency with both sums."""
    for currency in sorted({row.opening.currency for row in controls}):
        rows = [row for row in controls if row.opening.currency == currency and row.closing]
        debit = sum(max(row.closing.minor, 0) for row in rows)
        credit = sum(max(-row.closing.minor, 0) for row in rows)
        yield {
            "heading": f"Trial balance in {currency}",
            "columns": [
                _column("Control account", wide=True),
                _column("Debit", right=True),
                _column("Credit", right=True),
            ],
            "rows": [[row.code, *_sides(row.closing)] for row in rows],
            "sums": [
                ["Debits", f"{_figure(Money(debit, currency))} {currency}"],
                ["Credits", f"{_figure(Money(credit, currency))} {currency}"],
            ],
        }


def _sides(amount: Money) -> tuple[str, str]:
    return (_figure(amount), "") if amount.minor > 0 else ("", _figure(-amount))


def _roll_forwards(controls: Sequence[Rolled]) -> dict[str, Any]:
    first, figures = ROLLED
    return {
        "heading": "Roll-forwards of the control accounts",
        "text": "Debits are positive. Each account by itself is in accounts.csv.",
        "columns": [_column(first, wide=True), *(_column(name, right=True) for name in figures)],
        "rows": [
            [row.code, *map(_figure, (row.opening, row.debits, row.credits, row.closing))]
            for row in controls
        ],
    }


def _breaks(breaks: Sequence[Facts]) -> dict[str, Any]:
    if not breaks:
        return {"heading": "Breaks", "text": "None was open at the close or resolved in the month."}
    names = ("Break", "Kind", "Since", "Severity", "State")
    return {
        "heading": "Breaks",
        "columns": [*(_column(name) for name in names), _column("Difference", right=True)],
        "rows": [
            [
                one["reference"],
                LABELS[BreakKind(one["kind"])],
                one["since"][:10],
                one["severity"],
                one["resolution"].replace("_", " ") or one["state"],
                f"{_figure(Money(one['difference_minor'], one['currency']))} {one['currency']}",
            ]
            for one in breaks
        ],
    }


def _approvals(approvals: Sequence[Facts]) -> dict[str, Any]:
    if not approvals:
        return {"heading": "Approvals", "text": "Nothing was approved."}
    names = ("Of", "By", "Approved by", "At (UTC)", "Content")
    return {
        "heading": "Approvals",
        "columns": [_column("What", wide=True), *(_column(name) for name in names)],
        "rows": [
            [
                one["what"],
                one["reference"],
                one["proposed_by"][-8:],
                one["approved_by"][-8:],
                one["at"][:16].replace("T", " "),
                one["content_sha256"][:12],
            ]
            for one in approvals
        ],
    }


def _late(late: Sequence[Facts]) -> dict[str, Any]:
    return {
        "heading": "Late items",
        "text": "What happened in one month and took effect in a later one.",
        "columns": [
            _column("What", wide=True),
            _column("Happened on"),
            _column("In effect on"),
            _column("Amount", right=True),
        ],
        "rows": [
            [
                one["kind"].replace("_", " "),
                one["happened_on"],
                one["effective_on"],
                f"{_figure(Money(one['amount_minor'], one['currency']))} {one['currency']}",
            ]
            for one in late
        ],
    }


def _reopenings(reopenings: Sequence[Facts]) -> dict[str, Any]:
    return {
        "heading": "Opened again",
        "columns": [
            _column("Reason", wide=True),
            _column("Asked by"),
            _column("Approved by"),
            _column("At (UTC)"),
        ],
        "rows": [
            [
                one["reason"],
                one["asked_by"][-8:],
                one["approved_by"][-8:],
                (one["approved_at"] or "")[:16].replace("T", " "),
            ]
            for one in reopenings
        ],
    }
