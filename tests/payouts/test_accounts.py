"""Payee accounts: onboarding in three phases, and what is read back from Stripe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.audit import AuditRow
from marketplace.db import transaction
from marketplace.errors import Denied, Faulty, Missing
from marketplace.ids import PersonId
from marketplace.payouts import background, queries, service
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.rules import AccountFacts
from marketplace.stripe_client import StripeUnreachable
from tests.make import payouts as make
from tests.make.billing import Stripe, a_person, work

ASKED: dict[str, Any] = {"payee_name": "Ada Example", "country": "US", "currency": "USD"}


def opened(session: Session) -> PersonId:
    person_id = a_person(session, is_specialist=True)
    with transaction() as tx:
        service.open_onboarding(tx, make.specialist_actor(person_id), **ASKED)
    return person_id


def link_of(person_id: PersonId) -> str:
    return background.onboarding_url(
        person_id, refresh_url=make.RETURN, return_url=f"{make.RETURN}?done=1"
    )


def account(person_id: PersonId) -> PayeeAccount:
    with transaction() as tx:
        return tx.get_one(PayeeAccount, person_id)


def refresh(person_id: PersonId) -> PayeeAccount:
    background.refresh_account(work("payouts.refresh_account"), person_id=str(person_id))
    return account(person_id)


def test_coming_back_does_not_mean_finished(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    address = link_of(person_id)

    assert 200 == httpx.get(address, trust_env=False).status_code
    unfinished = refresh(person_id)

    assert (False, False) == (unfinished.transfers_active, unfinished.details_submitted)
    assert "external_account" in unfinished.requirements


def test_a_finished_account_can_be_paid(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    link_of(person_id)
    stripe.controls.enable(make.account_of(person_id))

    finished = refresh(person_id)

    assert (True, True, None) == (
        finished.transfers_active,
        finished.details_submitted,
        finished.disabled_reason,
    )
    assert [] == finished.requirements
    # The first bank account is not a change of the payee.
    assert 1 == finished.version


def test_a_restriction_is_noticed(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    link_of(person_id)
    stripe.controls.enable(make.account_of(person_id))
    refresh(person_id)
    stripe.controls.restrict(make.account_of(person_id), "rejected.fraud")

    restricted = refresh(person_id)

    assert (False, "rejected.fraud") == (restricted.transfers_active, restricted.disabled_reason)


def test_a_lost_answer_makes_no_second_account(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    stripe.controls.fault("drop", method="POST", path="/v1/accounts", count=3)
    with pytest.raises(StripeUnreachable):
        link_of(person_id)

    link_of(person_id)
    link_of(person_id)

    assert [make.account_of(person_id)] == [one.id for one in stripe.sdk.v1.accounts.list().data]


def test_an_older_answer_changes_nothing(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    link_of(person_id)
    stripe.controls.enable(make.account_of(person_id))
    newest = refresh(person_id)
    assert newest.checked_at is not None
    old = facts(person_id, transfers_active=False)

    with transaction() as tx:
        service.record_facts(tx, person_id, old, asked_at=newest.checked_at - timedelta(seconds=9))

    assert account(person_id).transfers_active


def test_another_bank_account_is_a_change_of_the_payee(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    link_of(person_id)
    for paid_to in ("first", "second"):
        answer = facts(person_id, paid_to=paid_to)
        with transaction() as tx:
            service.record_facts(tx, person_id, answer, asked_at=clock.now())

    changed = account(person_id)

    assert (2, person_id) == (changed.version, changed.changed_by)
    with transaction() as tx:
        verbs = tx.query(AuditRow).filter(AuditRow.verb == "changed a payee").count()
    assert 1 == verbs


def facts(
    person_id: PersonId, *, transfers_active: bool = True, paid_to: str = "first"
) -> AccountFacts:
    return AccountFacts(
        account_id=make.account_of(person_id),
        transfers_active=transfers_active,
        details_submitted=True,
        disabled_reason=None,
        requirements=(),
        country="US",
        currency="USD",
        paid_to=paid_to,
    )


def test_a_wish_may_change_until_the_account_exists(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    specialist = make.specialist_actor(person_id)
    wish = {"payee_name": "Ada Example", "country": "DE", "currency": "EUR"}
    with transaction() as tx:
        service.open_onboarding(tx, specialist, **wish)
    link_of(person_id)

    with transaction() as tx:
        service.open_onboarding(tx, specialist, **ASKED)

    assert ("DE", "EUR") == (account(person_id).country, account(person_id).currency)


@pytest.mark.parametrize(
    "wrong",
    [{"country": "de"}, {"country": "DEU"}, {"currency": "XXX"}, {"payee_name": " "}],
)
def test_an_unusable_wish_is_refused(
    session: Session, stripe: Stripe, wrong: dict[str, str]
) -> None:
    actor = make.specialist_actor(a_person(session, is_specialist=True))

    with pytest.raises(Faulty), transaction() as tx:
        service.open_onboarding(tx, actor, **(ASKED | wrong))


def test_nobody_else_opens_or_sees_an_account(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)
    other = make.specialist_actor(a_person(session, is_specialist=True))

    with transaction() as tx:
        assert queries.payee_of(tx, other) is None
        assert queries.payee_of(tx, make.specialist_actor(person_id)) is not None
        with pytest.raises(Denied):
            queries.payee_of(tx, type(other)(other.person_id))
    with pytest.raises(Missing):
        link_of(other.person())


def test_the_payees_name_is_encrypted(session: Session, stripe: Stripe) -> None:
    person_id = opened(session)

    with transaction() as tx:
        stored = tx.scalar(text("SELECT payee_name FROM payee_account"))

    assert b"Ada" not in bytes(stored)
    assert "Ada Example" == account(person_id).payee_name
