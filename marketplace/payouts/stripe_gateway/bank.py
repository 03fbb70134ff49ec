"""Payouts from specialists' accounts at Stripe to their banks; we only watch them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from stripe import Payout, StripeClient

from marketplace.db import outside_transaction
from marketplace.payouts.rules import BankPayout, PayoutPart
from marketplace.payouts.stripe_gateway.answers import id_of
from marketplace.stripe_client import iso, translated

PAGE = 100
RETURNED = frozenset({"payout_failure", "payout_cancel", "payout_reversal"})


@outside_transaction
def bank_payout_now(client: StripeClient, account: str, payout_id: str) -> BankPayout:
    """One payout to a bank as it is now."""
    with translated():
        payout = client.v1.payouts.retrieve(payout_id, options={"stripe_account": account})
    return _read(account, payout)


@outside_transaction
def bank_payouts_since(client: StripeClient, account: str, since: datetime) -> list[BankPayout]:
    """Every payout that an account has made since a moment, oldest first."""
    with translated():
        listed = client.v1.payouts.list(
            {"created": {"gte": int(since.timestamp())}, "limit": PAGE},
            {"stripe_account": account},
        )
        found = [_read(account, payout) for payout in listed.auto_paging_iter()]
    return found[::-1]


@outside_transaction
def parts_of(client: StripeClient, account: str, payout_id: str) -> list[PayoutPart]:
    """The payments, and the returned payouts, whose money an automatic payout holds.

    Stripe says so only of automatic payouts; it refuses to of those made by hand.
    """
    with translated():
        listed = client.v1.balance_transactions.list(
            {"payout": payout_id, "limit": PAGE}, {"stripe_account": account}
        )
        return list(
            _parts((row.id, row.type, id_of(row.source)) for row in listed.auto_paging_iter())
        )


def _parts(rows: Iterable[tuple[str, str, str]]) -> Iterator[PayoutPart]:
    for line_id, kind, source in rows:
        if kind == "payment":
            yield PayoutPart(line_id, source, None)
        elif kind in RETURNED:
            yield PayoutPart(line_id, None, source)


@outside_transaction
def transfer_of_payment(client: StripeClient, account: str, payment_id: str) -> str:
    """The transfer that a payment on an account came from; "" where it came from none."""
    with translated():
        payment = client.v1.charges.retrieve(payment_id, options={"stripe_account": account})
    return id_of(payment.source_transfer)


def _read(account: str, payout: Payout) -> BankPayout:
    trace = payout.trace_id
    return BankPayout(
        payout_id=payout.id,
        account=account,
        amount=iso(abs(payout.amount), payout.currency),
        status=payout.status,
        automatic=payout.automatic,
        arrives_on=_day(payout.arrival_date),
        trace_id=trace.value if trace is not None else None,
        failure_code=payout.failure_code,
        failure_message=payout.failure_message,
        reversed_by=id_of(payout.reversed_by) or None,
        original=id_of(payout.original_payout) or None,
        made_at=datetime.fromtimestamp(payout.created, UTC),
    )


def _day(seconds: int | None) -> date | None:
    # Stripe gives midnight UTC of the day.
    return datetime.fromtimestamp(seconds, UTC).date() if seconds else None
