"""Money after a transfer, tax withheld, and our own money: rules 5, 10, 15, 16, 19, 20, 22, 23."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.errors import Refused
from marketplace.ids import AccrualId, PayoutLineId, PersonId, SubmissionId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.rules import Leg, SourceKind
from marketplace.ledger.rules.chart import account_named
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import A_DAY, usd

STRIPE = "A:stripe:balance:USD"


def sound(session: Session) -> None:
    assert [] == queries.broken_invariants(session)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


class Sent:
    """A specialist whose line of 20.00 USD arrived as 18.40 EUR on their connected account."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.who = make.a_specialist()
        self.account = f"acct_{self.who.hex[16:]}"
        make.topped_up(session, usd(50_00))
        self.line = make.payout_line(session, self.who, usd(20_00))
        make.sent(session, self.who, self.line, usd(20_00), arrived=eur(18_40))

    def payout(self, step: str, minor: int = 18_40, payout_id: str = "po_1") -> None:
        service.record_connected_payout(
            self.session,
            step=step,
            payout_id=payout_id,
            specialist_id=self.who,
            connected_account=self.account,
            amount=eur(minor),
            effective_on=A_DAY,
        )

    def reverse(self, name: str, amount: Money, *, held: bool = False, back: int = 0) -> None:
        service.record_transfer_reversal(
            self.session,
            specialist_id=self.who,
            line_id=self.line,
            reversal_id=name,
            amount=amount,
            balance_transaction_id=f"txn_{name}",
            connected_account=self.account,
            destination_amount=eur(back),
            effective_on=A_DAY,
            held=held,
        )

    def custody(self) -> tuple[int, int, int]:
        found = queries.custody(self.session, SYSTEM)["EUR"]
        return found.connected.minor, found.to_bank.minor, found.in_connected.minor


def test_a_connected_payout_goes_out_and_scenario_18_comes_back(session: Session) -> None:
    sent = Sent(session)
    with pytest.raises(service.NothingToAnswer):  # Not created yet.
        sent.payout("paid")
    sent.payout("created")
    assert (0, 18_40, 18_40) == sent.custody()
    with pytest.raises(service.NothingToAnswer):
        sent.payout("paid", minor=18_39)
    for _ in range(2):
        sent.payout("paid")
    assert (0, 0, 0) == sent.custody()
    with pytest.raises(service.SourceReused):  # It was paid, so it cannot have failed before.
        sent.payout("failed")

    sent.payout("failed_after_paid")
    assert (18_40, 0, 18_40) == sent.custody()
    with pytest.raises(service.SourceReused):
        sent.payout("reversed")
    sent.payout("created", payout_id="po_2")
    sent.payout("failed", payout_id="po_2")
    with pytest.raises(service.InsufficientFunds):
        sent.payout("created", minor=18_41, payout_id="po_3")

    assert (18_40, 0, 18_40) == sent.custody()
    sound(session)


def test_transfers_come_back_in_parts_and_never_more_than_was_sent(session: Session) -> None:
    sent = Sent(session)
    for _ in range(2):
        sent.reverse("trr_1", usd(5_00), back=4_60)
    sent.reverse("trr_2", usd(5_00), held=True, back=4_60)
    with pytest.raises(service.NothingToAnswer):
        sent.reverse("trr_3", usd(10_01))
    with pytest.raises(service.InsufficientFunds), session.begin_nested():
        sent.reverse("trr_4", usd(10_00), back=9_21)

    found = queries.specialist_balances(session, sent.who)["USD"]
    assert (5_00, 5_00, 10_00) == (found.available.minor, found.held.minor, found.sent.minor)
    assert (9_20, 0, 9_20) == sent.custody()
    sound(session)


def test_scenario_20_a_debt_of_paid_work_is_netted_and_the_wallet_never_negative(
    session: Session,
) -> None:
    sent = Sent(session)
    accrual, submission = AccrualId(new_id()), SubmissionId(new_id())
    job = make.funded_job(session, usd(30_00), lab_id=make.topped_up(session, usd(30_00)))
    service.accept_work(
        session,
        job_id=job,
        specialist_id=sent.who,
        submission_id=submission,
        round_number=1,
        reward=usd(8_00),
        fee=usd(1_00),
    )
    service.clear_pay(session, specialist_id=sent.who, accrual_id=accrual, amount=usd(8_00))
    line = PayoutLineId(new_id())
    service.reserve_payout(session, specialist_id=sent.who, line_id=line, amount=usd(8_00))
    service.reverse_pay(
        session,
        accrual_id=accrual,
        kind=SourceKind.ACCEPT,
        source_id=f"{submission}:1",
        lab_id=make.a_lab(),
        job_id=job,
        specialist_id=sent.who,
        reward=usd(8_00),
        cleared=True,
        job_ended=False,
    )
    assert usd(8_00) == queries.specialist_balances(session, sent.who)["USD"].owed

    sent.reverse("trr_1", usd(3_00), back=2_76)

    found = queries.specialist_balances(session, sent.who)["USD"]
    assert (0, 5_00) == (found.available.minor, found.owed.minor)
    sound(session)


def test_a_bonus_is_the_labs_or_ours(session: Session) -> None:
    lab, who = make.topped_up(session, usd(11_00)), make.a_specialist()
    pay: dict[str, Any] = {"specialist_id": who, "bonus": usd(10_00), "source_id": "b-1"}
    with pytest.raises(service.InsufficientFunds):
        service.pay_bonus(session, lab_id=lab, fee=usd(1_01), **pay)
    service.pay_bonus(session, lab_id=lab, fee=usd(1_00), **pay)
    service.pay_bonus(session, lab_id=None, fee=usd(0), **(pay | {"source_id": "b-2"}))

    assert usd(20_00) == queries.specialist_balances(session, who)["USD"].pending
    assert usd(10_00) == queries.balance(session, "E:goodwill:USD")
    assert usd(1_00) == queries.balance(session, "I:platform_fee:USD")
    sound(session)


def test_tax_is_withheld_given_back_and_remitted(session: Session) -> None:
    who = make.a_specialist()
    make.cleared_pay(session, who, usd(100_00))
    line, other = PayoutLineId(new_id()), PayoutLineId(new_id())
    for each in (line, other):
        service.withhold_tax(session, specialist_id=who, amount=usd(24_00), line_id=each)
    with pytest.raises(service.NothingToAnswer):
        service.return_withholding(session, specialist_id=who, amount=usd(20_00), line_id=line)
    for _ in range(2):
        service.return_withholding(session, specialist_id=who, amount=usd(24_00), line_id=line)
    remit: dict[str, Any] = {
        "specialist_id": who,
        "amount": usd(24_00),
        "source_id": "941-2026-Q2",
        "effective_on": A_DAY,
    }
    one, two = PersonId(new_id()), PersonId(new_id())
    with pytest.raises(Refused, match="Two people"), session.begin_nested():
        service.remit_tax(session, proposed_by=one, approved_by=one, **remit)
    sound(session)
    assert usd(24_00) == queries.specialist_balances(session, who)["USD"].withheld

    service.remit_tax(session, proposed_by=one, approved_by=two, **remit)

    found = queries.specialist_balances(session, who)["USD"]
    assert (76_00, 0) == (found.available.minor, found.withheld.minor)
    sound(session)


def test_our_money_goes_round_between_bank_and_stripe(session: Session) -> None:
    make.topped_up(session, usd(100_00))
    day: dict[str, Any] = {"effective_on": A_DAY}
    service.fund_stripe(session, amount=usd(50_00), source_id="b-1", **day)
    service.record_stripe_funding(
        session, amount=usd(50_00), balance_transaction_id="txn_tu", fee=usd(50), **day
    )
    out: dict[str, Any] = {"payout_id": "po_9", "amount": usd(80_00)} | day
    with pytest.raises(service.NothingToAnswer):
        service.record_platform_payout(
            session, step="failed", balance_transaction_id="txn_f", **out
        )
    service.record_platform_payout(session, balance_transaction_id="txn_po", **out)
    service.record_bank_arrival(session, source_id="b-2", **out)
    service.record_platform_payout(
        session, balance_transaction_id="txn_po2", **(out | {"payout_id": "po_10"})
    )
    service.record_platform_payout(
        session,
        step="failed",
        balance_transaction_id="txn_f",
        **(out | {"payout_id": "po_10"}),
    )
    service.record_reserve(session, balance_transaction_id="txn_rs", amount=usd(-12_00), **day)
    service.record_reserve(session, balance_transaction_id="txn_rl", amount=usd(2_00), **day)

    found = queries.money_by_state(session, SYSTEM)["USD"]
    assert (usd(59_50), usd(10_00)) == (found.at_stripe, found.kept_back)
    assert (usd(0), usd(0)) == (found.to_bank, found.to_stripe)
    assert (usd(-50_00), usd(80_00)) == (found.at_bank, found.operating)
    cover = queries.coverage(session, SYSTEM)["USD"]
    # Stripe kept half a dollar of our own money, and a lab's hundred are owed in full.
    assert (usd(-50), usd(50)) == (cover.cover, cover.shortfall)
    sound(session)


def test_scenario_23_an_unknown_fee_is_posted_and_classified_once(session: Session) -> None:
    make.topped_up(session, usd(10_00))
    fee: dict[str, Any] = {"balance_transaction_id": "txn_fee", "amount": usd(1_25)}
    service.record_stripe_fee(session, effective_on=A_DAY, **fee)
    assert usd(1_25) == queries.balance(session, "E:stripe:unclassified:USD")

    with pytest.raises(service.NothingToAnswer):
        service.classify_fee(session, category="connect", **(fee | {"amount": usd(1_24)}))
    service.classify_fee(session, category="connect", **fee)
    with pytest.raises(service.SourceReused):
        service.classify_fee(session, category="dispute", **fee)
    service.record_stripe_fee(
        session,
        balance_transaction_id="txn_credit",
        amount=usd(-25),
        category="connect",
        effective_on=A_DAY,
    )

    assert usd(0) == queries.balance(session, "E:stripe:unclassified:USD")
    assert usd(1_00) == queries.balance(session, "E:stripe:connect_fee:USD")
    sound(session)


def test_an_adjustment_needs_two_people_evidence_and_an_open_month(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00))
    legs = [
        Leg(account_named("E:writeoff:USD"), usd(3_00)),
        Leg(account_named(STRIPE), usd(-3_00)),
    ]
    one, two = PersonId(new_id()), PersonId(new_id())
    facts: dict[str, Any] = {
        "adjustment_id": "adj-1",
        "legs": legs,
        "reason": "bank_fee",
        "evidence_sha256": "ab" * 32,
        "proposed_by": one,
        "approved_by": two,
        "effective_on": A_DAY,
    }
    with pytest.raises(Refused, match="two people"):
        service.adjust(session, **(facts | {"approved_by": one}))
    too_much = [
        Leg(account_named(f"L:lab:{lab}:available:USD"), usd(10_01)),
        Leg(account_named("I:fx_gain:USD"), usd(-10_01)),
    ]
    with pytest.raises(service.InsufficientFunds):
        service.adjust(session, **(facts | {"legs": too_much}))
    service.begin_closing(session, SYSTEM, A_DAY)
    service.adjust(session, **facts)  # This is what a month that is closing is for.
    service.close_period(session, SYSTEM, A_DAY)
    with pytest.raises(service.PeriodClosed):
        service.adjust(session, **(facts | {"adjustment_id": "adj-2"}))

    assert usd(3_00) == queries.balance(session, "E:writeoff:USD")
    sound(session)


def test_an_adjustment_in_favour_of_somebody_in_debt_pays_the_debt(session: Session) -> None:
    lab = make.topped_up(session, usd(5_00))
    make.funded_job(session, usd(5_00), lab_id=lab)
    bt = "txn_again"
    make.topped_up(session, usd(1), lab_id=lab, balance_transaction_id=bt)
    service.return_top_up(
        session,
        lab_id=lab,
        amount=usd(4_00),
        balance_transaction_id="txn_back",
        original_balance_transaction_id=bt,
        effective_on=A_DAY,
    )
    legs = [
        Leg(account_named("E:goodwill:USD"), usd(3_00)),
        Leg(account_named(f"L:lab:{lab}:available:USD"), usd(-3_00)),
    ]
    service.adjust(
        session,
        adjustment_id="adj-1",
        legs=legs,
        reason="sorry",
        evidence_sha256="ab" * 32,
        proposed_by=PersonId(new_id()),
        approved_by=PersonId(new_id()),
        effective_on=clock.now().date(),
    )

    found = queries.lab_balance(session, lab, "USD")
    assert (usd(0), usd(99)) == (found.available, found.owed)
    sound(session)


def test_scenario_33_a_transfer_worth_nothing_or_else_than_quoted_leaves_no_gap(
    session: Session,
) -> None:
    who = make.a_specialist()
    for minor, arrived in ((1, Money(0, "KWD")), (10_00, Money(3_071, "KWD"))):
        line = make.payout_line(session, who, usd(minor))
        make.sent(session, who, line, usd(minor), arrived=arrived)

    assert usd(10_01) == queries.specialist_balances(session, who)["USD"].sent
    assert Money(3_071, "KWD") == queries.custody(session, SYSTEM)["KWD"].in_connected
    moved = queries.roll_forward(session, SYSTEM, date(2026, 5, 1))
    assert all(row.ties for row in moved)
    sound(session)
