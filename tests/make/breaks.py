"""Proposals for breaks, approved with a second factor."""

from __future__ import annotations

from uuid import UUID

import pyotp
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity import service as identity
from marketplace.reconciliation import service
from marketplace.reconciliation.models import Break

_secrets: dict[UUID, tuple[str, int]] = {}


def code_of(session: Session, actor: Actor) -> str:
    """A code that was not used yet; the first call turns the second factor on."""
    person_id = actor.person()
    step = int(clock.now().timestamp()) // 30
    if person_id not in _secrets:
        secret, _ = identity.start_totp(session, actor)
        identity.confirm_totp(session, actor, pyotp.TOTP(secret).generate_otp(step - 1))
        session.flush()
        _secrets[person_id] = secret, step - 1
    secret, used = _secrets[person_id]
    _secrets[person_id] = secret, max(used + 1, step - 1)
    return pyotp.TOTP(secret).generate_otp(_secrets[person_id][1])


def approve(session: Session, actor: Actor, break_id: UUID, content_sha256: str) -> Break:
    """Approve what is proposed for a break."""
    code = code_of(session, actor)
    return service.approve_proposal(session, actor, break_id, content_sha256, code)
