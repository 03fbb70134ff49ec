"""Payouts of the platform and of connected accounts, as Stripe tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from stripe import StripeClient

from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.reconciliation.stripe_gateway.lines import acting_as
from marketplace.stripe_client import iso, translated

PAGE = 100


@dataclass(frozen=True, slots=True)
class RawPayout:
    """A payout as it is stored. status: Stripe's word; reconciled: Stripe has tied it to its
    lines; failure_transaction_id: the line that brought the money back."""

    id: str
    amount: Money
    status: str
    automatic: bool
    arrival_on: date
    trace_id: str | None
    descriptor: str
    reconciled: bool
    balance_transaction_id: str | None
    failure_transaction_id: str | None
    failure_code: str | None
    created_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """Payouts, newest first. after: continues the list, None at its end."""

    payouts: list[RawPayout]
    after: str | None


@outside_transaction
def payouts_page(
    client: StripeClient, since: datetime | None, after: str | None, account: str = ""
) -> PayoutPage:
    """One page of payouts made at or after `since`; raises the faults of `stripe_client`."""
    asked: dict[str, Any] = {"limit": PAGE}
    if since is not None:
        asked["created"] = {"gte": int(since.timestamp())}
    if after is not None:
        asked["starting_after"] = after
    with translated():
        answer = client.v1.payouts.list(asked, acting_as(account))  # type: ignore[arg-type]
    payouts = [_raw(one.to_dict()) for one in answer.data]
    return PayoutPage(payouts, payouts[-1].id if payouts and answer.has_more else None)


@outside_transaction
def payout_now(client: StripeClient, payout_id: str, account: str = "") -> RawPayout:
    """One payout as it is now."""
    with translated():
        return _raw(client.v1.payouts.retrieve(payout_id, options=acting_as(account)).to_dict())


def _raw(body: dict[str, Any]) -> RawPayout:
    trace = body.get("trace_id") or {}
    return RawPayout(
        id=body["id"],
        amount=iso(body["amount"], body["currency"]),
        status=str(body["status"]),
        automatic=bool(body["automatic"]),
        arrival_on=datetime.fromtimestamp(body["arrival_date"], UTC).date(),
        trace_id=trace.get("value"),
        descriptor=str(body.get("statement_descriptor") or ""),
        reconciled=body.get("reconciliation_status") == "completed",
        balance_transaction_id=_id_of(body.get("balance_transaction")),
        failure_transaction_id=_id_of(body.get("failure_balance_transaction")),
        failure_code=body.get("failure_code"),
        created_at=datetime.fromtimestamp(body["created"], UTC),
        body=body,
    )


def _id_of(linked: object) -> str | None:
    if isinstance(linked, dict):
        return str(linked["id"])
    return None if linked is None else str(linked)
