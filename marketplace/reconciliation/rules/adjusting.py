"""Adjustments: which accounts one may touch, which legs fit a break, and whether legs are sound."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from marketplace.errors import Fault, Faulty
from marketplace.ledger.rules import AccountKind, AccountSpec
from marketplace.ledger.rules.accounts import Bank, FeeCategory
from marketplace.ledger.rules.chart import account_named
from marketplace.money import Money, zero
from marketplace.reconciliation.rules.breaks import Action, BreakKind, ReasonCode

LEGS_MAX = 8
OTHER_SIDES = ("stripe", "bank")
# The platform's accounts that an adjustment may touch, without the currency; offered by the form.
PLATFORM = (
    "A:stripe:balance",
    "A:stripe:reserved",
    "A:stripe:to_bank",
    "A:stripe:topup_in_transit",
    *(f"A:bank:{which.value}" for which in Bank),
    "A:dispute_receivable",
    "L:unapplied",
    "L:refund_inflight",
    *(f"L:suspense:{side}" for side in OTHER_SIDES),
    "I:platform_fee",
    "I:fx_gain",
    "E:fx_loss",
    *(f"E:stripe:{what.value}" for what in FeeCategory),
    "E:chargeback_loss",
    "E:goodwill",
    "E:writeoff",
)
# What is in a specialist's or a lab's hands elsewhere is told by Stripe; conversions by their rule.
_NEVER = frozenset({AccountKind.CUSTODY_ASSET, AccountKind.CUSTODY_LIABILITY, AccountKind.TRADING})


@dataclass(frozen=True, slots=True)
class ProposedLeg:
    """One leg by its account's code; debits are positive."""

    code: str
    amount: Money


def account_of(code: str) -> AccountSpec:
    """The account that a code names, if an adjustment may touch it; Faulty at /legs otherwise."""
    try:
        found = account_named(code)
    except ValueError:
        raise _unknown(code) from None
    if found.kind in _NEVER:
        raise _unknown(code)
    return found


def _unknown(code: str) -> Faulty:
    message = f"“{code}” is no account that an adjustment may touch. Choose one from the list."
    return Faulty("An account cannot be used.", [Fault("/legs", message)])


def suggested_legs(
    action: Action, kind: BreakKind, source: str, difference: Money, *, cash: str = ""
) -> list[ProposedLeg]:
    """The legs that bring the book to what the other side says; empty where nobody can know.

    What explains the difference stands in suspense until more is known, or in write-offs.
    difference: theirs less ours; cash: the code of the account that was compared, where it is
    known, with its currency.
    """
    currency, side = difference.currency, source.partition(":")[0]
    if not difference or side not in OTHER_SIDES:
        return []
    against = "E:writeoff" if action is Action.WRITE_OFF else f"L:suspense:{side}"
    usual = "A:stripe:balance" if side == "stripe" else f"A:bank:{Bank.CLIENT_FUNDS.value}"
    compared = cash.rpartition(":")[0] or usual
    match kind:
        case BreakKind.FEE_MISMATCH:
            pair = "E:stripe:processing", compared
        case BreakKind.UNKNOWN_CATEGORY:
            pair = "E:stripe:processing", "E:stripe:unclassified"
            difference = difference if difference.minor > 0 else -difference
        case BreakKind.RETURNED | BreakKind.UNAPPLIED_CASH:
            pair = compared, "L:unapplied"
        case BreakKind.STUCK_IN_TRANSIT:
            pair = compared, "A:stripe:to_bank"
        case BreakKind.CURRENCY_MISMATCH:
            return []
        case _:
            pair = compared, against
    debit, credit = (f"{stem}:{currency}" for stem in pair)
    return [ProposedLeg(debit, difference), ProposedLeg(credit, -difference)]


def checked_legs(legs: Sequence[ProposedLeg]) -> list[ProposedLeg]:
    """The legs, if they make a sound adjustment; Faulty at /legs with what to do otherwise."""
    if not 2 <= len(legs) <= LEGS_MAX:
        raise _faulty(f"An adjustment has from 2 to {LEGS_MAX} legs.")
    if len({leg.code for leg in legs}) != len(legs):
        raise _faulty("Name each account once, with the sum of what it gets.")
    sums: dict[str, Money] = {}
    for leg in legs:
        spec = account_of(leg.code)
        if spec.currency != leg.amount.currency:
            raise _faulty(f"{leg.code} holds {spec.currency}, not {leg.amount.currency}.")
        if not leg.amount:
            raise _faulty(f"Write a debit or a credit for {leg.code}.")
        sums[spec.currency] = sums.get(spec.currency, zero(spec.currency)) + leg.amount
    for rest in sums.values():
        if rest:
            larger, amount = ("debits", rest) if rest.minor > 0 else ("credits", -rest)
            raise _faulty(f"The {larger} are {amount} more than the other side; make them equal.")
    return list(legs)


def _faulty(message: str) -> Faulty:
    return Faulty(
        "The adjustment does not balance or names a wrong account.", [Fault("/legs", message)]
    )


@dataclass(frozen=True, slots=True)
class Content:
    """All that a proposal says; its hash is what is approved."""

    break_id: UUID
    action: Action
    reason: ReasonCode
    note: str
    legs: tuple[ProposedLeg, ...]
    effective_on: date | None
    wait_until: date | None
    evidence_sha256: bytes | None
    difference: Money

    def sha256(self) -> str:
        """SHA-256 of it, hexadecimal."""
        said = {
            "break": str(self.break_id),
            "action": self.action.value,
            "reason": self.reason.value,
            "note": self.note,
            "legs": [[leg.code, leg.amount.minor] for leg in self.legs],
            "effective_on": self.effective_on and self.effective_on.isoformat(),
            "wait_until": self.wait_until and self.wait_until.isoformat(),
            "evidence": self.evidence_sha256 and self.evidence_sha256.hex(),
            "difference": [self.difference.minor, self.difference.currency],
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
