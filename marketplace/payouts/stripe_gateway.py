"""Accounts, onboarding and transfers at Stripe, in our own words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stripe import StripeClient, Transfer

from marketplace.db import outside_transaction
from marketplace.money import Money
from marketplace.payouts.rules import AccountFacts, Order, Payment
from marketplace.stripe_client import StripeRefused, StripeUnreachable, translated

PAGE = 100


@outside_transaction
def create_account(
    client: StripeClient, *, person_id: UUID, key: UUID, country: str, currency: str
) -> str:
    """The id of a new account that pays out to a specialist; the same key, the same account.

    Stripe collects what it must know and shows the Express dashboard; we answer for losses.
    """
    with translated():
        account = client.v1.accounts.create(
            {
                "country": country,
                "default_currency": currency.lower(),
                "business_type": "individual",
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"person_id": str(person_id)},
            },
            {"idempotency_key": f"payee:{key}"},
        )
    return account.id


@outside_transaction
def onboarding_link(
    client: StripeClient, account_id: str, *, refresh_url: str, return_url: str
) -> str:
    """An address, good once and for minutes, where the specialist tells Stripe what it asks."""
    with translated():
        link = client.v1.account_links.create(
            {
                "account": account_id,
                "type": "account_onboarding",
                "refresh_url": refresh_url,
                "return_url": return_url,
            }
        )
    return link.url


@outside_transaction
def account_now(client: StripeClient, account_id: str) -> AccountFacts:
    """The account as it is now."""
    with translated():
        account: dict[str, Any] = client.v1.accounts.retrieve(account_id).to_dict()
    wanted = account.get("requirements") or {}
    behind = (account.get("external_accounts") or {}).get("data") or []
    return AccountFacts(
        account_id=account_id,
        transfers_active=(account.get("capabilities") or {}).get("transfers") == "active",
        details_submitted=bool(account.get("details_submitted")),
        disabled_reason=wanted.get("disabled_reason"),
        requirements=tuple(wanted.get("currently_due") or ()),
        country=str(account["country"]),
        currency=str(account["default_currency"]).upper(),
        paid_to=",".join(sorted(str(one.get("fingerprint")) for one in behind)) or None,
        names=_names(account, behind),
    )


def _names(account: dict[str, Any], behind: list[dict[str, Any]]) -> tuple[str, ...]:
    """The names that Stripe shows: it hides the person's own where it collects them itself."""
    person = account.get("individual") or {}
    whole = f"{person.get('first_name') or ''} {person.get('last_name') or ''}".strip()
    holders = [str(one.get("account_holder_name") or "").strip() for one in behind]
    return tuple(dict.fromkeys(name for name in (whole, *holders) if name))


@outside_transaction
def available_balance(client: StripeClient, currency: str) -> Money:
    """What Stripe would let us transfer now, in a currency; pending money does not count."""
    with translated():
        balance = client.v1.balance.retrieve()
    rows = [row.amount for row in balance.available if row.currency == currency.lower()]
    return Money(sum(rows), currency)


@outside_transaction
def send(client: StripeClient, order: Order) -> Payment:
    """Make the transfer, or replay the answer to the same order.

    Raises StripeRefused only where Stripe refused the transfer itself; StripeUnreachable where it
    may exist; StripeRateLimited where nothing happened; StripeKeyReused for a fault of ours.
    """
    try:
        with translated():
            transfer = client.v1.transfers.create(
                {
                    "amount": order.amount.minor,
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
    except StripeRefused as refused:
        if refused.status in {401, 403}:
            # Refused at the door, before the idempotency key: it says nothing about the transfer.
            raise _doubtful(refused) from refused
        raise
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


def _payment(client: StripeClient, transfer: Transfer) -> Payment:
    account = _id_of(transfer.destination)
    amount = Money(transfer.amount, transfer.currency.upper())
    try:
        with translated():
            arrived = _arrived(client, account, _id_of(transfer.destination_payment)) or amount
    except StripeRefused as refused:
        # The transfer exists, so a refusal to show its other end must not look like its own.
        raise _doubtful(refused) from refused
    return Payment(
        transfer_id=transfer.id,
        balance_transaction_id=_id_of(transfer.balance_transaction),
        amount=amount,
        account=account,
        line_id=transfer.metadata.to_dict().get("line_id", ""),
        destination=arrived,
    )


def _arrived(client: StripeClient, account: str, payment_id: str) -> Money | None:
    """What the transfer became on the account, in the account's currency; None when unstated."""
    if not payment_id:
        return None
    payment = client.v1.charges.retrieve(payment_id, options={"stripe_account": account})
    line_id = _id_of(payment.balance_transaction)
    if not line_id:
        return Money(payment.amount, payment.currency.upper())
    line = client.v1.balance_transactions.retrieve(line_id, options={"stripe_account": account})
    return Money(line.amount, line.currency.upper())


def _doubtful(refused: StripeRefused) -> StripeUnreachable:
    return StripeUnreachable(
        refused.message,
        code=refused.code,
        param=refused.param,
        request_id=refused.request_id,
        status=refused.status,
    )


def _id_of(linked: object) -> str:
    """The id of a field that Stripe fills with an id or an expanded object; "" for nothing."""
    if linked is None or isinstance(linked, str):
        return linked or ""
    return str(getattr(linked, "id"))  # noqa: B009 - the SDK's type for it is a union of classes.
