"""Where a lab sends transfers that Stripe receives for it, into its cash balance there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stripe import StripeClient

from marketplace.db import outside_transaction
from marketplace.stripe_client import translated

Lines = tuple[tuple[str, str], ...]
# Stripe receives transfers in these currencies only.
FUNDING_KINDS: Mapping[str, str] = {
    "EUR": "eu_bank_transfer",
    "GBP": "gb_bank_transfer",
    "JPY": "jp_bank_transfer",
    "USD": "us_bank_transfer",
}
EU_ACCOUNTS_IN = "IE"  # Stripe keeps accounts for euros in a few countries; all take SEPA.
_LABELS = {
    "account_holder_name": "Account holder",
    "iban": "IBAN",
    "bic": "BIC",
    "routing_number": "Routing number",
    "account_number": "Account number",
    "swift_code": "SWIFT code",
    "sort_code": "Sort code",
    "bank_name": "Bank",
    "bank_code": "Bank code",
    "branch_name": "Branch",
    "branch_code": "Branch code",
    "account_type": "Account type",
}


@outside_transaction
def funding_instructions(client: StripeClient, customer_id: str, currency: str) -> list[Lines]:
    """The accounts that take a customer's transfers in a currency of `FUNDING_KINDS`, each as
    labels with their texts; the same ones however often they are asked for."""
    wish: Any = {
        "currency": currency.lower(),
        "funding_type": "bank_transfer",
        "bank_transfer": {"type": FUNDING_KINDS[currency]},
    }
    if currency == "EUR":
        wish["bank_transfer"]["eu_bank_transfer"] = {"country": EU_ACCOUNTS_IN}
    with translated():
        made = client.v1.customers.funding_instructions.create(customer_id, wish)
    addresses = made.to_dict()["bank_transfer"]["financial_addresses"]
    return [found for each in addresses if (found := _lines(each.get(each["type"]) or {}))]


def _lines(address: Mapping[str, Any]) -> Lines:
    return tuple((label, str(address[key])) for key, label in _LABELS.items() if address.get(key))
