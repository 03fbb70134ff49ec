"""A lab's money: top-ups, refunds, invoices, limits."""

from __future__ import annotations

from typing import Any

from marketplace.client.engine import One, to, to_bytes, to_nothing
from marketplace.client.operations import M, Resource, operation, pages
from marketplace.client.records import AnyId, AnyMoney
from marketplace.client.shapes import billing as shapes


class Billing(Resource[M]):
    """`client.billing`; the balance itself is `client.balance()`."""

    @operation("POST /top-ups")
    def top_up(self, amount: AnyMoney) -> One[shapes.TopUp]:
        """Begin to pay in; a person goes on at `checkout_url`."""
        return to(shapes.TopUp, json={"amount": amount})

    @pages("GET /top-ups")
    def top_ups(self) -> One[shapes.TopUp]:
        """What was paid in, newest first."""
        return to(shapes.TopUp)

    @operation("GET /top-ups/{top_up_id}")
    def get_top_up(self, top_up_id: AnyId) -> One[shapes.TopUp]:
        """One."""
        return to(shapes.TopUp)

    @operation("POST /refunds")
    def refund(self, amount: AnyMoney) -> One[shapes.RefundsMade]:
        """Pay back what is not reserved, the way it came."""
        return to(shapes.RefundsMade, json={"amount": amount})

    @pages("GET /refunds")
    def refunds(self) -> One[shapes.Refund]:
        """What was paid back."""
        return to(shapes.Refund)

    @operation("GET /refunds/{refund_id}")
    def get_refund(self, refund_id: AnyId) -> One[shapes.Refund]:
        """One."""
        return to(shapes.Refund)

    @operation("GET /disputes")
    def disputes(self) -> One[shapes.ContestedPayments]:
        """Payments that a bank contests."""
        return to(shapes.ContestedPayments)

    @pages("GET /invoices")
    def invoices(self, /, **query: Any) -> One[shapes.Invoice]:
        """Invoices, newest first; query: state, kind."""
        return to(shapes.Invoice, query=query)

    @operation("POST /invoices")
    def invoice(self, amount: AnyMoney) -> One[shapes.InvoiceInFull]:
        """Ask for an invoice to pay in by bank transfer."""
        return to(shapes.InvoiceInFull, json={"amount": amount})

    @operation("GET /invoices/{invoice_id}")
    def get_invoice(self, invoice_id: AnyId) -> One[shapes.InvoiceInFull]:
        """One, with its lines."""
        return to(shapes.InvoiceInFull)

    @operation("GET /invoices/{invoice_id}.pdf")
    def invoice_pdf(self, invoice_id: AnyId) -> One[bytes]:
        """One, as a PDF."""
        return to_bytes()

    @operation("GET /statements/{month}")
    def statement(
        self,
        month: str,
        *,
        currency: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> One[shapes.LabStatement]:
        """What moved in a month (2026-11), a page at a time."""
        asked = {"currency": currency, "after": after, "limit": limit}
        return to(shapes.LabStatement, query={n: v for n, v in asked.items() if v is not None})

    @operation("GET /spend-limits")
    def spend_limits(self, currency: str = "USD") -> One[shapes.SpendLimits]:
        """What each member may spend in a month."""
        return to(shapes.SpendLimits, query={"currency": currency})

    @operation("PUT /spend-limits/{person_id}")
    def set_spend_limit(
        self, person_id: AnyId, currency: str, month_max: AnyMoney | None
    ) -> One[None]:
        """Set it; None lifts it."""
        return to_nothing(json={"currency": currency, "month_max": month_max})
