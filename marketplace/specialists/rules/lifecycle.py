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


_S = CredentialState
# Expired and revoked ones may be looked at again by a person, and so may a blocked one, once its
# case is settled; a rejected claim is revoked.
NEXT: Mapping[CredentialState, frozenset[CredentialState]] = {
    _S.CLAIMED: frozenset({_S.CHECKING}),
    _S.CHECKING: frozenset({_S.VERIFIED, _S.SUSPENDED, _S.REVOKED}),
    _S.VERIFIED: frozenset({_S.EXPIRING_SOON, _S.EXPIRED, _S.SUSPENDED, _S.REVOKED}),
    _S.EXPIRING_SOON: frozenset({_S.VERIFIED, _S.EXPIRED, _S.SUSPENDED, _S.REVOKED}),
    _S.EXPIRED: frozenset({_S.CHECKING, _S.VERIFIED, _S.REVOKED}),
    _S.SUSPENDED: frozenset({_S.VERIFIED, _S.EXPIRED, _S.REVOKED}),
    _S.REVOKED: frozenset({_S.CHECKING}),
    _S.BLOCKED: frozenset({_S.CHECKING, _S.REVOKED}),
}
FIRST = frozenset({_S.CLAIMED, _S.BLOCKED})
# The states in which a credential counts.
HOLDING = frozenset({_S.VERIFIED, _S.EXPIRING_SOON})
STATE_LABELS: Mapping[CredentialState, str] = {
    _S.CLAIMED: "Claimed",
    _S.CHECKING: "Being checked",
    _S.VERIFIED: "Verified",
    _S.EXPIRING_SOON: "Expires soon",
    _S.EXPIRED: "Expired",
    _S.SUSPENDED: "Suspended",
    _S.REVOKED: "Revoked",
    _S.BLOCKED: "Blocked",
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


DECIDED: Mapping[Decision, CredentialState] = {
    Decision.VERIFY: _S.VERIFIED,
    Decision.REJECT: _S.REVOKED,
    Decision.SUSPEND: _S.SUSPENDED,
    Decision.REVOKE: _S.REVOKED,
    Decision.REOPEN: _S.CHECKING,
}


class CaseKind(StrEnum):
    """Why operations should look at two claims, or at one."""

    SAME_IDENTIFIER = "same_identifier"


SOON = timedelta(days=60)
REVERIFY_AFTER = timedelta(days=365)


def due_state(
    state: CredentialState, valid_until: date | None, checked_at: datetime | None, now: datetime
) -> tuple[CredentialState, str] | None:
    """Where time alone leads a credential, with the reason; None when it stays.

    valid_until is the last day on which it is valid, in UTC. A year after the last check that
    passed, it no longer holds.
    """
    if state not in HOLDING:
        return None
    today = now.date()
    if valid_until is not None and valid_until < today:
        return _S.EXPIRED, "licence_expired"
    if checked_at is None or checked_at + REVERIFY_AFTER <= now:
        return _S.EXPIRED, "not_reverified"
    if state is _S.VERIFIED and valid_until is not None and valid_until <= today + SOON:
        return _S.EXPIRING_SOON, "licence_expires_soon"
    return None
