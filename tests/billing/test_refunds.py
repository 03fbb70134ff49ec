"""Refunds against the served sandbox: each once, whatever is lost, refused or comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock, stripe_client
from marketplace.actor import Actor
from marketplace.billing import background
from marketplace.billing.background.refunds import look_after
from marketplace.billing.models import Refund
from marketplace.billing.rules.refunds import Payment, RefundState, refundable, shared
from marketplace.billing.service import refunds
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.money import Money
from tests.make import billing as make
from tests.make import identity
from tests.make.billing import Stripe
from tests.make.invoices import available
from tests.make.ledger import a_job, usd


def paid(lab: Actor, amount: Money, card: str = make.CARD_AT_ONCE) -> None:
    top_up = make.opened_top_up(lab, amount)
    make.pay(top_up, card)
    make.refresh(top_up)


def asked(lab: Actor, amount: Money) -> list[Refund]:
    with transaction() as session:
        return refunds.ask_refund(session, lab, amount)


def now(refund: Refund) -> Refund:
    with transaction() as session:
        return session.get_one(Refund, refund.id, populate_existing=True)


def in_flight(session: Session) -> Money:
    return ledger.balance(session, "L:refund_inflight:USD")


def made(stripe: Stripe) -> list[int]:
    return sorted(refund.amount for refund in stripe.sdk.v1.refunds.list({"limit": 100}).data)


def test_an_amount_is_shared_over_payments_in_their_order() -> None:
    payments = [
        Payment(new_id(), f"pi_{left}", usd(100_00), usd(left)) for left in (30_00, 0, 50_00)
    ]

    assert [("pi_3000", usd(30_00)), ("pi_5000", usd(10_00))] == [
        (payment.payment_intent_id, part) for payment, part in shared(usd(40_00), payments)
    ]
    assert usd(80_00) == refundable(usd(90_00), payments)
    assert usd(20_00) == refundable(usd(20_00), payments)
    with pytest.raises(Faulty, match="more than can go back"):
        shared(usd(80_01), payments)


def test_scenario_34_only_available_money_and_two_equal_refunds_are_two(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00))
    with transaction() as tx:
        book.reserve_for_job(
            tx,
            lab_id=OrganisationId(lab.organisation()),
            job_id=a_job(),
            amount=usd(60_00),
            source_id="quote:1",
        )
    with pytest.raises(Faulty, match="more than is available"):
        asked(lab, usd(40_01))

    for refund in (*asked(lab, usd(20_00)), *asked(lab, usd(20_00))):
        background.send_refund(make.work("billing.send_refund"), refund_id=str(refund.id))
        background.send_refund(make.work("billing.send_refund"), refund_id=str(refund.id))
        assert RefundState.SENT is now(refund).state

    assert [20_00, 20_00] == made(stripe)
    assert (usd(0), usd(0)) == (available(session, lab), in_flight(session))
    for line in stripe.sdk.v1.balance_transactions.list({"type": "refund"}).data:
        background.post_line(make.work("billing.post_line"), bt=line.id)
    assert [] == ledger.broken_invariants(session)


def test_the_newest_payments_are_refunded_first_and_never_beyond_what_was_paid(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(50_00))
    paid(lab, usd(30_00))

    parts = asked(lab, usd(70_00))

    assert [usd(30_00), usd(40_00)] == [part.amount for part in parts]
    left = refunds.payments_of(session, OrganisationId(lab.organisation()), "USD")
    assert [usd(0), usd(10_00)] == [payment.left for payment in left]
    viewer = Actor(lab.person_id, lab.organisation_id, frozenset(), frozenset())
    with pytest.raises(Denied):
        asked(viewer, usd(1_00))


def test_scenario_35_a_refund_that_fails_days_later_is_the_labs_again(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00), "4000000000005126")
    (refund,) = asked(lab, usd(25_00))
    look_after(refund.id)
    assert (RefundState.SENT, usd(75_00)) == (now(refund).state, available(session, lab))

    stripe.controls.advance(3 * 86_400)
    at_stripe = now(refund).stripe_refund_id or ""
    for _ in range(2):
        work = make.work("billing.refresh_refund")
        background.refresh_refund(work, stripe_refund_id=at_stripe)

    assert (RefundState.RETURNED, usd(100_00)) == (now(refund).state, available(session, lab))
    assert "expired" in now(refund).note
    asked(lab, usd(25_00))
    assert [] == ledger.broken_invariants(session)


@pytest.mark.parametrize("fault", ["drop", "drop_before"])
def test_an_unanswered_refund_is_unknown_and_made_once(
    session: Session, stripe: Stripe, fault: str
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00))
    (refund,) = asked(lab, usd(25_00))
    stripe.controls.fault(fault, method="POST", path="/v1/refunds", count=3)

    look_after(refund.id)
    assert (RefundState.UNKNOWN, usd(25_00)) == (now(refund).state, in_flight(session))
    look_after(refund.id)

    assert ([25_00], RefundState.SENT) == (made(stripe), now(refund).state)


def test_an_unknown_refund_whose_key_has_gone_is_looked_for_before_a_new_attempt(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00))
    (there,), (lost,) = asked(lab, usd(25_00)), asked(lab, usd(30_00))
    stripe.controls.fault("drop", method="POST", path="/v1/refunds", count=3)
    look_after(there.id)
    stripe.controls.fault("drop_before", method="POST", path="/v1/refunds", count=3)
    look_after(lost.id)
    with clock.shifted(timedelta(hours=23, minutes=5)):
        look_after(lost.id)
        assert RefundState.UNKNOWN is now(lost).state

    stripe.controls.advance(2 * 86_400)
    with clock.shifted(timedelta(days=2)):
        look_after(there.id)
        look_after(lost.id)
        assert (RefundState.SENT, RefundState.READY, 2) == (
            now(there).state,
            now(lost).state,
            now(lost).attempt,
        )
        look_after(lost.id)

    assert ([25_00, 30_00], RefundState.SENT) == (made(stripe), now(lost).state)


def test_above_a_threshold_another_person_approves(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(3_000_00))
    approver = identity.staff(session, Role.APPROVER)
    (refund,) = asked(lab, usd(1_000_00))
    (second,) = asked(lab, usd(1_500_00))
    look_after(refund.id)
    assert (RefundState.ASKED, []) == (now(refund).state, made(stripe))

    with transaction() as tx:
        refunds.decide_refund(tx, approver, refund.request_id, approve=True)
        refunds.decide_refund(tx, approver, second.request_id, approve=False, note="Ask by mail.")
    look_after(refund.id)

    assert (RefundState.SENT, [1_000_00]) == (now(refund).state, made(stripe))
    assert (RefundState.REFUSED, usd(2_000_00)) == (now(second).state, available(session, lab))
    with pytest.raises(Conflict), transaction() as tx:
        refunds.decide_refund(tx, approver, refund.request_id, approve=True)
    (third,) = asked(lab, usd(1_100_00))
    with transaction() as tx:
        refunds.cancel_refund(tx, lab, third.id)
    assert (RefundState.CANCELLED, usd(2_000_00)) == (now(third).state, available(session, lab))


def test_what_stripe_refuses_is_the_labs_again(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00))
    (refund,) = asked(lab, usd(60_00))
    stripe.sdk.v1.refunds.create({"payment_intent": refund.payment_intent_id, "amount": 50_00})

    look_after(refund.id)

    assert (RefundState.REFUSED, usd(100_00)) == (now(refund).state, available(session, lab))
    assert now(refund).note


def test_a_key_that_stripe_turns_away_does_not_end_a_refund_that_may_exist(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    paid(lab, usd(100_00))
    (refund,) = asked(lab, usd(40_00))
    # It is made, and the answer is lost.
    stripe.controls.fault("drop", method="POST", path="/v1/refunds", count=3)
    look_after(refund.id)
    assert RefundState.UNKNOWN is now(refund).state

    stripe_client.use(make.StripeSettings(stripe.address, "sk_test_revoked_meanwhile_0123"))
    look_after(refund.id)

    assert (RefundState.UNKNOWN, usd(40_00)) == (now(refund).state, in_flight(session))
    stripe_client.use(make.StripeSettings(stripe.address))
    look_after(refund.id)
    assert (RefundState.SENT, [40_00]) == (now(refund).state, made(stripe))


def test_a_request_is_of_one_lab(session: Session, stripe: Stripe) -> None:
    one, other = make.a_lab(session), make.a_lab(session)
    paid(one, usd(100_00))
    (refund,) = asked(one, usd(40_00))

    with pytest.raises(Conflict), transaction() as tx:
        refunds.ask_refund(tx, other, usd(1_00), request_id=refund.request_id)
