"""Builders of top-ups, and a Stripe sandbox of one's own that the product's client talks to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import httpx
import psycopg
import stripe
from sqlalchemy.orm import Session

from marketplace import clock, outbox, stripe_client
from marketplace.actor import Actor
from marketplace.billing import background, service
from marketplace.billing.models import Refund, TopUp
from marketplace.billing.rules import Checkout, Settlement
from marketplace.billing.service import refunds
from marketplace.db import transaction
from marketplace.embedded import Stack
from marketplace.identity import rules as identity_rules
from marketplace.identity.models import Organisation, Person
from marketplace.identity.rules import OrganisationKind, PersonState, Role
from marketplace.identity.service import people
from marketplace.ids import OrganisationId, PersonId, new_id
from marketplace.money import Money
from marketplace.sandbox.control_client import ControlClient
from marketplace.sandbox.server import running
from marketplace.sandbox.settings import SandboxSettings

KEY = "sk_test_money_tests_0123456789"
BACK = "http://localhost:8000/lab/balance"
CARD_AT_ONCE = "4000000000000077"
CARD_DECLINED = "4000000000000002"
EMPTY = """
TRUNCATE sandbox_objects, sandbox_balances, sandbox_balance_transactions, sandbox_idempotency,
    sandbox_events, sandbox_deliveries, sandbox_timers, sandbox_faults,
    sandbox_options, sandbox_rates, sandbox_reserved, sandbox_files, sandbox_bank_lines;
UPDATE sandbox_state SET clock_offset_seconds = 0, settle_seconds = 0;
"""
_numbers = count(1)


@dataclass(frozen=True)
class StripeSettings:
    """What `stripe_client.use` reads."""

    stripe_api_base: str
    stripe_secret_key: str = KEY


@dataclass(frozen=True)
class Stripe:
    """A served sandbox: its address, its controls, and the product's own client for it."""

    address: str
    database_url: str
    controls: ControlClient

    @property
    def sdk(self) -> stripe.StripeClient:
        """The client that the product uses."""
        return stripe_client.current()

    def empty(self) -> None:
        """Forget everything, and let the product talk to this sandbox."""
        plain = self.database_url.replace("+psycopg", "", 1)
        with psycopg.connect(plain) as connection:
            connection.execute(EMPTY)
        stripe_client.use(StripeSettings(self.address))

    def fund(self, amount: Money) -> None:
        """Put money into our balance at Stripe, available at once."""
        self.sdk.v1.payment_intents.create(
            {
                "amount": amount.minor,
                "currency": amount.currency.lower(),
                "payment_method": "pm_card_bypassPending",
                "confirm": True,
            }
        )

    def available(self, currency: str = "USD") -> Money:
        """What could be transferred now."""
        rows = self.sdk.v1.balance.retrieve().available
        minor = sum(row.amount for row in rows if row.currency == currency.lower())
        return Money(minor, currency)

    def transfers(self) -> list[stripe.Transfer]:
        """Every transfer that was made, newest first."""
        return list(self.sdk.v1.transfers.list({"limit": 100}).auto_paging_iter())


@contextmanager
def stripe_sandbox(stack: Stack) -> Iterator[Stripe]:
    """Serve a sandbox without webhooks: tests deliver what they want to deliver."""
    database_url = stack.environment["SANDBOX_DATABASE_URL"]
    settings = SandboxSettings(
        database_url=database_url,
        secret_key=KEY,
        webhook_secret="whsec_nobody",
        webhook_url=None,
        port=0,
    )
    with running(settings) as address, ControlClient(address, KEY) as controls:
        yield Stripe(address, database_url, controls)


def a_person(session: Session, *, is_specialist: bool = False) -> PersonId:
    """The id of a new person with a verified address, who never signs in.

    The row is written here, since the services hash a password, slowly and on purpose.
    """
    now = clock.now()
    person = Person(
        id=new_id(),
        email=f"person{next(_numbers)}@example.org",
        name="Some Body",
        password_hash="nobody signs in with this",
        timezone="UTC",
        state=PersonState.ACTIVE,
        is_specialist=is_specialist,
        email_verified_at=now,
        created_at=now,
    )
    session.add(person)
    session.flush()  # What refers to the person comes next.
    return PersonId(person.id)


def a_lab(session: Session) -> Actor:
    """The owner of a new lab, acting for it."""
    person = session.get_one(Person, a_person(session))
    lab: Organisation = people.found_organisation(
        session, person, OrganisationKind.LAB, "A lab", Role.OWNER
    )
    session.flush()  # Top-ups refer to the lab.
    return Actor(
        person_id=PersonId(person.id),
        organisation_id=OrganisationId(lab.id),
        permissions=frozenset(identity_rules.permissions_of([Role.OWNER])),
        roles=frozenset({Role.OWNER.value}),
    )


def requested_top_up(lab: Actor, amount: Money) -> TopUp:
    """A top-up that was asked for; its checkout is not open yet."""
    with transaction() as session:
        return service.begin_top_up(
            session, lab, amount, success_url=f"{BACK}?paid=1", cancel_url=BACK
        )


def opened_top_up(lab: Actor, amount: Money) -> TopUp:
    """A top-up whose checkout waits to be paid."""
    top_up = requested_top_up(lab, amount)
    background.open_checkout(top_up.id)
    return as_it_is(top_up)


def paid_top_up(lab: Actor, amount: Money) -> TopUp:
    """A top-up that was paid at Stripe; nobody has told us."""
    top_up = opened_top_up(lab, amount)
    pay(top_up)
    return top_up


def pay(top_up: TopUp, card: str = CARD_AT_ONCE) -> None:
    """Pay on the checkout's page, as the payer does."""
    assert top_up.checkout_url is not None
    form = {"card": card, "email": "payer@example.org"}
    httpx.post(top_up.checkout_url, data=form, trust_env=False)


def as_it_is(top_up: TopUp) -> TopUp:
    """The row as it is in the database now."""
    with transaction() as session:
        return session.get_one(TopUp, top_up.id)


def work(name: str, *, attempt: int = 1) -> outbox.Work:
    """Leased work that has no row, for calling a background function directly."""
    return outbox.Work(id=new_id(), name=name, arguments={}, attempt=attempt)


def refresh(top_up: TopUp) -> TopUp:
    """Fetch what Stripe says about a top-up; the row afterwards."""
    background.refresh_top_up(work("billing.refresh_top_up"), top_up_id=str(top_up.id))
    return as_it_is(top_up)


def settled_top_up(session: Session, lab: Actor, amount: Money) -> TopUp:
    """A top-up in the book, as if Stripe had told us all about it."""
    top_up = service.begin_top_up(session, lab, amount, success_url=BACK, cancel_url=BACK)
    seen = Checkout(
        session_id=f"cs_{top_up.id.hex}",
        url=None,
        expired=False,
        completed=True,
        paid=True,
        payment_intent_id=f"pi_{top_up.id.hex}",
        settlement=Settlement(
            f"txn_{top_up.id.hex}", amount, Money(0, amount.currency), clock.now()
        ),
        metadata={"top_up_id": str(top_up.id)},
    )
    return service.record_checkout(session, top_up.id, seen)


def asked_refund(session: Session, lab: Actor) -> Refund:
    """A refund that waits for finance."""
    settled_top_up(session, lab, Money(2_000_00, "USD"))
    return refunds.ask_refund(session, lab, Money(1_500_00, "USD"))[0]
