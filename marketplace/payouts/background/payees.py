"""Payees at Stripe: onboarding, reading accounts, comparing names."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import clock, outbox, stripe_client
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.ids import PersonId, parse_id
from marketplace.payouts import service, stripe_gateway
from marketplace.payouts.background.waiting import not_found
from marketplace.payouts.models import PayeeAccount

PAYEES_AT_ONCE = 500


def onboarding_url(person_id: PersonId, *, refresh_url: str, return_url: str) -> str:
    """Where the specialist tells Stripe what it asks; creates the account at the first call.

    Call it outside a transaction, after `service.open_onboarding`. The return to `return_url`
    says nothing: enqueue or call `refresh_account` and read the account again. Raises Missing
    without a payee account of ours, StripeRefused with Stripe's words, else StripeUnreachable.
    """
    with transaction() as session:
        payee = session.get(PayeeAccount, person_id)
    if payee is None:
        raise Missing("Say first where you want to be paid.")
    client = stripe_client.current()
    account_id = payee.stripe_account_id
    if account_id is None:
        created = stripe_gateway.create_account(
            client,
            person_id=person_id,
            key=payee.account_key,
            country=payee.country,
            currency=payee.currency,
        )
        with transaction() as session:
            account_id = service.record_account(session, person_id, created).stripe_account_id
    return stripe_gateway.onboarding_link(
        client, account_id or created, refresh_url=refresh_url, return_url=return_url
    )


@outbox.background("payouts.refresh_account", time_limit_seconds=60)
def refresh_account(
    work: outbox.Work, stripe_account_id: str | None = None, person_id: str | None = None
) -> None:
    """Read a payee's account from Stripe again; named by Stripe's id or by the person's."""
    with transaction() as session:
        payee = _payee(session, stripe_account_id, person_id)
    if payee is None or payee.stripe_account_id is None:
        not_found(work, "met an account that no payee explains")
        return
    read_account(payee.person_id, payee.stripe_account_id)
    with transaction() as session:
        outbox.done(session, work)


def read_account(person_id: PersonId, stripe_account_id: str) -> PayeeAccount:
    """Ask Stripe about an account and keep the answer; call it outside a transaction."""
    asked_at = clock.now()
    facts = stripe_gateway.account_now(stripe_client.current(), stripe_account_id)
    with transaction() as session:
        return service.record_facts(session, person_id, facts, asked_at=asked_at)


def _payee(
    session: Session, stripe_account_id: str | None, person_id: str | None
) -> PayeeAccount | None:
    if stripe_account_id is not None:
        return service.account_named(session, stripe_account_id)
    known = parse_id(person_id or "")
    return session.get(PayeeAccount, known) if known else None


@outbox.background("payouts.compare_names", time_limit_seconds=600, every_seconds=3_600)
def compare_names(work: outbox.Work) -> None:
    """Hold payees whose licence by now bears another name, before a run is prepared."""
    after: UUID | None = None
    while True:
        with transaction() as session:
            people = service.payees_after(session, after, limit=PAYEES_AT_ONCE)
            service.hold_differing(session, people)
        if len(people) < PAYEES_AT_ONCE:
            break
        after = people[-1]
    with transaction() as session:
        outbox.done(session, work)
