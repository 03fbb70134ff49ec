"""The desk, reconciliation, and the front page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.identity.rules import Role
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.payouts import service
from marketplace.reconciliation import background, queries
from tests.make import identity
from tests.make import ledger as book
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.billing import work as leased
from tests.make.ledger import usd
from tests.web.conftest import Browser
from tests.web.finance.conftest import Desk, Hire
from tests.web.pages import checked, text_of


def pulled(session: Session) -> None:
    """Stripe's lines and balance, as the schedule fetches them."""
    background.pull(leased("reconciliation.pull"))
    session.expire_all()


def posted_all(session: Session) -> None:
    """A top-up for each stored line that has none."""
    for line in queries.statement_lines(session, SYSTEM, limit=1_000):
        book.topped_up(
            session,
            Money(line.amount, line.currency),
            fee=Money(line.fee, line.currency),
            balance_transaction_id=line.id,
            effective_on=line.created_at.date(),
        )


@pytest.mark.parametrize("path", ["", "/reconciliation", "/payout-runs", "/accounts"])
def test_a_new_platform_is_told_what_comes_first(
    session: Session, auditor: Desk, path: str
) -> None:
    checked(auditor.browser.get(f"/finance{path}"))


def test_the_desk_ties_cash_and_says_how(session: Session, stripe: Stripe, auditor: Desk) -> None:
    stripe.fund(usd(100_00))
    pulled(session)
    before = text_of(checked(auditor.browser.get("/finance")))
    posted_all(session)
    after = text_of(checked(auditor.browser.get("/finance")))

    assert "that we have not posted: 1 charge" in before
    assert "The book ties to Stripe" in after
    assert "Every cent is explained" in after
    cash = ledger.balance(session, "A:stripe:balance:USD")
    assert f"${cash.decimal()}" in after


def test_an_old_statement_is_called_old(session: Session, stripe: Stripe, auditor: Desk) -> None:
    pulled(session)
    fresh = checked(auditor.browser.get("/finance"))

    with clock.shifted(timedelta(minutes=31)):
        stale = checked(auditor.browser.get("/finance"))
        told = checked(auditor.browser.get("/finance/reconciliation"))

    assert "This statement is old." not in fresh
    assert "This statement is old." in stale
    assert "This statement is old." in told


def test_the_desk_shows_whose_money_it_is(session: Session, stripe: Stripe, auditor: Desk) -> None:
    for minor, ready in ((90_00, True), (30_00, False)):
        make.a_specialist_to_pay(stripe, usd(minor), ready=ready)
    page = text_of(checked(auditor.browser.get("/finance")))

    assert "Specialists, available $120.00" in page
    assert "Cover: cash less what is owed $0.00" in page
    assert "Payable in USD" in page
    assert "Has not finished Stripe's form." in page


def test_a_line_without_an_answer_is_on_the_desk(
    session: Session, stripe: Stripe, auditor: Desk
) -> None:
    make.a_specialist_to_pay(stripe, usd(90_00))
    finance = make.finance(session)
    (line,) = make.lines_of(finance.released())
    with transaction() as tx:
        service.claim_line(tx, line.id)
        service.record_doubt(tx, line.id, code="api_connection_error")

    with clock.shifted(timedelta(minutes=100)):
        page = text_of(checked(auditor.browser.get("/finance")))

    assert "Being clarified 1 hour 40 minutes" in page


def test_breaks_are_shown_by_kind_with_both_sides(
    session: Session, stripe: Stripe, auditor: Desk
) -> None:
    stripe.fund(usd(100_00))
    pulled(session)
    (line,) = queries.statement_lines(session, SYSTEM)
    book.topped_up(session, usd(99_00), balance_transaction_id=line.id)
    assert "Breaks by age" not in checked(auditor.browser.get("/finance/reconciliation"))
    with clock.shifted(timedelta(days=-3)):
        book.topped_up(session, usd(7_00), balance_transaction_id="txn_nowhere")
    pulled(session)

    page = text_of(checked(auditor.browser.get("/finance/reconciliation")))
    amounts = checked(auditor.browser.get("/finance/reconciliation?kind=amount_mismatch"))
    checked(auditor.browser.get("/finance/reconciliation?kind=fee_mismatch&after=zzz"))

    assert "We have posted $7.00 that Stripe does not have" in page
    assert "Breaks by age" in page
    assert "$100.00" in amounts
    assert "$99.00" in amounts


def test_a_pull_is_asked_for_once_and_awaited(session: Session, stripe: Stripe, hire: Hire) -> None:
    reconciler = hire(Role.RECONCILER, factor=False)
    assert "Pull from Stripe now" in checked(reconciler.browser.get("/finance/reconciliation"))

    answers = [reconciler.browser.post("/finance/reconciliation/pull") for _ in range(2)]

    wanted = select(func.count()).select_from(outbox.OutboxRow)
    wanted = wanted.where(outbox.OutboxRow.name == "reconciliation.pull")
    assert 1 <= (session.scalar(wanted) or 0) <= 2  # Two only when a minute turned between them.
    where = answers[0].location
    assert "newer_than=none" in where
    waiting = checked(reconciler.browser.get(where))
    assert "Stripe is being asked." in waiting
    assert "looks=1" in waiting
    late = checked(reconciler.browser.get(f"{where}&looks=30"))
    assert "No new statement after a minute." in late
    pulled(session)
    assert "A new statement is here." in checked(reconciler.browser.get(where))


def test_who_does_not_reconcile_has_no_button(
    session: Session, preparer: Desk, auditor: Desk
) -> None:
    for desk in (preparer, auditor):
        assert "Pull from Stripe" not in checked(desk.browser.get("/finance/reconciliation"))
        assert 403 == desk.browser.post("/finance/reconciliation/pull").status_code


def test_a_cursor_of_nobody_is_refused(session: Session, stripe: Stripe, auditor: Desk) -> None:
    pulled(session)

    assert 422 == auditor.browser.get("/finance/reconciliation?lines=txn_none").status_code


def test_strangers_see_the_front_page(browser: Browser) -> None:
    assert "Post a job" in checked(browser.get("/"))


def test_everyone_else_is_led_home(session: Session, browser: Browser, preparer: Desk) -> None:
    led = preparer.browser.get("/")
    owner = browser.sign_in(session, identity.lab_owner(session)).get("/")

    assert (303, "/finance") == (led.status_code, led.location)
    assert (303, "/lab/jobs") == (owner.status_code, owner.location)
