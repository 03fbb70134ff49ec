"""Cash that came by bank transfer, where it stands, and what is done with what nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class CashSource(StrEnum):
    """Where cash arrived: our own bank account, or the lab's cash balance at Stripe."""

    BANK = "bank"
    STRIPE = "stripe"


class CashState(StrEnum):
    """Unapplied cash waits for its lab; settled cash is applied, sent back, or both."""

    UNAPPLIED = "unapplied"
    PROPOSED = "proposed"
    SETTLED = "settled"


class ProposalKind(StrEnum):
    """What a person proposes to do with unapplied cash."""

    APPLY = "apply"
    SEND_BACK = "send_back"


class ProposalState(StrEnum):
    """A proposal waits for another person, once."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


NEXT_CASH: Mapping[CashState, frozenset[CashState]] = {
    CashState.UNAPPLIED: frozenset({CashState.PROPOSED, CashState.SETTLED}),
    CashState.PROPOSED: frozenset({CashState.UNAPPLIED, CashState.SETTLED}),
    CashState.SETTLED: frozenset(),
}
NEXT_PROPOSAL: Mapping[ProposalState, frozenset[ProposalState]] = {
    ProposalState.PROPOSED: frozenset({ProposalState.APPROVED, ProposalState.REJECTED}),
    ProposalState.APPROVED: frozenset(),
    ProposalState.REJECTED: frozenset(),
}
CASH_LABELS: Mapping[CashState, str] = {
    CashState.UNAPPLIED: "Unapplied",
    CashState.PROPOSED: "Waits for approval",
    CashState.SETTLED: "Settled",
}
PROPOSAL_LABELS: Mapping[ProposalKind, str] = {
    ProposalKind.APPLY: "Apply to a lab",
    ProposalKind.SEND_BACK: "Send back",
}
# Why cash was not applied by itself, in words for the finance desk.
NO_REFERENCE = "The transfer names no reference."
MISTYPED = "The transfer names {} whose check digits are wrong."
UNKNOWN = "The transfer names {}, which we never gave out."
SEVERAL = "The transfer names several references: {}."
OTHER_CURRENCY = "The invoice {} is in {}."
CLOSED = "The invoice {} asks for nothing any more."
REST = "More came than the invoice {} asked for."
