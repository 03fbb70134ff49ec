"""What a run promises, by its hash; one call to Stripe, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from marketplace.money import Money


@dataclass(frozen=True, slots=True)
class LineContent:
    """What a line promises: the specialist, where the money goes, how much.

    payee_version counts the changes of the payee, so an approval covers one of them.
    payee_currency: of the account it goes to, None where that was not noted; withheld_minor: the
    tax withheld beside it.
    """

    line_id: UUID
    specialist_id: UUID
    account: str
    payee_version: int
    amount: Money
    payee_currency: str | None = None
    withheld_minor: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer as Stripe made it; destination is what reached the connected account.

    attempt_id: what its metadata says; payment_id: what it is called on that account, "" for
    unstated.
    """

    transfer_id: str
    balance_transaction_id: str
    amount: Money
    account: str
    line_id: str
    destination: Money
    attempt_id: str = ""
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One call to make, the same for every replay of one attempt."""

    attempt_id: UUID
    line_id: UUID
    run_id: UUID
    account: str
    amount: Money

    def sha256(self) -> str:
        """The fingerprint that is stored beside the idempotency key, in hexadecimal."""
        facts = [str(getattr(self, name)) for name in self.__slots__]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def content_sha256(reference: str, currency: str, lines: Iterable[LineContent]) -> str:
    """The hash of a run's content in hexadecimal: lines, amounts, payees, conversions, totals.

    The order of the lines does not matter. It is what an approver approves.
    """
    ordered = sorted(lines, key=lambda line: line.line_id)
    content = {
        "reference": reference,
        "currency": currency,
        "lines": [_plain(line) for line in ordered],
        "count": len(ordered),
        "total_minor": sum(line.amount.minor for line in ordered),
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(line: LineContent) -> dict[str, object]:
    content: dict[str, object] = {
        "line_id": str(line.line_id),
        "specialist_id": str(line.specialist_id),
        "account": line.account,
        "payee_version": line.payee_version,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency,
    }
    # Lines from before these were noted keep the hash that they were approved by.
    if line.payee_currency is not None:
        content["payee_currency"] = line.payee_currency
    if line.withheld_minor:
        content["withheld_minor"] = line.withheld_minor
    return content


def shortfall(wanted: Money, available: Money) -> Money | None:
    """How much is missing to send `wanted`, or None when nothing is."""
    return wanted - available if available < wanted else None
