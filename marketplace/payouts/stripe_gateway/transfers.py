"""The balance and transfers at Stripe."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from stripe import StripeClient, Transfer

from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.payouts.rules import Order, Payment
from marketplace.payouts.stripe_gateway.answers import id_of
from marketplace.stripe_client import (
    iso,
    moving_money,
    reading_back,
    stripe_minor,
    translated,
)

PAGE = 100


@outside_transaction
def available_balance(client: StripeClient, currency: str) -> Money:
    """What Stripe would let us transfer now, in a currency; pending money does not count."""
    with translated():
        balance = client.v1.balance.retrieve()
    rows = [row.amount for row in balance.available if row.currency == currency.lower()]
    unit = stripe_minor(Money(1, currency))
    return Money(sum(rows) // unit, currency)  # Parts of a unit cannot be sent.


@outside_transaction
def send(client: StripeClient, order: Order) -> Payment:
    """Make the transfer, or replay the answer to the same order.

    Raises StripeRefused only where Stripe refused the transfer itself; StripeUnreachable where it
    may exist; StripeRateLimited where nothing happened; StripeKeyReused for a fault of ours.
    """
    with moving_money():
        transfer = client.v1.transfers.create(
            {
                "amount": stripe_minor(order.amount),
                "currency": order.amount.currency.lower(),
                "destination": order.account,
                "transfer_group": str(order.run_id),
                "metadata": {
                    "line_id": str(order.line_id),
                    "run_id": str(order.run_id),
                    "attempt_id": str(order.attempt_id),
                },
            },
            {"idempotency_key": str(order.attempt_id)},
        )
    return _payment(client, transfer)


@outside_transaction
def transfer_now(client: StripeClient, transfer_id: str) -> Payment:
    """One transfer as it is now."""
    with translated():
        transfer = client.v1.transfers.retrieve(transfer_id)
    return _payment(client, transfer)


@outside_transaction
def transfers_of_line(
    client: StripeClient, *, account: str, run_id: UUID, line_id: UUID, page: int = PAGE
) -> list[Payment]:
    """Every transfer that names the line, from a listing that was read to its end."""
    with translated():
        listed = client.v1.transfers.list(
            {"destination": account, "transfer_group": str(run_id), "limit": page}
        )
        named = [
            transfer
            for transfer in listed.auto_paging_iter()
            if transfer.metadata.to_dict().get("line_id") == str(line_id)
        ]
    return [_payment(client, transfer) for transfer in named]


@outside_transaction
def transfers_since(client: StripeClient, since: datetime) -> list[Payment]:
    """Every transfer that was made since a moment, newest first; `destination` is as sent."""
    with translated():
        listed = client.v1.transfers.list(
            {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        )
        return [_as_sent(transfer) for transfer in listed.auto_paging_iter()]


def _as_sent(transfer: Transfer) -> Payment:
    amount = iso(transfer.amount, transfer.currency)
    named = transfer.metadata.to_dict()
    return Payment(
        transfer_id=transfer.id,
        balance_transaction_id=id_of(transfer.balance_transaction),
        amount=amount,
        account=id_of(transfer.destination),
        line_id=named.get("line_id", ""),
        destination=amount,
        attempt_id=named.get("attempt_id", ""),
        payment_id=id_of(transfer.destination_payment),
    )


def _payment(client: StripeClient, transfer: Transfer) -> Payment:
    sent = _as_sent(transfer)
    with reading_back():
        arrived = _arrived(client, sent.account, sent.payment_id) or sent.amount
    return replace(sent, destination=arrived)


def _arrived(client: StripeClient, account: str, payment_id: str) -> Money | None:
    """What the transfer became on the account, in the account's currency; None when unstated."""
    if not payment_id:
        return None
    payment = client.v1.charges.retrieve(payment_id, options={"stripe_account": account})
    line_id = id_of(payment.balance_transaction)
    if not line_id:
        return iso(payment.amount, payment.currency)
    line = client.v1.balance_transactions.retrieve(line_id, options={"stripe_account": account})
    return iso(line.amount, line.currency)
