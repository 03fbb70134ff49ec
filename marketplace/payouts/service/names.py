"""Whose account is paid: held while its name is not the one on the licence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries as ledger
from marketplace.payouts.models import PayeeAccount, PayeeHold
from marketplace.payouts.queries.holds import stray_of
from marketplace.payouts.rules import HoldState
from marketplace.payouts.service.payee_change import PAYEE_COOLING, cooling_until
from marketplace.secrets import keyed_hash
from marketplace.specialists.queries.licence_names import licence_names_of
from marketplace.specialists.queries.lists import payouts_held
from marketplace.specialists.rules.names import SAME_NAME_MIN, name_score, name_words

NAME_DIFFERS = "payee_name_differs"
UNEXPLAINED = "payout_unexplained"
UNDER_REVIEW = "under_review"
OWED = "owed"
NOTE_MIN = 10
NOTE_MAX = 5_000
_PURPOSE = "payee-name"


def compare_names(session: Session, payee: PayeeAccount, account_names: Sequence[str]) -> None:
    """Compare the names of a payee account with the licence's, and hold or let go accordingly.

    account_names: those that Stripe showed just now, beside the one that the specialist stated.
    Kept are the result and the moment; the differing name only while somebody has to look at it.
    """
    licence = licence_names_of(session, [payee.person_id]).get(payee.person_id, [])
    differing = _differing([payee.payee_name, *account_names], licence)
    payee.name_checked_at = clock.now()
    payee.name_check = "differs" if differing else "same" if licence else "no_licence"
    if differing:
        _hold(session, payee.person_id, differing, licence)
        return
    for hold in _holds(session, [payee.person_id], HoldState.OPEN).get(payee.person_id, []):
        _settle(session, SYSTEM, hold, HoldState.ENDED)


def hold_differing(session: Session, person_ids: Collection[UUID]) -> None:
    """Hold those of these payees whose stated name is not their licence's by now.

    A licence may be verified long after the account was opened; what Stripe says of the account
    is compared again just before each transfer.
    """
    licences = licence_names_of(session, person_ids)
    payees = select(PayeeAccount).where(PayeeAccount.person_id.in_(list(licences)))
    for payee in session.scalars(payees.order_by(PayeeAccount.person_id)):
        licence = licences[payee.person_id]
        differing = _differing([payee.payee_name], licence)
        if differing:
            _hold(session, payee.person_id, differing, licence)


def hold_code(session: Session, person_id: PersonId) -> str | None:
    """Why a specialist is not paid now, as a code for a line; None where nothing holds them."""
    if payouts_held(session, [person_id]):
        return UNDER_REVIEW
    if session.scalar(stray_of(person_id)) is not None:
        return UNEXPLAINED
    if ledger.owes(session, person_id):
        return OWED
    if cooling_until(session, person_id, clock.now()) is not None:
        return PAYEE_COOLING
    return NAME_DIFFERS if _holds(session, [person_id], HoldState.OPEN) else None


def clear_hold(session: Session, actor: Actor, hold_id: UUID, *, note: str) -> PayeeHold:
    """Say that the account may be paid all the same; it holds for these names only.

    note: why, such as a married name on a document that was seen. Raises Denied for one's own,
    Conflict for one that is settled already, Faulty without a note.
    """
    actor.require(Permission.CREDENTIALS_VERIFY)
    hold = session.get(PayeeHold, hold_id, with_for_update=True, populate_existing=True)
    if hold is None:
        raise Missing("There is no such hold.")
    if hold.person_id == actor.person():
        raise Denied("Nobody clears a hold on themselves. Ask a colleague.")
    if hold.state is not HoldState.OPEN:
        raise Conflict(f"This hold is {hold.state} already.")
    plain = note.strip()
    if not NOTE_MIN <= len(plain) <= NOTE_MAX or "\0" in plain:
        advice = f"Write what shows that both are one person, in {NOTE_MIN} to {NOTE_MAX:,} signs."
        raise Faulty("The hold cannot be cleared like this.", [Fault("/note", advice)])
    hold.note, hold.settled_by = plain, actor.person()
    _settle(session, actor, hold, HoldState.CLEARED)
    return hold


def _differing(names: Sequence[str], licence: Sequence[str]) -> Mapping[str, float]:
    """The names that are nobody's on the licence, with their scores."""
    scores = {
        name: max((name_score(name, other) for other in licence), default=1.0)
        for name in names
        if name_words(name)
    }
    return {name: score for name, score in scores.items() if score < SAME_NAME_MIN}


def _hold(
    session: Session, person_id: PersonId, differing: Mapping[str, float], licence: Sequence[str]
) -> None:
    pairs = sorted(_pair(name, licence) for name in differing)
    cleared = _holds(session, [person_id], HoldState.CLEARED).get(person_id, [])
    if set(pairs) <= {pair for hold in cleared for pair in hold.compared}:
        return
    held = _holds(session, [person_id], HoldState.OPEN).get(person_id, [])
    hold = held[0] if held else PayeeHold(id=new_id(), person_id=person_id, state=HoldState.OPEN)
    hold.compared = pairs
    hold.score, hold.account_name = min((score, name) for name, score in differing.items())
    if held:
        return
    hold.opened_at = clock.now()
    session.add(hold)
    session.flush()  # Its unique index speaks here.
    audit.record(session, SYSTEM, "held a payee", hold.id, person_id=person_id, score=hold.score)
    outbox.announce(session, "payee.held", hold.id, {"person_id": person_id})


def _pair(name: str, licence: Sequence[str]) -> bytes:
    both = [" ".join(name_words(each)) for each in (name, *sorted(licence))]
    return keyed_hash(_PURPOSE, "|".join(both))


def _holds(
    session: Session, person_ids: Collection[UUID], state: HoldState
) -> dict[PersonId, list[PayeeHold]]:
    rows = select(PayeeHold).where(
        PayeeHold.person_id.in_(list(person_ids)), PayeeHold.state == state
    )
    found: dict[PersonId, list[PayeeHold]] = {}
    for hold in session.scalars(rows.order_by(PayeeHold.id)):
        found.setdefault(hold.person_id, []).append(hold)
    return found


def _settle(session: Session, actor: Actor, hold: PayeeHold, state: HoldState) -> None:
    hold.state, hold.settled_at, hold.account_name = state, clock.now(), None
    session.flush()  # The guard of its lifecycle speaks here.
    audit.record(session, actor, f"moved a hold on a payee to {state}", hold.id)
    outbox.announce(session, f"payee_hold.{state}", hold.id, {"person_id": hold.person_id})
