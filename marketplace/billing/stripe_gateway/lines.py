"""Lines of Stripe's balance, and the customers and payments that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from stripe import BalanceTransaction, StripeClient

from marketplace.billing.stripe_gateway.checkout import id_of
from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.stripe_client import iso, translated

LINES_MAX = 100


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """A balance transaction. amount: signed, before the fee; source_id: what it is about."""

    id: str
    type: str
    amount: Money
    fee: Money
    source_id: str | None
    created_at: datetime


@outside_transaction
def balance_line(client: StripeClient, line_id: str) -> BalanceLine:
    """One line of our balance at Stripe."""
    with translated():
        return _line(client.v1.balance_transactions.retrieve(line_id))


@outside_transaction
def lines_of_source(client: StripeClient, source_id: str) -> list[BalanceLine]:
    """The lines that one object of Stripe's made."""
    with translated():
        found = client.v1.balance_transactions.list({"source": source_id, "limit": LINES_MAX})
    return [_line(each) for each in found.data]


def _line(line: BalanceTransaction) -> BalanceLine:
    return BalanceLine(
        id=line.id,
        type=line.type,
        amount=iso(line.amount, line.currency),
        fee=iso(line.fee, line.currency),
        source_id=id_of(line.source),
        created_at=datetime.fromtimestamp(line.created, UTC),
    )


@outside_transaction
def payment_of_line(client: StripeClient, line: BalanceLine) -> str | None:
    """The payment intent that a line's charge or refund belongs to; None for another source."""
    source = line.source_id or ""
    with translated():
        if source.startswith(("ch_", "py_")):
            return id_of(client.v1.charges.retrieve(source).payment_intent)
        if source.startswith(("re_", "pyr_")):
            return id_of(client.v1.refunds.retrieve(source).payment_intent)
    return None


@outside_transaction
def customer_of_line(client: StripeClient, line: BalanceLine) -> str | None:
    """The customer whose cash balance a line funded."""
    with translated():
        full = client.v1.balance_transactions.retrieve(line.id, {"expand": ["source"]})
    return id_of(getattr(full.source, "customer", None))


@outside_transaction
def create_customer(client: StripeClient, organisation_id: UUID, name: str) -> str:
    """The lab's customer at Stripe: created, or the same one again."""
    with translated():
        customer = client.v1.customers.create(
            {"name": name, "metadata": {"organisation_id": str(organisation_id)}},
            {"idempotency_key": f"customer:{organisation_id}"},
        )
    return customer.id
