"""Builders of payouts: officers with a second factor, payees with pay, runs in each state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.identity import rules as identity_rules
from marketplace.identity import service as identity
from marketplace.identity.rules import Role
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts import background, service
from marketplace.payouts.models import PayoutAttempt, PayoutLine, PayoutRun
from tests.make.billing import Stripe, a_person, work
from tests.make.ledger import cleared_pay, usd

RETURN = "http://localhost:8000/payouts/return"


@dataclass
class Officer:
    """Somebody in finance, with the secret of their second factor."""

    actor: Actor
    secret: str

    def code(self) -> str:
        """The next step's code, since turning the factor on has used the present one."""
        return pyotp.TOTP(self.secret).at(clock.now() + timedelta(seconds=30))


def an_officer(session: Session, *roles: Role) -> Officer:
    """A member of the platform with these roles, who has turned the second factor on."""
    person_id = a_person(session)
    actor = Actor(
        person_id=person_id,
        permissions=frozenset(identity_rules.permissions_of(roles)),
        roles=frozenset(role.value for role in roles),
    )
    secret, _ = identity.start_totp(session, actor)
    identity.confirm_totp(session, actor, pyotp.TOTP(secret).at(clock.now()))
    session.flush()  # Other transactions of the test must see the officer.
    return Officer(actor, secret)


def specialist_actor(person_id: PersonId) -> Actor:
    """A specialist acting for themselves."""
    permissions = identity_rules.permissions_of([Role.SPECIALIST])
    return Actor(person_id=person_id, permissions=frozenset(permissions))


def a_specialist_to_pay(stripe: Stripe, amount: Money, *, ready: bool = True) -> PersonId:
    """A specialist with pay available and, when ready, an account that Stripe lets be paid."""
    with transaction() as session:
        person_id = a_person(session, is_specialist=True)
        service.open_onboarding(
            session,
            specialist_actor(person_id),
            payee_name="Some Body",
            country="US",
            currency="USD",
        )
        cleared_pay(session, person_id, amount)
    background.onboarding_url(person_id, refresh_url=RETURN, return_url=RETURN)
    if ready:
        stripe.controls.enable(account_of(person_id))
        background.refresh_account(work("payouts.refresh_account"), person_id=str(person_id))
    return person_id


def account_of(person_id: PersonId) -> str:
    """The id of a specialist's account at Stripe."""
    with transaction() as session:
        payee = service.account_of_person(session, person_id)
    assert payee is not None
    assert payee.stripe_account_id is not None
    return payee.stripe_account_id


@dataclass
class Finance:
    """Two officers and what they do together."""

    preparer: Officer
    approver: Officer

    def prepared(self, *, minimum: Money | None = None) -> PayoutRun:
        """A draft over everybody who can be paid."""
        with transaction() as session:
            return service.prepare_run(session, self.preparer.actor, minimum=minimum or usd(10_00))

    def approved(self) -> PayoutRun:
        """A run that both have agreed on."""
        run = self.prepared()
        with transaction() as session:
            return service.approve_run(
                session, self.approver.actor, run.id, run.content_sha256, self.approver.code()
            )

    def released(self) -> PayoutRun:
        """A run whose lines wait to be sent."""
        run = self.approved()
        with transaction() as session:
            return service.release_run(session, self.preparer.actor, run.id)


def finance(session: Session) -> Finance:
    """A preparer and an approver."""
    return Finance(an_officer(session, Role.PREPARER), an_officer(session, Role.APPROVER))


def lines_of(run: PayoutRun) -> list[PayoutLine]:
    """A run's lines as they are in the database now, by amount."""
    with transaction() as session:
        rows = select(PayoutLine).where(PayoutLine.run_id == run.id)
        return list(session.scalars(rows.order_by(PayoutLine.amount_minor)))


def attempts_of(line: PayoutLine) -> list[PayoutAttempt]:
    """A line's attempts, first to last."""
    with transaction() as session:
        rows = select(PayoutAttempt).where(PayoutAttempt.line_id == line.id)
        return list(session.scalars(rows.order_by(PayoutAttempt.number)))


def run_now(run: PayoutRun) -> PayoutRun:
    """The run as it is in the database now."""
    with transaction() as session:
        return session.get_one(PayoutRun, run.id)


def run_now_of(line: PayoutLine) -> PayoutRun:
    """The line's run as it is in the database now."""
    with transaction() as session:
        return session.get_one(PayoutRun, line.run_id)


def line_now(line: PayoutLine) -> PayoutLine:
    """The line as it is in the database now."""
    with transaction() as session:
        return session.get_one(PayoutLine, line.id)


def send(*lines: PayoutLine) -> None:
    """What a worker does with the lines."""
    for line in lines:
        background.send_line(work("payouts.send_line"), line_id=str(line.id))
