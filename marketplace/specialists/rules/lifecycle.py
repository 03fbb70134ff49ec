"""The states of a credential, what leads from one to the next, and when time does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum


class CredentialState(StrEnum):
    """Where a claim to a credential stands."""

    CLAIMED = "claimed"
    CHECKING = "checking"
    VERIFIED = "verified"
    EXPIRING_SOON = "expiring_soon"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"


_S = CredentialState
# Expired and revoked ones may be looked at again by a person, and so may a blocked one, once its
# case is settled; a rejected claim is revoked. A revoked one is blocked when a case gives its
# identifier to the other account. From checking, one expires whose renewal was refused. Who claimed
# may take it back before a decision.
NEXT: Mapping[CredentialState, frozenset[CredentialState]] = {
    _S.CLAIMED: frozenset({_S.CHECKING, _S.WITHDRAWN}),
    _S.CHECKING: frozenset({_S.VERIFIED, _S.EXPIRED, _S.SUSPENDED, _S.REVOKED, _S.WITHDRAWN}),
    _S.VERIFIED: frozenset({_S.EXPIRING_SOON, _S.EXPIRED, _S.SUSPENDED, _S.REVOKED}),
    _S.EXPIRING_SOON: frozenset({_S.VERIFIED, _S.EXPIRED, _S.SUSPENDED, _S.REVOKED}),
    _S.EXPIRED: frozenset({_S.CHECKING, _S.VERIFIED, _S.REVOKED}),
    _S.SUSPENDED: frozenset({_S.VERIFIED, _S.EXPIRED, _S.REVOKED}),
    _S.REVOKED: frozenset({_S.CHECKING, _S.BLOCKED}),
    _S.BLOCKED: frozenset({_S.CHECKING, _S.WITHDRAWN}),
    _S.WITHDRAWN: frozenset(),
}
FIRST = frozenset({_S.CLAIMED, _S.BLOCKED})
# The states in which a credential counts.
HOLDING = frozenset({_S.VERIFIED, _S.EXPIRING_SOON})
# The states that do not keep an identifier from others.
FREE = frozenset({_S.BLOCKED, _S.WITHDRAWN})
# Those that their holder may take back.
UNDECIDED = frozenset({_S.CLAIMED, _S.CHECKING, _S.BLOCKED})
STATE_LABELS: Mapping[CredentialState, str] = {
    _S.CLAIMED: "Claimed",
    _S.CHECKING: "Being checked",
    _S.VERIFIED: "Verified",
    _S.EXPIRING_SOON: "Expires soon",
    _S.EXPIRED: "Expired",
    _S.SUSPENDED: "Suspended",
    _S.REVOKED: "Revoked",
    _S.BLOCKED: "Blocked",
    _S.WITHDRAWN: "Withdrawn",
}
LEVEL_LABELS: Mapping[int, str] = {
    0: "Self-declared",
    1: "Identifier well formed",
    2: "Found in the registry",
    3: "Identity shown",
    4: "Active at the source",
}


class Decision(StrEnum):
    """What operations decides about a claim."""

    VERIFY = "verify"
    REJECT = "reject"
    SUSPEND = "suspend"
    REVOKE = "revoke"
    REOPEN = "reopen"


# What grants or ends a credential waits for a second person where the type says so; what keeps
# somebody safe, or only looks again, does not.
NEEDS_SECOND = frozenset({Decision.VERIFY, Decision.REJECT, Decision.REVOKE})
DECIDED: Mapping[Decision, CredentialState] = {
    Decision.VERIFY: _S.VERIFIED,
    Decision.REJECT: _S.REVOKED,
    Decision.SUSPEND: _S.SUSPENDED,
    Decision.REVOKE: _S.REVOKED,
    Decision.REOPEN: _S.CHECKING,
}


class Refusal(StrEnum):
    """Why what a holder asked for beside their credential was not granted."""

    NOT_SHOWN = "not_shown"
    NOTHING_SENT = "nothing_sent"
    UNREADABLE = "unreadable"
    OTHER_PERSON = "other_person"
    TAKEN_BACK = "taken_back"


class CaseKind(StrEnum):
    """Why operations should look at two claims, or at one."""

    SAME_IDENTIFIER = "same_identifier"


class CaseOutcome(StrEnum):
    """How a case was settled; what follows is decided on the claims themselves."""

    CLAIMANT_HOLDS = "claimant_holds"
    HOLDER_HOLDS = "holder_holds"
    SAME_PERSON = "same_person"
    SETTLED = "settled"


CASE_LABELS: Mapping[CaseOutcome, str] = {
    CaseOutcome.HOLDER_HOLDS: "It belongs to the first account",
    CaseOutcome.CLAIMANT_HOLDS: "It belongs to the second account",
    CaseOutcome.SAME_PERSON: "Both accounts are one person",
    CaseOutcome.SETTLED: "Settled otherwise",
}


SOON = timedelta(days=60)
REVERIFY_AFTER = timedelta(days=365)


def due_state(
    state: CredentialState,
    valid_until: date | None,
    checked_at: datetime | None,
    now: datetime,
    reverify_after: timedelta = REVERIFY_AFTER,
) -> tuple[CredentialState, str] | None:
    """Where time alone leads a credential, with the reason; None when it stays.

    valid_until is the last day on which it is valid, in UTC. reverify_after the last check that
    passed, it no longer holds.
    """
    if state not in HOLDING:
        return None
    today = now.date()
    if valid_until is not None and valid_until < today:
        return _S.EXPIRED, "licence_expired"
    if checked_at is None or checked_at + reverify_after <= now:
        return _S.EXPIRED, "not_reverified"
    if state is _S.VERIFIED and valid_until is not None and valid_until <= today + SOON:
        return _S.EXPIRING_SOON, "licence_expires_soon"
    return None
