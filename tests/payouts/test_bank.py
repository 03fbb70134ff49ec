"""What the bank does after a transfer: paid, returned, never backwards, and never sent twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe as sdk
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.payouts import background, queries, rules, service
from marketplace.payouts.models import ConnectedPayout, PayeeAccount, PayoutLine
from marketplace.payouts.rules import BankState, ConnectedState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.payouts.story import one_line, postings

DAY = 86_400


def sent(session: Session, stripe: Stripe) -> PayoutLine:
    """A line whose money lies on its specialist's account at Stripe."""
    line = one_line(session, stripe)
    make.send(line)
    return make.line_now(line)


def bank_payouts(stripe: Stripe, line: PayoutLine) -> list[sdk.Payout]:
    options: sdk.RequestOptions = {"stripe_account": line.stripe_account_id}
    return list(stripe.sdk.v1.payouts.list({}, options).data)


def paid_out(stripe: Stripe, line: PayoutLine, *, days: int = 1) -> sdk.Payout:
    """The payout that Stripe makes by itself, after some days of its clock; the newest."""
    stripe.controls.advance(days * DAY)
    return bank_payouts(stripe, line)[0]


def told(line: PayoutLine, payout: sdk.Payout) -> ConnectedPayout:
    """What we know after a webhook has spoken of the payout."""
    background.read_bank_payout(
        work("payouts.read_bank_payout"),
        payout_id=payout.id,
        stripe_account_id=line.stripe_account_id,
    )
    with transaction() as tx:
        named = select(ConnectedPayout).where(ConnectedPayout.payout_id == payout.id)
        return tx.scalars(named).one()


def custody(line: PayoutLine) -> tuple[Money, Money]:
    """What lies on the specialist's account by the book, and what is on its way to the bank."""
    account = line.stripe_account_id
    with transaction() as tx:
        codes = (f"C:A:connected:{account}:USD", f"C:A:to_bank:{account}:USD")
        return ledger.balance(tx, codes[0]), ledger.balance(tx, codes[1])


def all_is_well() -> None:
    with transaction() as tx:
        assert [] == [*ledger.broken_invariants(tx), *queries.broken_invariants(tx)]


def test_a_payout_to_the_bank_is_followed_to_its_end(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    assert None is line.bank_state

    payout = paid_out(stripe, line)
    made = told(line, payout)
    assert (ConnectedState.CREATED, None) == (made.state, made.trouble)
    assert (BankState.PENDING, (usd(0), usd(90_00))) == (
        make.line_now(line).bank_state,
        custody(line),
    )

    stripe.controls.advance(DAY)
    assert ConnectedState.PAID is told(line, payout).state
    assert (BankState.PAID, (usd(0), usd(0))) == (make.line_now(line).bank_state, custody(line))
    all_is_well()


def test_scenario_10_an_older_event_changes_nothing(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    payout = paid_out(stripe, line, days=2)
    paid = told(line, payout)

    # The event is older; what it makes us fetch is as it is now.
    again = told(line, payout)
    older = rules.BankPayout(
        payout_id=payout.id,
        account=line.stripe_account_id,
        amount=usd(90_00),
        status="in_transit",
        automatic=True,
        arrives_on=None,
        trace_id=None,
        failure_code=None,
        failure_message=None,
        reversed_by=None,
        original=None,
        made_at=clock.now(),
    )
    with transaction() as tx:
        stale = service.record_bank_payout(tx, older).state

    assert {ConnectedState.PAID} == {paid.state, again.state, stale}
    assert BankState.PAID is make.line_now(line).bank_state
    assert 1 == postings(SourceKind.PO_PAID)


def test_scenario_18_a_payout_fails_after_it_was_paid(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    payout = paid_out(stripe, line, days=2)
    told(line, payout)

    stripe.controls.advance(5 * DAY)
    stripe.controls.fail_payout(payout.id, account=line.stripe_account_id)
    returned = told(line, payout)

    assert (ConnectedState.RETURNED, "account_closed") == (returned.state, returned.failure_code)
    assert (BankState.FAILED, (usd(90_00), usd(0))) == (
        make.line_now(line).bank_state,
        custody(line),
    )
    assert 1 == len(stripe.transfers())
    with transaction() as tx:
        names = select(OutboxRow.name).where(OutboxRow.name.startswith("mail"))
        assert 1 == len(tx.scalars(names).all())
    all_is_well()


def test_a_returned_payouts_money_goes_out_with_the_next_one(
    session: Session, stripe: Stripe
) -> None:
    line = sent(session, stripe)
    first = paid_out(stripe, line)
    stripe.controls.fail_payout(first.id, account=line.stripe_account_id)
    told(line, first)
    stripe.controls.enable(line.stripe_account_id)

    second = paid_out(stripe, line, days=2)
    told(line, second)

    assert first.id != second.id
    assert BankState.FAILED is not make.line_now(line).bank_state
    told(line, first)
    assert BankState.FAILED is not make.line_now(line).bank_state
    all_is_well()


def test_scenario_19_money_returns_to_a_retired_account(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    payout = paid_out(stripe, line, days=2)
    told(line, payout)
    with transaction() as tx:
        payee = tx.get_one(PayeeAccount, line.specialist_id)
        payee.disabled_reason, payee.transfers_active = "rejected.other", False

    stripe.controls.fail_payout(payout.id, account=line.stripe_account_id)
    returned = told(line, payout)

    assert "no longer uses" in (returned.trouble or "")
    with transaction() as tx:
        assert [returned.id] == [row.id for row in queries.troubled_payouts(tx, limit=10)]
    assert 1 == len(stripe.transfers())


def test_the_poll_finds_what_webhooks_lost(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    paid_out(stripe, line, days=2)

    with clock.shifted(timedelta(days=2)):
        background.poll_banks(work("payouts.poll_banks"))
        with transaction() as tx:
            named = select(OutboxRow).where(OutboxRow.name == "payouts.read_bank_payouts")
            rows = tx.scalars(named).all()
        for row in rows:
            background.read_bank_payouts(work(row.name), **row.arguments)

    assert BankState.PAID is make.line_now(line).bank_state
    assert (usd(0), usd(0)) == custody(line)


def test_scenario_42_a_word_that_we_do_not_know_is_an_exception(
    session: Session, stripe: Stripe
) -> None:
    line = sent(session, stripe)
    payout = paid_out(stripe, line)
    known = told(line, payout)
    strange = rules.BankPayout(
        payout_id=payout.id,
        account=line.stripe_account_id,
        amount=usd(90_00),
        status="being_blessed",
        automatic=True,
        arrives_on=None,
        trace_id=None,
        failure_code=None,
        failure_message=None,
        reversed_by=None,
        original=None,
        made_at=clock.now(),
    )

    with transaction() as tx:
        kept = service.record_bank_payout(tx, strange)

    assert known.state is kept.state
    assert "being_blessed" in (kept.trouble or "")
    assert None is told(line, payout).trouble


def test_the_database_lets_no_line_go_back_at_the_bank(session: Session, stripe: Stripe) -> None:
    line = sent(session, stripe)
    told(line, paid_out(stripe, line, days=2))

    back = update(PayoutLine).where(PayoutLine.id == line.id)
    for change in ({"bank_state": BankState.PENDING}, {"bank_state": None, "bank_since": None}):
        with pytest.raises(IntegrityError), transaction() as tx:
            tx.execute(back.values(**change))
