"""Accounts and onboarding at Stripe."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from stripe import StripeClient

from marketplace.db import outside_transaction
from marketplace.payouts.rules import AccountFacts
from marketplace.stripe_client import translated


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
