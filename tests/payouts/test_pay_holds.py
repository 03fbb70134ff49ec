"""Holds on pay have a reason, an owner and a date; a bank account that changed waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ledger import queries as balances
from marketplace.ledger.rules import HoldReason
from marketplace.mail import Message
from marketplace.payouts import queries, service
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.rules import AccountFacts
from marketplace.payouts.rules.pay_holds import HoldEvent, LiftReason
from marketplace.payouts.service import pay_holds
from tests.make import identity, pay
from tests.make.ledger import cleared_pay, usd

WHY = "We look at an invoice once more; nothing is wrong with your work."


def test_pay_is_held_with_words_looked_at_again_and_let_go(session: Session) -> None:
    doctor = identity.specialist(session)
    person = doctor.person()
    officer, colleague = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    cleared_pay(session, person, usd(50_00))

    hold = pay_holds.place_hold(
        session, officer, person, amount=usd(30_00), reason=HoldReason.DISPUTE, note=WHY
    )
    held = balances.specialist_balances(session, person)["USD"]
    (own,) = queries.own_pay_holds(session, doctor)
    with clock.shifted(timedelta(days=15)):
        stale = queries.stale_holds(session, clock.now())
        pay_holds.look_again(session, colleague, hold.id)
        fresh = queries.stale_holds(session, clock.now())
    pay_holds.lift_hold(session, officer, hold.id, LiftReason.NOTHING_FOUND)
    free = balances.specialist_balances(session, person)["USD"]
    events = queries.hold_events(session, [hold.id])[hold.id]

    assert (usd(20_00), usd(30_00)) == (held.available, held.held)
    assert WHY == own.note
    assert [(hold.id, officer.person())] == [each[:2] for each in stale]
    assert [] == fresh
    assert (usd(50_00), usd(0)) == (free.available, free.held)
    assert [HoldEvent.PLACED, HoldEvent.LOOKED, HoldEvent.LIFTED] == [each.event for each in events]
    assert colleague.person() == hold.owner_id
    letters = session.scalars(select(Message.body).where(Message.template == "pay_held")).all()
    assert [True, False] == [WHY in (body or "") for body in letters]
    with pytest.raises(Conflict):
        pay_holds.lift_hold(session, officer, hold.id, LiftReason.SETTLED)
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text("UPDATE pay_hold_event SET at = now()"))


def test_nobody_holds_their_own_pay_without_words_or_more_than_there_is(session: Session) -> None:
    doctor = identity.specialist(session)
    cleared_pay(session, doctor.person(), usd(50_00))
    officer = identity.staff(session, Role.PREPARER)

    for actor, amount, note, refusal in (
        (pay.acting(doctor, Role.OPERATIONS), usd(1_00), WHY, Denied),
        (doctor, usd(1_00), WHY, Denied),
        (officer, usd(50_01), WHY, Faulty),
        (officer, usd(0), WHY, Faulty),
        (officer, usd(1_00), "Why not", Faulty),
    ):
        with pytest.raises(refusal):
            pay_holds.place_hold(
                session, actor, doctor.person(), amount=amount, reason=HoldReason.REVIEW, note=note
            )


def test_a_changed_bank_account_is_told_and_waits_three_days(session: Session) -> None:
    """Money fault 17: the payee's bank account changes."""
    doctor = identity.specialist(session)
    person = doctor.person()
    service.open_onboarding(session, doctor, payee_name="Dr. Lin", country="US", currency="USD")
    service.record_account(session, person, "acct_1")

    def read(bank: str, minutes: int) -> PayeeAccount:
        facts = AccountFacts(
            "acct_1", transfers_active=True, details_submitted=True, disabled_reason=None,
            requirements=(), country="US", currency="USD", paid_to=bank,
        )  # fmt: skip
        asked_at = clock.now() + timedelta(minutes=minutes)
        return service.record_facts(session, person, facts, asked_at=asked_at)

    first = read("bank-1", 1).version
    unchanged = service.hold_code(session, person)
    changed = read("bank-2", 2)
    cooling = service.hold_code(session, person)
    told = queries.own_hold(session, doctor)
    with clock.shifted(timedelta(days=3, minutes=1)):
        later = service.hold_code(session, person)
    finance = identity.staff(session, Role.PREPARER)
    cleared_pay(session, person, usd(50_00))

    assert (None, "payee_cooling", None) == (unchanged, cooling, later)
    assert first + 1 == changed.version
    assert told is not None
    assert "changed lately" in told
    assert 1 == len(
        session.scalars(select(Message).where(Message.template == "payee_changed")).all()
    )
    assert [] == queries.payable(session, finance, minimum=usd(1))
    assert ["is held: the bank account has just changed"] == [
        each.reason for each in queries.unpayable(session, finance, minimum=usd(1))
    ]


def test_each_currency_has_a_minimum_that_makes_sense_in_it() -> None:
    assert [1000, 1500, 3000] == [queries.minimum_of(code).minor for code in ("USD", "JPY", "KWD")]
