"""How finance's pages name accounts, their owners and what was posted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.identity import queries as identity
from marketplace.ids import parse_id
from marketplace.ledger.rules import AccountKind, SourceKind

KINDS: Mapping[AccountKind, str] = {
    AccountKind.ASSET: "Asset",
    AccountKind.LIABILITY: "Liability",
    AccountKind.INCOME: "Income",
    AccountKind.EXPENSE: "Expense",
    AccountKind.TRADING: "Trading",
    AccountKind.CUSTODY_ASSET: "Custody, asset",
    AccountKind.CUSTODY_LIABILITY: "Custody, liability",
}
SOURCES: Mapping[SourceKind, str] = {
    SourceKind.TOP_UP: "Top-up",
    SourceKind.RESERVE: "Reserved for a job",
    SourceKind.RELEASE: "Released from a job",
    SourceKind.ACCEPT: "Work accepted",
    SourceKind.CLEAR: "Pay cleared",
    SourceKind.HOLD: "Pay held",
    SourceKind.UNHOLD: "Hold lifted",
    SourceKind.PAYOUT_RESERVE: "Payout drafted",
    SourceKind.PAYOUT_CANCEL: "Payout given back",
    SourceKind.TRANSFER: "Transfer sent",
    SourceKind.SURPLUS: "Extra answer paid",
    SourceKind.CANNOT_COMPLETE: "Task that cannot be done",
    SourceKind.OVERTURNED: "Work accepted after all",
    SourceKind.REVERSE: "Acceptance taken back",
    SourceKind.NET: "Debt netted",
    SourceKind.CLEAR_TOP_UP: "Top-up cleared",
    SourceKind.TOP_UP_RETURN: "Top-up returned",
    SourceKind.TOP_UP_FX: "Top-up, converted",
    SourceKind.CASH_IN: "Cash received",
    SourceKind.APPLY_CASH: "Cash applied",
    SourceKind.RETURN_CASH: "Cash sent back",
    SourceKind.FUND_STRIPE: "Bank to Stripe",
    SourceKind.STRIPE_FUNDED: "Arrived at Stripe",
    SourceKind.BONUS: "Bonus",
    SourceKind.PO_CREATED: "Payout to a specialist\u2019s bank",
    SourceKind.PO_PAID: "In the specialist\u2019s bank",
    SourceKind.PO_FAILED: "Bank payout failed",
    SourceKind.PO_RETURNED: "Bank payout returned",
    SourceKind.PO_REVERSED: "Bank payout reversed",
    SourceKind.TRANSFER_REVERSAL: "Transfer reversed",
    SourceKind.REFUND: "Refund set aside",
    SourceKind.REFUND_SENT: "Refund sent",
    SourceKind.REFUND_CANCEL: "Refund cancelled",
    SourceKind.REFUND_FAILED: "Refund returned",
    SourceKind.DISPUTE: "Dispute opened",
    SourceKind.DISPUTE_WON: "Dispute won",
    SourceKind.DISPUTE_LOST: "Dispute lost",
    SourceKind.WRITE_OFF: "Written off",
    SourceKind.NET_LAB: "Lab\u2019s debt netted",
    SourceKind.TO_BANK: "Stripe to bank",
    SourceKind.TO_BANK_FAILED: "Payout to our bank failed",
    SourceKind.BANK_ARRIVAL: "Arrived at our bank",
    SourceKind.STRIPE_FEE: "Stripe fee",
    SourceKind.FEE_CLASS: "Fee classified",
    SourceKind.STRIPE_RESERVE: "Stripe reserve",
    SourceKind.ADJUSTMENT: "Adjustment",
    SourceKind.WITHHOLDING: "Tax withheld",
    SourceKind.WITHHOLDING_BACK: "Withheld tax given back",
    SourceKind.TAX_REMITTED: "Tax remitted",
    SourceKind.FLOOR_TOP_UP: "Pay floor top-up",
    SourceKind.REVIEW_PAY: "Review paid",
    SourceKind.QUALIFICATION_PAY: "Qualification paid",
}
# Their source is a payout line.
OF_LINES = frozenset({SourceKind.PAYOUT_RESERVE, SourceKind.PAYOUT_CANCEL, SourceKind.TRANSFER})
PLATFORM: Mapping[str, str] = {
    "A:stripe:balance": "Our balance at Stripe",
    "E:stripe:processing": "What Stripe kept of payments",
    "I:platform_fee": "Fees we earned",
    "E:goodwill": "What we paid from our own",
    "A:stripe:reserved": "Kept back by Stripe",
    "A:stripe:to_bank": "On its way to our bank",
    "A:stripe:topup_in_transit": "On its way to Stripe",
    "A:bank:operating": "Our operating account",
    "A:bank:client_funds": "Our account of clients\u2019 funds",
    "A:dispute_receivable": "Taken by disputes, still contested",
    "L:refund_inflight": "Refunds on their way",
    "L:unapplied": "Cash not applied yet",
    "I:fx_gain": "Gains on conversion",
    "E:fx_loss": "Losses on conversion",
    "E:stripe:dispute_fee": "What disputes cost at Stripe",
    "E:stripe:connect_fee": "What connected accounts cost at Stripe",
    "E:stripe:unclassified": "Stripe fees nobody has classified",
    "E:chargeback_loss": "Lost to chargebacks",
    "E:writeoff": "Written off",
    "X:trading": "Currency trading position",
}
PARTS: Mapping[str, str] = {
    "available": "available",
    "dispute_hold": "held by a dispute",
    "contingency": "set aside beyond the quote",
    "reserved": "set aside",
    "pending": "pending",
    "held": "held",
    "payout_reserved": "in a payout",
}


OWED: Mapping[str, str] = {"receivable": "owed to us", "tax_withheld": "tax withheld"}


@dataclass(frozen=True, slots=True)
class Named:
    """An account as people read it. short: its code with ids cut to their last digits."""

    code: str
    short: str
    words: str


def tail(whole: UUID | str) -> str:
    """The last eight digits of an id: enough to tell people on one page apart."""
    return f"\u2026{str(whole)[-8:]}"


def owner_names(session: Session, codes: Iterable[str]) -> dict[UUID, str]:
    """Names of the people and labs in these accounts' codes."""
    ids = {found for code in codes for part in code.split(":") if (found := parse_id(part))}
    return names_of(session, ids)


def ids_in(texts: Iterable[str]) -> set[UUID]:
    """Those of the texts that are ids."""
    return {found for text in texts if (found := parse_id(str(text)))}


def names_of(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of people and organisations by id."""
    people = identity.people_by_ids(session, ids)
    return people | identity.organisations_by_ids(session, ids)


def named(code: str, names: Mapping[UUID, str]) -> Named:
    """An account's code, short and in words."""
    parts = code.split(":")
    short = ":".join(tail(part) if parse_id(part) else part for part in parts)
    return Named(code, short, _words(parts, names))


def _words(parts: list[str], names: Mapping[UUID, str]) -> str:
    platform = PLATFORM.get(":".join(parts[:-1]))
    if platform is not None:
        return platform
    if parts[:2] == ["L", "suspense"]:
        return f"Unexplained differences, {parts[2].replace('_', ' ')}"
    if parts[:3] == ["C", "A", "to_bank"]:
        return "On its way to a specialist\u2019s bank"
    if parts[:2] == ["C", "A"]:
        return "On a specialist\u2019s account at Stripe"
    owner = next((found for part in parts if (found := parse_id(part))), None)
    if owner is None:
        return parts[-2].replace("_", " ").capitalize()
    who = names.get(owner) or ("Job" if parts[1] == "job" else "Account") + f" {tail(owner)}"
    if parts[:2] == ["C", "L"]:
        return f"{who}, on their account at Stripe"
    if parts[1] in OWED:
        return f"{who}, {OWED[parts[1]]}"
    return f"{who}, {PARTS.get(parts[3], parts[3].replace('_', ' '))}"
