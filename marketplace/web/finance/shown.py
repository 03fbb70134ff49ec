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
}
# Their source is a payout line.
OF_LINES = frozenset({SourceKind.PAYOUT_RESERVE, SourceKind.PAYOUT_CANCEL, SourceKind.TRANSFER})
PLATFORM: Mapping[str, str] = {
    "A:stripe:balance": "Our balance at Stripe",
    "E:stripe:processing": "What Stripe kept of payments",
    "I:platform_fee": "Fees we earned",
    "E:goodwill": "What we paid from our own",
}
PARTS: Mapping[str, str] = {
    "available": "available",
    "reserved": "set aside",
    "pending": "pending",
    "held": "held",
    "payout_reserved": "in a payout",
}


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
    if parts[:2] == ["C", "A"]:
        return "On a specialist\u2019s account at Stripe"
    owner = next((found for part in parts if (found := parse_id(part))), None)
    if owner is None:
        return parts[-2].replace("_", " ").capitalize()
    who = names.get(owner) or ("Job" if parts[1] == "job" else "Account") + f" {tail(owner)}"
    if parts[:2] == ["C", "L"]:
        return f"{who}, on their account at Stripe"
    return f"{who}, {PARTS.get(parts[3], parts[3].replace('_', ' '))}"
