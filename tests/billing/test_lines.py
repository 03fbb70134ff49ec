"""Debits that wait and may come back, and cash balances at Stripe, against the served sandbox."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.billing import background, queries, service
from marketplace.billing.models import TopUp
from marketplace.billing.rules import Checkout, Settlement, TopUpState
from marketplace.billing.rules.cash import CashState
from marketplace.db import transaction
from marketplace.ids import OrganisationId
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.money import Money, zero
from tests.make import billing as make
from tests.make.billing import Stripe
from tests.make.invoices import available
from tests.make.ledger import a_job, usd


def debited(lab: Actor, amount: Money) -> TopUp:
    """A top-up by a debit of the payer's bank account, as Stripe tells of it."""
    top_up = make.opened_top_up(lab, amount)
    line = f"txn_{top_up.id.hex}"
    checkout = Checkout(
        session_id=top_up.checkout_session_id or "",
        url=None,
        expired=False,
        completed=True,
        paid=True,
        payment_intent_id=f"pi_{top_up.id.hex}",
        settlement=Settlement(line, amount, usd(1_00), clock.now(), delayed=True),
        metadata={"top_up_id": str(top_up.id)},
    )
    with transaction() as session:
        return service.record_checkout(session, top_up.id, checkout)


def pending(session: Session, lab: Actor) -> Money:
    return ledger.balance(session, f"L:lab:{lab.organisation()}:pending:USD")


def test_a_debit_is_pending_until_its_window_has_passed(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    top_up = debited(lab, usd(500_00))
    assert (TopUpState.CLEARING, usd(500_00)) == (top_up.state, pending(session, lab))
    background.clear_top_ups(make.work("billing.clear_top_ups"))
    assert usd(0) == available(session, lab)

    with clock.shifted(timedelta(days=5)):
        for _ in range(2):
            background.clear_top_ups(make.work("billing.clear_top_ups"))

    assert TopUpState.POSTED is make.as_it_is(top_up).state
    assert (usd(0), usd(500_00)) == (pending(session, lab), available(session, lab))


def test_a_debit_that_comes_back_takes_pending_then_available_then_is_owed(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    organisation = OrganisationId(lab.organisation())
    first, second = debited(lab, usd(500_00)), debited(lab, usd(300_00))

    def come_back(top_up: TopUp) -> None:
        with transaction() as tx:
            service.return_top_up(
                tx,
                top_up.payment_intent_id or "",
                amount=top_up.amount,
                balance_transaction_id=f"txn_back_{top_up.id.hex}",
                on=book.book_today(),
            )

    come_back(first)
    come_back(first)
    assert (TopUpState.RETURNED, usd(300_00)) == (
        make.as_it_is(first).state,
        pending(session, lab),
    )
    with clock.shifted(timedelta(days=6)):
        background.clear_top_ups(make.work("billing.clear_top_ups"))
        with transaction() as tx:
            book.reserve_for_job(
                tx,
                lab_id=organisation,
                job_id=a_job(),
                amount=usd(200_00),
                source_id="quote:1",
            )
        come_back(second)

    owed = ledger.balance(session, f"A:receivable:lab:{organisation}:USD")
    assert (usd(0), usd(200_00)) == (available(session, lab), owed)
    with transaction() as tx:
        assert [] == queries.broken_invariants(tx)


def test_a_cash_balance_at_stripe_is_its_customers(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    organisation = OrganisationId(lab.organisation())
    customer = background.stripe_customer(organisation)
    assert customer == background.stripe_customer(organisation)
    stripe.controls.fund_customer(customer, 250_00, "usd", "")
    stranger = stripe.sdk.v1.customers.create({"name": "Nobody of ours"})
    stripe.controls.fund_customer(stranger.id, 70_00, "usd", "")

    lines = stripe.sdk.v1.balance_transactions.list({"type": "payment_unreconciled"}).data
    for line in [*lines, *lines]:
        background.post_line(make.work("billing.post_line"), bt=line.id)
    ours = next(line for line in lines if line.amount == 250_00)
    background.receive_stripe_cash(
        make.work("billing.receive_stripe_cash"), cash_id=str(ours.source)
    )

    assert (usd(250_00), usd(320_00)) == (
        available(session, lab),
        ledger.balance(session, "A:stripe:balance:USD"),
    )
    assert usd(70_00) == ledger.balance(session, "L:unapplied:USD")
    with transaction() as tx:
        staff = make.a_lab(tx)
        seen = type(staff)(staff.person_id, None, frozenset({"finance.view"}))
        waiting = queries.cash_receipts(tx, seen, state=CashState.UNAPPLIED)
    assert [usd(70_00)] == [receipt.left for receipt in waiting]


def test_a_line_leads_to_its_top_up(session: Session, stripe: Stripe) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))
    (line,) = stripe.sdk.v1.balance_transactions.list().data

    background.post_line(make.work("billing.post_line"), bt=line.id)

    posted = make.as_it_is(top_up)
    assert (TopUpState.POSTED, line.id) == (posted.state, posted.balance_transaction_id)
    assert zero("USD") != posted.fee
