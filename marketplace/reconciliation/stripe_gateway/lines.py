"""Stripe's balance and balance transactions, in our own words and in ISO's minor units."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stripe import StripeClient

from marketplace.db import outside_transaction
from marketplace.reconciliation.rules import Line
from marketplace.stripe_client import iso, translated

PAGE = 100


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as it is stored. body: Stripe's object without what changes with time."""

    line: Line
    source_id: str | None
    available_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawBalance:
    """Stripe's balance. balances: {currency: {"available": minor, "pending": minor}}."""

    balances: dict[str, dict[str, int]]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinePage:
    """Lines, newest first. after: continues the list, None at its end."""

    lines: list[RawLine]
    after: str | None


@outside_transaction
def balance_now(client: StripeClient, account: str = "") -> RawBalance:
    """The balance of the platform, or of a connected account; raises the faults of
    `stripe_client`."""
    with translated():
        answer = client.v1.balance.retrieve(options=acting_as(account))
    body = answer.to_dict()
    balances: dict[str, dict[str, int]] = {}
    for part in ("available", "pending"):
        for row in body[part]:
            amount = iso(row["amount"], row["currency"])
            have = balances.setdefault(amount.currency, {"available": 0, "pending": 0})
            have[part] += amount.minor
    return RawBalance(balances, body)


def acting_as(account: str) -> Any:
    """The options that make a call as a connected account; "" is the platform itself."""
    return {"stripe_account": account} if account else {}


@outside_transaction
def lines_page(
    client: StripeClient, since: datetime | None, after: str | None, account: str = ""
) -> LinePage:
    """One page of lines made at or after `since`, newest first, that follow the line `after`."""
    asked: dict[str, Any] = {"limit": PAGE}
    if since is not None:
        asked["created"] = {"gte": int(since.timestamp())}
    if after is not None:
        asked["starting_after"] = after
    with translated():
        answer = client.v1.balance_transactions.list(asked, acting_as(account))  # type: ignore[arg-type]
    lines = [_raw(one.to_dict()) for one in answer.data]
    return LinePage(lines, lines[-1].line.id if lines and answer.has_more else None)


def _raw(body: dict[str, Any]) -> RawLine:
    body.pop("status", None)  # It turns from pending to available; the rest stays.
    source = body.get("source")
    line = Line(
        id=body["id"],
        kind=body["type"],
        amount=iso(body["amount"], body["currency"]),
        fee=iso(body["fee"], body["currency"]),
        created_at=datetime.fromtimestamp(body["created"], UTC),
    )
    return RawLine(
        line=line,
        source_id=source if isinstance(source, str) or source is None else source["id"],
        available_at=datetime.fromtimestamp(body["available_on"], UTC),
        body=body,
    )


def body_sha256(body: dict[str, Any]) -> bytes:
    """SHA-256 of an object of Stripe, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
