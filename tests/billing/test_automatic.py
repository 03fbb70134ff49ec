"""Automatic top-ups against the served sandbox: one at a time, within a month's limit."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, stripe_client
from marketplace.actor import Actor
from marketplace.billing import background
from marketplace.billing.background.automatic import charge
from marketplace.billing.models import AutomaticTopUp, TopUp
from marketplace.billing.rules import TopUpState
from marketplace.billing.rules.automatic import AutomaticState, Origin, days_left, due
from marketplace.billing.service import automatic as service
from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.ids import OrganisationId
from tests.make import billing as make
from tests.make.billing import Stripe
from tests.make.invoices import available
from tests.make.ledger import usd

AWAY = "4000002760003184"
DECLINED_LATER = "4000000000000341"


def wished(stripe: Stripe, lab: Actor, card: str = make.CARD_AT_ONCE) -> None:
    """Below 50 dollars, 100 come, at most 250 in a month; the card is saved."""
    with transaction() as session:
        service.set_automatic(
            session, lab, threshold=usd(50_00), amount=usd(100_00), month_max=usd(250_00)
        )
    url = background.open_setup(lab, "USD", back_url=make.BACK)
    httpx.post(url, data={"card": card, "email": "payer@example.org"}, trust_env=False)
    background.look_at_setup(row_of(lab).setup_session_id or "")


def row_of(lab: Actor) -> AutomaticTopUp:
    with transaction() as session:
        key = (lab.organisation(), "USD")
        return session.get_one(AutomaticTopUp, key, populate_existing=True)


def made(lab: Actor) -> list[TopUp]:
    with transaction() as session:
        rows = select(TopUp).where(
            TopUp.organisation_id == lab.organisation(), TopUp.origin == Origin.AUTOMATIC
        )
        return list(session.scalars(rows.order_by(TopUp.id)))


def ready(lab: Actor) -> TopUp | None:
    with transaction() as session:
        return service.make_ready(session, OrganisationId(lab.organisation()), "USD")


def test_what_is_due_and_how_long_money_lasts() -> None:
    assert due(usd(49_99), usd(50_00), usd(100_00), usd(100_00))
    assert not due(usd(50_00), usd(50_00), usd(100_00), usd(100_00))
    assert not due(usd(0), usd(50_00), usd(100_00), usd(99_99))
    assert (None, 7, 0) == (
        days_left(usd(10_00), usd(0), 14),
        days_left(usd(10_50), usd(20_00), 14),
        days_left(usd(0), usd(20_00), 14),
    )


def test_a_low_balance_fills_itself_one_at_a_time_within_its_limit(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    wished(stripe, lab)
    assert (AutomaticState.ON, "Visa ending in 0077") == (row_of(lab).state, row_of(lab).card_label)

    first = ready(lab)
    assert first is not None
    assert ready(lab) is None
    for _ in range(2):
        background.charge_card(make.work("billing.charge_card"), top_up_id=str(first.id))
    assert (TopUpState.POSTED, usd(100_00)) == (make.as_it_is(first).state, available(session, lab))
    assert ready(lab) is None

    with transaction() as tx:
        service.set_automatic(
            tx, lab, threshold=usd(900_00), amount=usd(100_00), month_max=usd(250_00)
        )
    second = ready(lab)
    assert second is not None
    charge(second.id)
    assert ready(lab) is None
    assert "limit" in row_of(lab).note
    with clock.shifted(timedelta(days=32)):
        assert ready(lab) is not None
    assert 2 == len(stripe.sdk.v1.charges.list({"limit": 100}).data)


@pytest.mark.parametrize(("card", "words"), [(AWAY, "confirmed"), (DECLINED_LATER, "declined")])
def test_a_card_that_cannot_be_charged_turns_it_off(
    session: Session, stripe: Stripe, card: str, words: str
) -> None:
    lab = make.a_lab(session)
    wished(stripe, lab, card)
    top_up = ready(lab)
    assert top_up is not None

    charge(top_up.id)

    assert TopUpState.FAILED is make.as_it_is(top_up).state
    assert (AutomaticState.OFF, True) == (row_of(lab).state, words in row_of(lab).note)
    assert (None, usd(0)) == (ready(lab), available(session, lab))


def test_a_charge_that_was_not_answered_is_made_once(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    wished(stripe, lab)
    top_up = ready(lab)
    assert top_up is not None
    stripe.controls.fault("drop", method="POST", path="/v1/payment_intents", count=3)
    background.charge_card(make.work("billing.charge_card"), top_up_id=str(top_up.id))
    assert (TopUpState.REQUESTED, None) == (make.as_it_is(top_up).state, ready(lab))

    stripe.controls.advance(2 * 86_400)
    with clock.shifted(timedelta(days=2)):
        make.refresh(top_up)

    assert TopUpState.POSTED is make.as_it_is(top_up).state
    assert 1 == len(stripe.sdk.v1.charges.list({"limit": 100}).data)


def test_a_page_that_saved_nothing_ends(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    with pytest.raises(Faulty), transaction() as tx:
        service.set_automatic(tx, lab, threshold=usd(1), amount=usd(10_00), month_max=usd(5_00))
    with transaction() as tx:
        service.set_automatic(
            tx, lab, threshold=usd(50_00), amount=usd(100_00), month_max=usd(250_00)
        )
    background.open_setup(lab, "USD", back_url=make.BACK)
    page = row_of(lab).setup_session_id or ""
    background.look_at_setup(page)
    assert AutomaticState.SETTING_UP is row_of(lab).state

    stripe.sdk.v1.checkout.sessions.expire(page)
    background.look_at_setup(page)

    assert (AutomaticState.OFF, service.SETUP_ENDED) == (row_of(lab).state, row_of(lab).note)


def test_a_key_that_stripe_turns_away_does_not_end_a_charge_that_may_exist(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    wished(stripe, lab)
    top_up = ready(lab)
    assert top_up is not None
    stripe.controls.fault("drop", method="POST", path="/v1/payment_intents", count=3)
    background.charge_card(make.work("billing.charge_card"), top_up_id=str(top_up.id))

    stripe_client.use(make.StripeSettings(stripe.address, "sk_test_revoked_meanwhile_0123"))
    background.charge_card(make.work("billing.charge_card"), top_up_id=str(top_up.id))

    assert TopUpState.REQUESTED is make.as_it_is(top_up).state
    stripe_client.use(make.StripeSettings(stripe.address))
    make.refresh(top_up)
    assert TopUpState.POSTED is make.as_it_is(top_up).state
    assert (AutomaticState.ON, usd(100_00)) == (row_of(lab).state, available(session, lab))
