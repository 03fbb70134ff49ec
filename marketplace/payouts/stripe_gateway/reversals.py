"""Taking transfers back at Stripe, and reading what was posted about a line of its balance."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from stripe import StripeClient, TransferReversal

from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.payouts.rules import Takeback
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
def take_back(
    client: StripeClient, *, transfer_id: str, account: str, amount: Money, reversal_id: UUID
) -> Takeback:
    """Make the reversal, or replay the answer to the same one; its key is our row's id.

    Raises StripeRefused only where Stripe refused the reversal itself; StripeUnreachable where it
    may exist; StripeRateLimited where nothing happened; StripeKeyReused for a fault of ours.
    """
    with moving_money():
        made = client.v1.transfers.reversals.create(
            transfer_id,
            {"amount": stripe_minor(amount), "metadata": {"reversal_id": str(reversal_id)}},
            {"idempotency_key": str(reversal_id)},
        )
    return _read(client, made, account)


@outside_transaction
def takebacks_of(client: StripeClient, transfer_id: str, account: str) -> list[Takeback]:
    """Every reversal of a transfer, from a listing that was read to its end."""
    with translated():
        listed = client.v1.transfers.reversals.list(transfer_id, {"limit": PAGE})
        made = list(listed.auto_paging_iter())
    return [_read(client, each, account) for each in made]


def _read(client: StripeClient, made: TransferReversal, account: str) -> Takeback:
    amount = iso(made.amount, made.currency)
    refund_id = id_of(made.destination_payment_refund)
    left = amount
    if refund_id:
        with reading_back():
            lines = client.v1.balance_transactions.list(
                {"source": refund_id, "limit": 1}, {"stripe_account": account}
            ).data
        left = iso(-lines[0].amount, lines[0].currency) if lines else amount
    return Takeback(
        reversal_id=made.id,
        balance_transaction_id=id_of(made.balance_transaction),
        amount=amount,
        destination=left,
        asked_as=(made.metadata.to_dict() if made.metadata else {}).get("reversal_id", ""),
    )


@dataclass(frozen=True, slots=True)
class Mover:
    """What a line of our balance at Stripe is about: a transfer, or a reversal of one.

    transfer_id and line_id: the transfer's; reversal_id: of our own row, "" for none.
    """

    transfer_id: str
    line_id: str
    reversal_id: str


@outside_transaction
def mover_of(client: StripeClient, balance_transaction_id: str) -> Mover | None:
    """Which transfer or reversal made a line of our balance; None for lines of other kinds."""
    with translated():
        line = client.v1.balance_transactions.retrieve(
            balance_transaction_id, {"expand": ["source"]}
        )
        source = line.source
        if source is None or isinstance(source, str):
            return None
        facts = source.to_dict()
        kind = facts.get("object")
        if kind not in {"transfer", "transfer_reversal"}:
            return None
        asked_as = (facts.get("metadata") or {}).get("reversal_id", "")
        transfer_id = facts["id"] if kind == "transfer" else id_of(facts["transfer"])
        named = client.v1.transfers.retrieve(transfer_id).metadata.to_dict()
    return Mover(transfer_id, named.get("line_id", ""), asked_as)
