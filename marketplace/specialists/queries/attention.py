"""How much of somebody's own waits for them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CredentialState

# The states in which its holder should look at a credential.
WANTS_HOLDER = frozenset(
    {
        CredentialState.EXPIRING_SOON,
        CredentialState.EXPIRED,
        CredentialState.SUSPENDED,
        CredentialState.BLOCKED,
    }
)


def wanting_count(session: Session, viewer: Actor) -> int:
    """How many of the viewer's own credentials want them to look; by an index of their few rows."""
    wanting = select(func.count()).where(
        CredentialClaim.person_id == viewer.person(), CredentialClaim.state.in_(WANTS_HOLDER)
    )
    return session.scalar(wanting) or 0
