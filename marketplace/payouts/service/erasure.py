"""Erasing a specialist: refused while anything is owed or open, else everything personal goes.

Here, since it needs to know of money on its way, and everything below. The book and the judgements
stay as they are: they hold ids, and a lab sees a pseudonym. Tax forms of somebody who was paid stay
encrypted as long as the law asks, each with the day on which it goes.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Missing
from marketplace.identity.models import Membership
from marketplace.identity.service import erasure as identity
from marketplace.ids import PersonId
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.payouts.models import PayeeAccount, PayeeHold, PayoutLine
from marketplace.payouts.rules import ENDED, HoldState
from marketplace.payouts.service.pay_holds import forget_hold_notes
from marketplace.payouts.service.tax_forms import keep_as_the_law_asks
from marketplace.quality import service as quality
from marketplace.review import service as review
from marketplace.review.models import Appeal
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.rules.qualifications import AttemptState
from marketplace.specialists.service import erasure as specialists
from marketplace.work import service as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import ARRIVED, WAITING, ClaimState


class NotYetErasable(Conflict):
    """Something has to end first; `reasons` says what, a sentence each."""

    code = "not_yet_erasable"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def reasons_against(session: Session, person_id: UUID) -> list[str]:
    """What has to end before a person can be erased, as sentences; empty where nothing has."""
    person = PersonId(person_id)
    return [
        *_owed(session, person),
        *_in_work(session, person),
        *specialists.matters_open(session, person),
        *_elsewhere(session, person),
    ]


def ask_erasure(session: Session, actor: Actor, person_id: UUID) -> None:
    """Write down that a person is to be erased; NotYetErasable with every reason against it."""
    identity.ask_erasure(session, actor, person_id)
    _refuse(session, person_id)


def carry_out_erasure(session: Session, actor: Actor, person_id: UUID) -> None:
    """Agree as the second person, and erase: in this transaction, or not at all.

    Raises NotYetErasable with every reason; Denied for who wrote it down; Conflict where nobody
    did.
    """
    identity.locked_person(session, person_id)
    identity.settle_erasure(session, actor, person_id)
    _refuse(session, person_id)
    _erase(session, actor, PersonId(person_id))


def erase_by_command(session: Session, person_id: UUID, *, email: str) -> None:
    """Erase as whoever runs this installation, for its commands only.

    email: the person's address, typed, so that no slip of an id erases somebody else; Missing where
    it is not theirs. A colleague's note that waits is settled by it.
    """
    person = identity.locked_person(session, person_id)
    if person.email != email.strip().lower():
        raise Missing("This address is not that person's.")
    if identity.open_erasure(session, person_id) is None:
        identity.ask_erasure(session, SYSTEM, person_id)
    carry_out_erasure(session, SYSTEM, person_id)


def _refuse(session: Session, person_id: UUID) -> None:
    reasons = reasons_against(session, person_id)
    if reasons:
        raise NotYetErasable(reasons)


def _owed(session: Session, person: PersonId) -> list[str]:
    found = []
    for have in ledger.specialist_balances(session, person).values():
        parts = (have.pending, have.available, have.held, have.payout_reserved)
        found += [
            f"{part} is {words}."
            for part, words in zip(
                parts,
                (
                    "pending for them; it turns payable on its day",
                    "owed to them; pay it out first",
                    "held for them; settle the hold first",
                    "on its way to them; wait for the payout run",
                ),
                strict=True,
            )
            if part != Money(0, part.currency)
        ]
    lines = select(func.count()).where(
        PayoutLine.specialist_id == person, PayoutLine.state.not_in(ENDED)
    )
    if session.scalar(lines):
        found.append("A payout to them has not ended; wait for it, or settle it.")
    hold = select(PayeeHold.id).where(
        PayeeHold.person_id == person, PayeeHold.state == HoldState.OPEN
    )
    if session.scalar(hold.limit(1)) is not None:
        found.append("Their payee name is held for a comparison; settle it first.")
    return found


def _in_work(session: Session, person: PersonId) -> list[str]:
    live = select(func.count()).where(Claim.specialist_id == person, Claim.state == ClaimState.LIVE)
    waiting = select(func.count()).where(
        Submission.specialist_id == person, Submission.state.in_(ARRIVED | WAITING)
    )
    attempt = select(func.count()).where(
        QualificationResult.person_id == person, QualificationResult.state == AttemptState.LIVE
    )
    appeal = select(func.count()).where(Appeal.appellant_id == person, Appeal.ended_at.is_(None))
    return [
        words
        for asked, words in (
            (live, "They have tasks in hand; they hand them in, or give them back."),
            (waiting, "Work of theirs waits for a verdict, and may be paid."),
            (attempt, "They are at a qualification; it ends first."),
            (appeal, "An appeal of theirs is open; decide it, or they withdraw it."),
        )
        if session.scalar(asked)
    ]


def _elsewhere(session: Session, person: PersonId) -> list[str]:
    """Members act for others, so they leave their organisations before."""
    member = select(Membership.organisation_id).where(Membership.person_id == person)
    if session.scalar(member.limit(1)) is None:
        return []
    return ["They are a member of an organisation; it removes them first."]


def _erase(session: Session, actor: Actor, person: PersonId) -> None:
    specialists.erase_specialist(session, actor, person)
    work.forget_person(session, person)
    review.forget_appeals(session, person)
    quality.forget_packs(session, person)
    session.execute(
        update(PayeeAccount)
        .where(PayeeAccount.person_id == person)
        .values(payee_name="", paid_to=None, disabled_reason=None, requirements=[])
    )
    session.execute(
        update(PayeeHold)
        .where(PayeeHold.person_id == person)
        .values(account_name=None, note=None, compared=[])
    )
    keep_as_the_law_asks(session, person)
    forget_hold_notes(session, person)
    identity.erase_identity(session, actor, person)
