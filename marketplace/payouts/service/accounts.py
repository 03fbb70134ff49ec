"""Payee accounts: opened by the specialist, filled in at Stripe, read back from there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.money import EXPONENT
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.rules import AccountFacts
from marketplace.payouts.service.names import compare_names
from marketplace.payouts.service.payee_change import bank_changed

NAME_MAX = 120


def open_onboarding(
    session: Session, actor: Actor, *, payee_name: str, country: str, currency: str
) -> PayeeAccount:
    """Say where to be paid; afterwards `background.onboarding_url` leads to Stripe's form.

    country: two capital letters; currency: ISO 4217. Repeating it before the account exists at
    Stripe changes the wish; afterwards the account stays as it is and only the name changes.
    """
    actor.require(Permission.EARNINGS_VIEW)
    name = _checked(payee_name, country, currency)
    account = session.get(PayeeAccount, actor.person(), with_for_update=True)
    if account is None:
        account = _opened(actor.person(), name, country, currency)
        session.add(account)
        session.flush()  # The audit line needs the row to be legal.
        audit.record(session, actor, "opened a payee account", account.person_id)
        return account
    fixed = account.stripe_account_id is not None
    asked = (name, account.country, account.currency) if fixed else (name, country, currency)
    if asked != (account.payee_name, account.country, account.currency):
        account.payee_name, account.country, account.currency = asked
        # Another country is another account at Stripe, and so another key.
        account.account_key = account.account_key if fixed else new_id()
        _changed(session, actor, account)
    return account


def _opened(person_id: PersonId, name: str, country: str, currency: str) -> PayeeAccount:
    now = clock.now()
    return PayeeAccount(
        person_id=person_id,
        account_key=new_id(),
        payee_name=name,
        country=country,
        currency=currency,
        transfers_active=False,
        details_submitted=False,
        requirements=[],
        version=1,
        changed_by=person_id,
        changed_at=now,
        created_at=now,
    )


def record_account(session: Session, person_id: PersonId, stripe_account_id: str) -> PayeeAccount:
    """Keep the account that Stripe created; a second one for the same person is ignored."""
    account = _locked(session, person_id)
    if account.stripe_account_id is None:
        account.stripe_account_id = stripe_account_id
        audit.record(session, SYSTEM, "created an account at Stripe", person_id)
    return account


def record_facts(
    session: Session, person_id: PersonId, facts: AccountFacts, *, asked_at: datetime
) -> PayeeAccount:
    """Take over what Stripe said when it was asked; older answers than the last change nothing.

    Another bank account, country or currency is a change of the payee by the specialist, who
    alone can make it at Stripe.
    """
    account = _locked(session, person_id)
    stale = account.checked_at is not None and asked_at <= account.checked_at
    if stale or account.stripe_account_id != facts.account_id:
        return account
    was_active = account.transfers_active
    known = (account.paid_to, account.country, account.currency)
    first = account.paid_to is None
    account.transfers_active = facts.transfers_active
    account.details_submitted = facts.details_submitted
    account.disabled_reason = facts.disabled_reason
    account.requirements = list(facts.requirements)
    account.paid_to, account.country, account.currency = (
        facts.paid_to,
        facts.country,
        facts.currency,
    )
    account.checked_at = asked_at
    compare_names(session, account, facts.names)
    if not first and known != (facts.paid_to, facts.country, facts.currency):
        _changed(session, SYSTEM, account, by=person_id)
        if known[0] != facts.paid_to:
            bank_changed(session, account)
    if was_active != facts.transfers_active:
        state = "active" if facts.transfers_active else "restricted"
        outbox.announce(session, f"payee.{state}", person_id, {"version": account.version})
    return account


def account_named(session: Session, stripe_account_id: str) -> PayeeAccount | None:
    """The payee account behind an account at Stripe, if it is one of ours."""
    named = select(PayeeAccount).where(PayeeAccount.stripe_account_id == stripe_account_id)
    return session.scalars(named).first()


def account_of_person(session: Session, person_id: PersonId) -> PayeeAccount | None:
    """A person's payee account, or None; for code that has authorised the person."""
    return session.get(PayeeAccount, person_id)


def payees_after(session: Session, after: UUID | None, *, limit: int) -> list[UUID]:
    """Ids of people with a payee account, in order; after: the last one had."""
    ids = select(PayeeAccount.person_id)
    if after is not None:
        ids = ids.where(PayeeAccount.person_id > after)
    return list(session.scalars(ids.order_by(PayeeAccount.person_id).limit(limit)))


def _changed(
    session: Session, actor: Actor, account: PayeeAccount, *, by: PersonId | None = None
) -> None:
    account.version += 1
    account.changed_by = by or actor.person()
    account.changed_at = clock.now()
    audit.record(session, actor, "changed a payee", account.person_id, version=account.version)


def _locked(session: Session, person_id: PersonId) -> PayeeAccount:
    account = session.get(PayeeAccount, person_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise Missing("There is no payee account for this person.")
    return account


def _checked(payee_name: str, country: str, currency: str) -> str:
    faults = []
    name = " ".join(payee_name.split())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        faults.append(Fault("/payee_name", f"Write the name, in at most {NAME_MAX} letters."))
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        faults.append(Fault("/country", "Choose a country, such as DE."))
    if currency not in EXPONENT:
        faults.append(Fault("/currency", "Choose a currency, such as EUR."))
    if faults:
        raise Faulty("The payee cannot be used as written.", faults)
    return name
