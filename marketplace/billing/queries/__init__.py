"""What a lab, and the finance desk, may see of a lab's money."""

from sqlalchemy.orm import Session

from marketplace.billing.queries.cash import CashView as CashView
from marketplace.billing.queries.cash import cash_receipt as cash_receipt
from marketplace.billing.queries.cash import cash_receipts as cash_receipts
from marketplace.billing.queries.cash import labs as labs
from marketplace.billing.queries.cash import unapplied_totals as unapplied_totals
from marketplace.billing.queries.consumption import first_use as first_use
from marketplace.billing.queries.consumption import labs_with_use as labs_with_use
from marketplace.billing.queries.consumption import uninvoiced as uninvoiced
from marketplace.billing.queries.consumption import used_by_day as used_by_day
from marketplace.billing.queries.invoices import InvoiceView as InvoiceView
from marketplace.billing.queries.invoices import broken_documents as broken_documents
from marketplace.billing.queries.invoices import buyer_of as buyer_of
from marketplace.billing.queries.invoices import details_of as details_of
from marketplace.billing.queries.invoices import invoice_of as invoice_of
from marketplace.billing.queries.invoices import invoices_of as invoices_of
from marketplace.billing.queries.invoices import last_invoiced as last_invoiced
from marketplace.billing.queries.invoices import paid_by_invoice as paid_by_invoice
from marketplace.billing.queries.invoices import tax_rates as tax_rates
from marketplace.billing.queries.movements import GROUP_LABELS as GROUP_LABELS
from marketplace.billing.queries.movements import GROUPS as GROUPS
from marketplace.billing.queries.movements import Movement as Movement
from marketplace.billing.queries.movements import Standing as Standing
from marketplace.billing.queries.movements import all_movements as all_movements
from marketplace.billing.queries.movements import currencies_of as currencies_of
from marketplace.billing.queries.movements import first_movement as first_movement
from marketplace.billing.queries.movements import movements as movements
from marketplace.billing.queries.movements import standing as standing
from marketplace.billing.queries.refunds import all_disputes as all_disputes
from marketplace.billing.queries.refunds import all_refunds as all_refunds
from marketplace.billing.queries.refunds import broken_invariants as broken_refunds
from marketplace.billing.queries.refunds import contested as contested
from marketplace.billing.queries.refunds import debtors as debtors
from marketplace.billing.queries.refunds import dispute_of as dispute_of
from marketplace.billing.queries.refunds import disputes_of as disputes_of
from marketplace.billing.queries.refunds import proposed_write_offs as proposed_write_offs
from marketplace.billing.queries.refunds import refund_of as refund_of
from marketplace.billing.queries.refunds import refunds_of as refunds_of
from marketplace.billing.queries.top_ups import PAGE as PAGE
from marketplace.billing.queries.top_ups import broken_invariants as broken_top_ups
from marketplace.billing.queries.top_ups import top_up_of as top_up_of
from marketplace.billing.queries.top_ups import top_ups_of as top_ups_of
from marketplace.billing.queries.watching import automatic_of as automatic_of
from marketplace.billing.queries.watching import watch_of as watch_of


def broken_invariants(session: Session) -> list[str]:
    """What must always be true of billing and is not, one sentence each; for the self-check."""
    return broken_top_ups(session) + broken_documents(session) + broken_refunds(session)
