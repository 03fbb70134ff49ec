"""Delayed debits paid on the checkout's page: nothing while they are processed, pending once they
succeed, available when their window has passed; one that fails never reaches the book."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing import background
from marketplace.billing.models import TopUp
from marketplace.billing.rules import TopUpState
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from tests.make import billing as make
from tests.make.billing import Stripe
from tests.make.ledger import usd

GOOD = "000123456789"
FAILS = "000222222227"
DAY = 86_400


def balances(top_up: TopUp) -> tuple[Money, Money]:
    """Pending and available."""
    stem = f"L:lab:{top_up.organisation_id}"
    with transaction() as session:
        pending = ledger.balance(session, f"{stem}:pending:USD")
        return pending, ledger.balance(session, f"{stem}:available:USD")


def test_a_debit_is_pending_before_it_is_available(session: Session, stripe: Stripe) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))
    make.pay(top_up, GOOD)
    during = make.refresh(top_up)
    assert (usd(0), usd(0)) == balances(top_up)
    assert during.state is not TopUpState.CLEARING

    stripe.controls.advance(5 * DAY)
    after = make.refresh(top_up)

    assert (TopUpState.CLEARING, (usd(500_00), usd(0))) == (after.state, balances(top_up))
    background.clear_top_ups(make.work("billing.clear_top_ups"))
    assert (usd(500_00), usd(0)) == balances(top_up)
    with clock.shifted(timedelta(days=200)):
        background.clear_top_ups(make.work("billing.clear_top_ups"))
    assert (TopUpState.POSTED, (usd(0), usd(500_00))) == (
        make.as_it_is(top_up).state,
        balances(top_up),
    )


def test_a_debit_that_fails_posts_nothing(session: Session, stripe: Stripe) -> None:
    top_up = make.opened_top_up(make.a_lab(session), usd(500_00))
    make.pay(top_up, FAILS)
    make.refresh(top_up)

    stripe.controls.advance(5 * DAY)
    after = make.refresh(top_up)

    assert (TopUpState.FAILED, (usd(0), usd(0))) == (after.state, balances(top_up))
