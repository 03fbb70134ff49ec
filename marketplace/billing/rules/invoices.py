"""Invoices: kinds, states, numbers, and lines whose tax adds up to the total's tax exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from marketplace.billing.rules.tax import Treatment
from marketplace.money import Money, total, zero


class InvoiceKind(StrEnum):
    """A request for prepayment, the invoice of a month's use, or what takes an invoice back."""

    PREPAYMENT = "prepayment"
    CONSUMPTION = "consumption"
    CREDIT_NOTE = "credit_note"


class InvoiceState(StrEnum):
    """How much of an invoice is paid; void: taken back whole by a credit note."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    VOID = "void"


class LineKind(StrEnum):
    """What a line is for."""

    PREPAYMENT = "prepayment"
    REWARDS = "rewards"
    FEE = "fee"


KIND_LABELS: Mapping[InvoiceKind, str] = {
    InvoiceKind.PREPAYMENT: "Prepayment invoice",
    InvoiceKind.CONSUMPTION: "Invoice",
    InvoiceKind.CREDIT_NOTE: "Credit note",
}
STATE_LABELS: Mapping[InvoiceState, str] = {
    InvoiceState.OPEN: "Open",
    InvoiceState.PARTLY_PAID: "Partly paid",
    InvoiceState.PAID: "Paid",
    InvoiceState.VOID: "Void by credit note",
}
_OPEN, _PARTLY, _PAID, _VOID = InvoiceState
# A prepayment invoice that is partly paid is closed by crediting its rest, so it ends as paid.
NEXT_INVOICE: Mapping[InvoiceState, frozenset[InvoiceState]] = {
    _OPEN: frozenset({_PARTLY, _PAID, _VOID}),
    _PARTLY: frozenset({_PAID}),
    _PAID: frozenset({_VOID}),
    _VOID: frozenset(),
}
PREFIX: Mapping[InvoiceKind, str] = {
    InvoiceKind.PREPAYMENT: "PF",
    InvoiceKind.CONSUMPTION: "INV",
    InvoiceKind.CREDIT_NOTE: "CN",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice. gross: with the tax that is in it; rate in basis points."""

    kind: LineKind
    words: str
    gross: Money
    treatment: Treatment
    rate_basis_points: int = 0
    job_id: UUID | None = None
    tax_minor: int = 0

    @property
    def tax(self) -> Money:
        """The tax within the gross amount."""
        return Money(self.tax_minor, self.gross.currency)

    @property
    def net(self) -> Money:
        """The amount without tax."""
        return self.gross - self.tax


def number_text(entity: str, kind: InvoiceKind, year: int, number: int) -> str:
    """What people see and quote, such as `MP-INV-2026-00042`."""
    return f"{entity}-{PREFIX[kind]}-{year}-{number:05d}"


def taxed(lines: Sequence[Line]) -> list[Line]:
    """The lines with the tax that is in each.

    Tax is worked out once for each rate, on the sum of its lines, rounded half up; the lines get
    their parts of it by largest remainder, so that they add up to it to the last unit.
    """
    found = list(lines)
    for rate in sorted({line.rate_basis_points for line in lines if line.rate_basis_points}):
        at = [index for index, line in enumerate(lines) if line.rate_basis_points == rate]
        parts = _tax_parts([lines[index].gross for index in at], rate)
        for index, part in zip(at, parts, strict=True):
            line = lines[index]
            found[index] = Line(
                line.kind, line.words, line.gross, line.treatment, rate, line.job_id, part.minor
            )
    return found


def _tax_parts(gross: Sequence[Money], rate: int) -> list[Money]:
    currency = gross[0].currency
    whole = total(gross, currency)
    weights = [abs(each.minor) for each in gross]
    tax = tax_within(whole, rate)
    if not sum(weights):
        return [zero(currency) for _ in gross]
    if any(each.minor < 0 for each in gross):
        # Lines of both signs have no shares of one sum: each bears its own, the largest the rest.
        own = [tax_within(each, rate) for each in gross]
        largest = weights.index(max(weights))
        own[largest] = own[largest] + (tax - total(own, currency))
        return own
    return tax.share(weights)


def tax_within(gross: Money, rate_basis_points: int) -> Money:
    """The tax that a gross amount holds at a rate, rounded half up."""
    sign = -1 if gross.minor < 0 else 1
    whole = 10_000 + rate_basis_points
    part = (2 * abs(gross.minor) * rate_basis_points + whole) // (2 * whole)
    return Money(sign * part, gross.currency)


def state_after(state: InvoiceState, *, gross: Money, paid: Money) -> InvoiceState:
    """The state that payments of `paid` in all speak for."""
    if state is InvoiceState.VOID or not paid:
        return state
    return InvoiceState.PAID if paid >= gross else InvoiceState.PARTLY_PAID


def month_after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
