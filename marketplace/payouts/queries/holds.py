"""Payees who are held: for finance, for operations, and for themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, literal, null, select
from sqlalchemy.orm import Session, aliased

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.ledger.models import LedgerAccount
from marketplace.payouts.models import PayeeAccount, PayeeHold, StrayTransfer
from marketplace.payouts.queries.cooling import cooldown, cooling, cooling_until
from marketplace.payouts.rules import HoldState
from marketplace.specialists.queries.licence_names import licence_names_of
from marketplace.specialists.queries.lists import payouts_held

PAGE = 50
HELD_NAME = "is held: the account's name is not the licence's"
HELD_OWED = "is held: an acceptance was taken back after its pay went out"
HELD_COOLING = "is held: the bank account has just changed"
HELD_STRAY = "is held: a transfer to them is not accounted for"
HELD_LIST = "is held: operations compares them with an entry of a published list"


def held_of(session: Session, viewer: Actor, person_ids: Collection[UUID]) -> dict[UUID, str]:
    """Why these people are not paid for now, in words for finance; those whom nothing holds are
    left out.
    """
    viewer.require(Permission.FINANCE_VIEW)
    ids = list(person_ids)
    differing = select(PayeeHold.person_id).where(_open_hold(), PayeeHold.person_id.in_(ids))
    found: dict[UUID, str] = dict.fromkeys(session.scalars(differing), HELD_NAME)
    owed = ledger.owing().where(LedgerAccount.owner_id.in_(ids))
    found |= dict.fromkeys(cooling(session, ids, clock.now()), HELD_COOLING)
    strays = select(StrayTransfer.specialist_id).where(
        StrayTransfer.settled_at.is_(None), StrayTransfer.specialist_id.in_(ids)
    )
    found |= {owner: HELD_STRAY for owner in session.scalars(strays) if owner is not None}
    found |= {owner: HELD_OWED for owner in session.scalars(owed) if owner is not None}
    return found | dict.fromkeys(payouts_held(session, ids), HELD_LIST)


def own_hold(session: Session, viewer: Actor) -> str | None:
    """Why the viewer's own pay waits, in words for them; None where nothing holds it."""
    viewer.require(Permission.EARNINGS_VIEW)
    own = [viewer.person()]
    if payouts_held(session, own):
        return "One of us has to check something before you can be paid. You need do nothing."
    if session.scalar(ledger.owing().where(LedgerAccount.owner_id.in_(own)).limit(1)):
        return (
            "An acceptance was taken back after its pay went out. What clears next covers that "
            "first; then you are paid again."
        )
    until = cooling_until(session, viewer.person(), clock.now())
    if until is not None:
        day = until.astimezone(UTC)
        return (
            f"Your bank account changed lately, so nothing is paid to it before {day:%d %B}, "
            f"{day:%H:%M} UTC. If it was not you who changed it, write to us at once."
        )
    differing = select(PayeeHold.id).where(_open_hold(), PayeeHold.person_id.in_(own))
    if session.scalar(differing.limit(1)) is None:
        return None
    return (
        "The name on your payout account is not the name on your licence. One of us looks at it; "
        "if either is out of date, change it."
    )


@dataclass(frozen=True, slots=True)
class HeldPayee:
    """A payee whose name differs: on the licence, as stated, and on the account at Stripe."""

    hold: PayeeHold
    licence_names: list[str]
    stated_name: str


def open_holds(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[HeldPayee]:
    """Payees who wait for somebody to compare their names, oldest first; never oneself."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    rows = (
        select(PayeeHold, PayeeAccount.payee_name)
        .join(PayeeAccount, PayeeAccount.person_id == PayeeHold.person_id)
        .where(_open_hold())
    )
    if viewer.person_id is not None:
        rows = rows.where(PayeeHold.person_id != viewer.person_id)
    if after is not None:
        rows = rows.where(PayeeHold.id > after)
    found = session.execute(rows.order_by(PayeeHold.id).limit(limit)).all()
    licences = licence_names_of(session, [hold.person_id for hold, _ in found])
    return [HeldPayee(hold, licences.get(hold.person_id, []), stated) for hold, stated in found]


def _open_hold() -> ColumnElement[bool]:
    return PayeeHold.state == HoldState.OPEN


def stray_of(owner: ColumnElement[Any] | UUID) -> Select[str]:
    """The transfers to a person that nobody has accounted for yet."""
    return select(StrayTransfer.transfer_id).where(
        StrayTransfer.settled_at.is_(None), StrayTransfer.specialist_id == owner
    )


def held_words(session: Session, owner: ColumnElement[Any]) -> ColumnElement[str | None]:
    """Why the person whose id is `owner` is held, NULL where nothing holds them, in SQL."""
    differing = select(PayeeHold.id).where(_open_hold(), PayeeHold.person_id == owner)
    changed = aliased(PayeeAccount)
    fresh = select(changed.person_id).where(
        changed.person_id == owner, changed.paid_to_changed_at > clock.now() - cooldown()
    )
    return case(
        (owner.in_(payouts_held(session)), literal(HELD_LIST)),
        (stray_of(owner).exists(), literal(HELD_STRAY)),
        (owner.in_(ledger.owing()), literal(HELD_OWED)),
        (fresh.exists(), literal(HELD_COOLING)),
        (differing.exists(), literal(HELD_NAME)),
        else_=null(),
    )
