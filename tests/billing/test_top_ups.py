"""Top-ups against the served sandbox: the way there, and what may go wrong on it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.audit import AuditRow
from marketplace.billing import background, queries, rules, service
from marketplace.billing.background import CheckoutClosed
from marketplace.billing.models import TopUp
from marketplace.billing.rules import Checkout, TopUpState
from marketplace.db import transaction
from marketplace.errors import Denied, Faulty, Missing
from marketplace.ledger import queries as ledger
from marketplace.ledger.models import LedgerTransaction
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.stripe_client import StripeUnreachable
from tests.make import billing as make
from tests.make.billing import Stripe
from tests.make.ledger import usd


def available(top_up: TopUp) -> Money:
    with transaction() as session:
        return ledger.balance(session, f"L:lab:{top_up.organisation_id}:available:USD")


def test_a_paid_top_up_is_posted_gross_with_its_fee(session: Session, stripe: Stripe) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))

    posted = make.refresh(top_up)

    assert (TopUpState.POSTED, usd(500_00)) == (posted.state, available(top_up))
    assert posted.fee is not None
    with transaction() as tx:
        held = ledger.balance(tx, "A:stripe:balance:USD")
    assert usd(500_00) - posted.fee == held


def test_an_unpaid_checkout_stays_open(session: Session, stripe: Stripe) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))

    assert TopUpState.CHECKOUT_OPEN is make.refresh(top_up).state


def test_a_declined_card_leaves_the_checkout_open_for_another(
    session: Session, stripe: Stripe
) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))
    make.pay(top_up, make.CARD_DECLINED)
    assert TopUpState.CHECKOUT_OPEN is make.refresh(top_up).state

    make.pay(top_up)

    assert TopUpState.POSTED is make.refresh(top_up).state


def test_scenario_24_a_charge_without_balance_transaction_waits_in_settling(
    session: Session, stripe: Stripe
) -> None:
    stripe.controls.settle_after(600)
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))
    assert TopUpState.SETTLING is make.refresh(top_up).state
    assert usd(0) == available(top_up)

    stripe.controls.advance(601)

    assert TopUpState.POSTED is make.refresh(top_up).state
    assert usd(500_00) == available(top_up)


def test_scenario_9_twenty_parallel_looks_post_once(committed: Engine, stripe: Stripe) -> None:
    with transaction() as session:
        lab = make.a_lab(session)
    top_up = make.paid_top_up(lab, usd(500_00))
    failures: list[BaseException] = []

    def look() -> None:
        try:
            make.refresh(top_up)
        except BaseException as failed:  # noqa: BLE001 - the test reports it below.
            failures.append(failed)

    threads = [threading.Thread(target=look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    assert usd(500_00) == available(top_up)
    with transaction() as session:
        assert 1 == session.scalar(select(func.count()).select_from(LedgerTransaction))


def test_scenario_10_older_facts_never_move_a_top_up_back(session: Session, stripe: Stripe) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))
    make.refresh(top_up)
    session_id = make.as_it_is(top_up).checkout_session_id or ""
    old = Checkout(
        session_id=session_id,
        url=None,
        expired=True,
        completed=False,
        paid=False,
        metadata={"top_up_id": str(top_up.id)},
    )

    with transaction() as tx:
        service.record_checkout(tx, top_up.id, old)

    assert TopUpState.POSTED is make.as_it_is(top_up).state


def test_scenario_11_a_webhook_before_our_own_record_is_adopted_by_metadata(
    session: Session, stripe: Stripe
) -> None:
    top_up = make.requested_top_up(make.a_lab(session), usd(500_00))
    # The answer was lost, but Stripe has the checkout, and somebody paid it.
    stripe.controls.fault("drop", method="POST", path="/v1/checkout/sessions", count=3)
    with pytest.raises(StripeUnreachable):
        background.open_checkout(top_up.id)
    listed = stripe.sdk.v1.checkout.sessions.list().data[0]
    top_up.checkout_url = listed.url
    make.pay(top_up)

    background.refresh_top_up(
        make.work("billing.refresh_top_up"),
        top_up_id=str(top_up.id),
        checkout_session_id=listed.id,
    )

    assert TopUpState.POSTED is make.as_it_is(top_up).state


def test_a_payment_alone_leads_to_its_top_up(session: Session, stripe: Stripe) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))
    make.refresh(top_up)
    intent = make.as_it_is(top_up).payment_intent_id

    with transaction() as tx:
        found = service.found(tx, payment_intent_id=intent)

    assert found is not None
    assert top_up.id == found.id


def test_scenario_12_without_any_webhook_the_sweep_converges(
    session: Session, stripe: Stripe
) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))

    with clock.shifted(timedelta(days=4)):
        background.sweep_top_ups(make.work("billing.sweep_top_ups"))
        with transaction() as tx:
            names = select(OutboxRow).where(OutboxRow.name == "billing.refresh_top_up")
            asked = tx.scalars(names).all()
        for row in asked:
            background.refresh_top_up(make.work(row.name), **row.arguments)

    assert usd(500_00) == available(top_up)


def test_opening_twice_opens_one_checkout(session: Session, stripe: Stripe) -> None:
    top_up = make.requested_top_up(make.a_lab(session), usd(500_00))
    stripe.controls.fault("drop", method="POST", path="/v1/checkout/sessions", count=3)
    with pytest.raises(StripeUnreachable):
        background.open_checkout(top_up.id)

    first = background.open_checkout(top_up.id)
    second = background.open_checkout(top_up.id)

    assert first == second
    assert 1 == len(stripe.sdk.v1.checkout.sessions.list().data)


def test_the_sweep_opens_what_a_crashed_request_left(session: Session, stripe: Stripe) -> None:
    top_up = make.requested_top_up(make.a_lab(session), usd(500_00))

    assert TopUpState.CHECKOUT_OPEN is make.refresh(top_up).state


def test_a_checkout_that_never_opened_expires(session: Session, stripe: Stripe) -> None:
    top_up = make.requested_top_up(make.a_lab(session), usd(500_00))

    with clock.shifted(timedelta(hours=23)), pytest.raises(CheckoutClosed):
        background.open_checkout(top_up.id)

    assert TopUpState.EXPIRED is make.as_it_is(top_up).state
    assert [] == stripe.sdk.v1.checkout.sessions.list().data


def test_an_expired_checkout_is_told(session: Session, stripe: Stripe) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))
    stripe.controls.advance(25 * 3600)

    assert TopUpState.EXPIRED is make.refresh(top_up).state
    with pytest.raises(CheckoutClosed):
        background.open_checkout(top_up.id)


def test_a_payment_that_nobody_explains_is_left_on_record(session: Session, stripe: Stripe) -> None:
    look = make.work("billing.refresh_top_up", attempt=background.LOOKS_MAX)

    background.refresh_top_up(look, payment_intent_id="pi_of_somebody_else")

    with transaction() as tx:
        verbs = tx.scalars(select(AuditRow.verb).where(AuditRow.subject_id == look.id)).all()
    assert ["met a payment that no top-up explains"] == verbs


def test_another_amount_is_not_posted(session: Session, stripe: Stripe) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))
    settlement = rules.Settlement("txn_other", usd(400_00), usd(1_00), clock.now())
    checkout = Checkout(
        session_id=top_up.checkout_session_id or "",
        url=None,
        expired=False,
        completed=True,
        paid=True,
        settlement=settlement,
        metadata={"top_up_id": str(top_up.id)},
    )

    with transaction() as tx:
        service.record_checkout(tx, top_up.id, checkout)

    assert (TopUpState.SETTLING, service.OTHER_AMOUNT) == (
        make.as_it_is(top_up).state,
        make.as_it_is(top_up).note,
    )
    assert usd(0) == available(top_up)


@pytest.mark.parametrize(
    "amount", [Money(49, "USD"), Money(100_000_000, "USD"), Money(10_000, "ISK"), Money(0, "JPY")]
)
def test_an_amount_that_a_card_cannot_be_charged_is_refused(
    session: Session, stripe: Stripe, amount: Money
) -> None:
    with pytest.raises(Faulty):
        make.requested_top_up(make.a_lab(session), amount)


def test_yen_arrive_as_yen(session: Session, stripe: Stripe) -> None:
    top_up = make.paid_top_up(make.a_lab(session), Money(5_000, "JPY"))

    make.refresh(top_up)

    with transaction() as tx:
        code = f"L:lab:{top_up.organisation_id}:available:JPY"
        assert Money(5_000, "JPY") == ledger.balance(tx, code)


def test_a_lab_sees_its_own_top_ups_newest_first(session: Session, stripe: Stripe) -> None:
    lab, other = make.a_lab(session), make.a_lab(session)
    first, second = (make.requested_top_up(lab, usd(amount)) for amount in (100_00, 200_00))
    make.requested_top_up(other, usd(300_00))

    with transaction() as tx:
        newest = queries.top_ups_of(tx, lab, limit=1)
        rest = queries.top_ups_of(tx, lab, after=newest[0].id)
        with pytest.raises(Missing):
            queries.top_up_of(tx, other, first.id)

    assert [second.id, first.id] == [row.id for row in [*newest, *rest]]


def test_who_may_not_top_up_is_refused(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    viewer = type(lab)(lab.person_id, lab.organisation_id, frozenset({"jobs.view"}))

    with pytest.raises(Denied):
        make.requested_top_up(viewer, usd(500_00))


def test_the_database_refuses_steps_that_the_lifecycle_lacks(
    session: Session, stripe: Stripe
) -> None:
    top_up = make.requested_top_up(make.a_lab(session), usd(500_00))

    with pytest.raises(DBAPIError), transaction() as tx:
        tx.get_one(TopUp, top_up.id).state = TopUpState.POSTED


def test_a_payment_that_stripe_converts_is_the_labs_as_it_was_paid(
    session: Session, stripe: Stripe
) -> None:
    stripe.controls.settle_in("usd")
    top_up = make.opened_top_up(make.a_lab(session), Money(500_00, "EUR"))
    make.pay(top_up)

    assert TopUpState.POSTED is make.refresh(top_up).state

    lab = f"L:lab:{top_up.organisation_id}:available:EUR"
    assert Money(500_00, "EUR") == ledger.balance(session, lab)
    assert stripe.available() == ledger.balance(session, "A:stripe:balance:USD")
    assert [] == ledger.broken_invariants(session)
