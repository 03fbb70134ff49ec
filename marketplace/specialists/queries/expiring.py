"""Credentials that run out, and who was told: for operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.specialists.models.credentials import CredentialClaim
from marketplace.specialists.models.reminders import CredentialReminder
from marketplace.specialists.rules import HOLDING

LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class Expiring:
    """A credential that counts and has a last day. reminders: those for this last day."""

    claim: CredentialClaim
    last_day: date
    days_left: int
    reminders: Sequence[CredentialReminder]


def expiring(
    session: Session,
    viewer: Actor,
    *,
    days: int = 60,
    after: tuple[date, UUID] | None = None,
    limit: int = 50,
) -> list[Expiring]:
    """Credentials whose last day comes within so many days, the nearest first.

    after: last day and id of the last one of the page before.
    """
    viewer.require(Permission.CREDENTIALS_VERIFY)
    today = clock.now().date()
    claims = select(CredentialClaim).where(
        CredentialClaim.state.in_(HOLDING),
        CredentialClaim.valid_until <= today + timedelta(days=days),
    )
    position = tuple_(CredentialClaim.valid_until, CredentialClaim.id)
    if after is not None:
        claims = claims.where(position > after)
    ordered = claims.order_by(CredentialClaim.valid_until, CredentialClaim.id)
    found = session.scalars(ordered.limit(max(1, min(limit, LIMIT_MAX)))).all()
    told: dict[UUID, list[CredentialReminder]] = {}
    sent = select(CredentialReminder).where(
        CredentialReminder.claim_id.in_([claim.id for claim in found])
    )
    for each in session.scalars(sent.order_by(CredentialReminder.sent_at)):
        told.setdefault(each.claim_id, []).append(each)
    return [
        Expiring(
            claim,
            claim.valid_until,
            (claim.valid_until - today).days,
            [each for each in told.get(claim.id, []) if each.valid_until == claim.valid_until],
        )
        for claim in found
        if claim.valid_until is not None
    ]
