"""What holders ask for later: a later last day, and another check."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.specialists.models import CredentialClaim, CredentialRenewal
from marketplace.specialists.queries.catalogue import known_type
from marketplace.specialists.rules import HOLDING, CredentialState, Refusal
from marketplace.specialists.service.claims import VALID_YEARS_MAX, own_claim
from marketplace.specialists.service.steps import locked_claim, set_state

RECHECK_EVERY = timedelta(days=1)
_S = CredentialState
RENEWABLE = HOLDING | {_S.EXPIRED}
RECHECKABLE = HOLDING | {_S.CHECKING, _S.SUSPENDED, _S.EXPIRED}


def renew_credential(
    session: Session, actor: Actor, claim_id: UUID, *, valid_until: date
) -> CredentialRenewal:
    """Ask for a later last day, shown by evidence files; what holds, holds until the old one.

    An expired credential goes back to be checked. Raises Faulty at /valid_until for a day that is
    not later, Conflict where there is nothing to renew or somebody looks at a renewal already.
    """
    claim = own_claim(session, actor, claim_id)
    kind = known_type(session, claim.type)
    if claim.state not in RENEWABLE or not kind.expires:
        raise Conflict("There is nothing to renew here.")
    if open_renewal(session, claim.id) is not None:
        raise Conflict("You asked for a renewal already; somebody looks at it.")
    _refuse_day(claim, valid_until)
    renewal = CredentialRenewal(
        id=new_id(), claim_id=claim.id, valid_until=valid_until, asked_at=clock.now()
    )
    session.add(renewal)
    session.flush()  # The unique index speaks here, beside the cause.
    audit.record(session, actor, "asked to renew credential", claim.id)
    if claim.state is _S.EXPIRED:
        set_state(session, actor, claim, _S.CHECKING, reason="renewal_asked")
    outbox.enqueue(session, "specialists.verify", claim_id=claim.id)
    return renewal


def _refuse_day(claim: CredentialClaim, valid_until: date) -> None:
    today = clock.now().date()
    later = max(today, claim.valid_until or today)
    if not later < valid_until or valid_until.year > today.year + VALID_YEARS_MAX:
        fault = Fault("/valid_until", f"Write the new last day, after {later.isoformat()}.")
        raise Faulty("The renewal needs a later day.", [fault])


def open_renewal(session: Session, claim_id: UUID) -> CredentialRenewal | None:
    """The renewal of a claim that nobody has looked at yet, locked."""
    waiting = select(CredentialRenewal).where(
        CredentialRenewal.claim_id == claim_id, CredentialRenewal.settled_at.is_(None)
    )
    return session.scalar(waiting.with_for_update())


def settle_renewal(
    session: Session,
    actor: Actor,
    claim_id: UUID,
    *,
    granted: bool,
    refusal: Refusal | None = None,
) -> None:
    """Write down what became of the open renewal; nothing happens where there is none."""
    renewal = open_renewal(session, claim_id)
    if renewal is not None:
        renewal.settled_at, renewal.settled_by = clock.now(), actor.person()
        renewal.granted, renewal.refusal = granted, refusal
        session.flush()


def refusal_of(code: Refusal | str) -> Refusal:
    """Why somebody of operations refuses; Faulty at /refusal for what is no such reason."""
    offered = [each for each in Refusal if each is not Refusal.TAKEN_BACK]
    if code not in offered:
        fault = Fault("/refusal", f"Choose one of {', '.join(offered)}.")
        raise Faulty("Say why, so that its holder knows what to send.", [fault])
    return Refusal(code)


def refuse_renewal(
    session: Session, actor: Actor, claim_id: UUID, *, refusal: Refusal | str
) -> CredentialClaim:
    """Say that the evidence does not show a later day; what holds, holds until its own.

    refusal: why, which its holder reads. Raises Conflict where nobody asked for a renewal; Denied
    for one's own.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    claim = locked_claim(session, claim_id)
    if claim.person_id == actor.person():
        raise Denied("Nobody decides on their own credential. Ask a colleague.")
    if open_renewal(session, claim.id) is None:
        raise Conflict("No renewal waits here.")
    why = refusal_of(refusal)
    settle_renewal(session, actor, claim.id, granted=False, refusal=why)
    audit.record(session, actor, "refused to renew credential", claim.id, refusal=why.value)
    expired = claim.valid_until is not None and claim.valid_until < clock.now().date()
    if claim.state is _S.CHECKING and expired:
        set_state(session, actor, claim, _S.EXPIRED, reason="renewal_refused")
    return claim


def recheck_credential(session: Session, actor: Actor, claim_id: UUID) -> CredentialClaim:
    """Have one's own credential checked again, at most once a day; nothing is lost meanwhile.

    One that expired because its check was old goes back to be checked; one whose last day has
    passed needs a renewal. Raises Conflict where no check would change anything, or too soon.
    """
    claim = own_claim(session, actor, claim_id)
    now = clock.now()
    if claim.state not in RECHECKABLE or claim.reason == "licence_expired":
        raise Conflict("Another check would not change this. Read what to do next beside it.")
    asked = claim.recheck_asked_at
    if asked is not None and asked + RECHECK_EVERY > now:
        raise Conflict("You asked for a check within the last day; it is on its way.")
    claim.recheck_asked_at = now
    session.flush()
    audit.record(session, actor, "asked to check credential again", claim.id)
    if claim.state is _S.EXPIRED:
        set_state(session, actor, claim, _S.CHECKING, reason="recheck_asked")
    outbox.enqueue(session, "specialists.verify", claim_id=claim.id)
    return claim
