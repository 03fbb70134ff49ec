"""The posting rules, one story each."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied, Refused
from marketplace.ids import PayoutLineId, PersonId, SubmissionId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.models import LedgerTransaction
from marketplace.ledger.rules import HoldReason, NothingToPost
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import usd

STRIPE = "A:stripe:balance:USD"


def test_a_top_up_posts_gross_and_fee_apart(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00), fee=usd(3_20))

    assert usd(96_80) == queries.balance(session, STRIPE)
    assert usd(3_20) == queries.balance(session, "E:stripe:processing:USD")
    assert usd(100_00) == queries.lab_balance(session, lab, "USD").available


def test_a_reservation_moves_between_a_labs_two_pots(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00))
    job = make.funded_job(session, usd(60_00), lab_id=lab)

    service.release_reservation(
        session, lab_id=lab, job_id=job, amount=usd(15_00), source_id=f"close:{job}"
    )

    found = queries.lab_balance(session, lab, "USD")
    assert (usd(55_00), usd(45_00), usd(100_00)) == (
        found.available,
        found.reserved_total,
        found.total,
    )
    assert usd(45_00) == queries.job_balance(session, job, "USD")


def test_accepted_work_ends_on_the_connected_account(session: Session) -> None:
    specialist = make.a_specialist()
    job = make.funded_job(session, usd(12_00))
    make.accepted(session, job, specialist, usd(10_00), usd(2_00))

    assert usd(10_00) == queries.specialist_balances(session, specialist)["USD"].pending
    assert usd(2_00) == queries.balance(session, "I:platform_fee:USD")

    line = make.payout_line(session, specialist, usd(7_00))
    make.sent(session, specialist, line, usd(7_00), arrived=Money(6_40, "EUR"))

    found = queries.specialist_balances(session, specialist)["USD"]
    assert (usd(10_00), usd(0), usd(0), usd(7_00)) == (
        found.pending,
        found.available,
        found.payout_reserved,
        found.sent,
    )
    acct = f"C:A:connected:acct_{specialist.hex[16:]}:EUR"
    assert Money(6_40, "EUR") == queries.balance(session, acct)
    assert [] == queries.broken_invariants(session)


def test_a_conversion_to_nothing_leaves_no_custody(session: Session) -> None:
    specialist = make.a_specialist()
    line = make.payout_line(session, specialist, usd(1))

    make.sent(session, specialist, line, usd(1), arrived=Money(0, "KWD"))

    assert usd(1) == queries.specialist_balances(session, specialist)["USD"].sent


def test_a_hold_is_released_whole_and_once(session: Session) -> None:
    specialist, owner = make.a_specialist(), make.a_specialist()
    make.cleared_pay(session, specialist, usd(20_00))
    hold_id = new_id()
    held = service.hold_pay(
        session,
        specialist_id=specialist,
        amount=usd(5_00),
        hold_id=hold_id,
        reason=HoldReason.IDENTITY,
        owner_person_id=owner,
    )

    def release(amount: Money) -> None:
        service.release_hold(
            session,
            specialist_id=specialist,
            amount=amount,
            hold_id=hold_id,
            reason=HoldReason.IDENTITY,
            owner_person_id=owner,
        )

    with pytest.raises(service.NothingToAnswer):
        release(usd(4_00))
    assert usd(5_00) == queries.specialist_balances(session, specialist)["USD"].held
    release(usd(5_00))
    release(usd(5_00))

    assert usd(20_00) == queries.specialist_balances(session, specialist)["USD"].available
    reversal = session.scalar(
        select(LedgerTransaction.reverses_id).where(LedgerTransaction.source_kind == "unhold")
    )
    assert held == reversal


def test_a_payout_line_ends_once(session: Session) -> None:
    specialist = make.a_specialist()
    other = make.payout_line(session, specialist, usd(9_00))
    line = make.payout_line(session, specialist, usd(9_00))
    service.cancel_payout(session, specialist_id=specialist, line_id=line, amount=usd(9_00))

    with pytest.raises(service.SourceReused):
        make.sent(session, specialist, line, usd(9_00))

    make.sent(session, specialist, other, usd(9_00))
    assert usd(9_00) == queries.specialist_balances(session, specialist)["USD"].available


def test_a_line_that_was_never_reserved_cannot_be_sent(session: Session) -> None:
    specialist = make.a_specialist()
    make.payout_line(session, specialist, usd(9_00))

    with pytest.raises(service.NothingToAnswer):
        make.sent(session, specialist, PayoutLineId(new_id()), usd(9_00))


def test_the_same_again_is_a_replay_even_when_the_money_is_gone(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00))
    job = make.a_job()

    ids = {
        service.reserve_for_job(
            session, lab_id=lab, job_id=job, amount=usd(10_00), source_id="quote:1"
        )
        for _ in range(3)
    }

    assert 1 == len(ids)
    assert usd(0) == queries.lab_balance(session, lab, "USD").available


def test_the_same_source_with_other_content_is_a_hard_error(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00), balance_transaction_id="txn_1")

    with pytest.raises(service.SourceReused):
        make.topped_up(session, usd(10_01), lab_id=lab, balance_transaction_id="txn_1")


def test_too_little_says_what_is_there_and_what_is_needed(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00))

    with pytest.raises(service.InsufficientFunds) as refused:
        make.funded_job(session, usd(25_00), lab_id=lab)

    assert "The lab's balance has 10.00 USD available, and this needs 25.00 USD." == str(
        refused.value
    )
    assert ("insufficient_funds", usd(10_00), usd(25_00)) == (
        refused.value.code,
        refused.value.available,
        refused.value.needed,
    )
    # The refusal left nothing behind, so the transaction can go on.
    make.funded_job(session, usd(10_00), lab_id=lab)


def test_a_job_without_a_reserve_pays_nothing(session: Session) -> None:
    with pytest.raises(service.InsufficientFunds, match=r"The job's reserve has 0.00 USD"):
        make.accepted(session, make.a_job(), make.a_specialist(), usd(1), usd(0))


@pytest.mark.parametrize("minor", [0, -5])
def test_nothing_and_less_cannot_be_posted(session: Session, minor: int) -> None:
    with pytest.raises(NothingToPost):
        make.topped_up(session, usd(minor))


@pytest.mark.parametrize(
    ("currency", "gross", "rewards", "fee"),
    [("JPY", 5_000, [1_667, 1_667, 1_666], 0), ("KWD", 10_001, [3_334, 3_334, 3_333], 0)],
)
def test_currencies_of_other_exponents_divide_exactly(
    session: Session, currency: str, gross: int, rewards: list[int], fee: int
) -> None:
    amount = Money(gross, currency)
    job = make.funded_job(session, amount)

    parts = amount.share([1, 1, 1])
    for part in parts:
        make.accepted(session, job, make.a_specialist(), part, Money(fee, currency))

    assert rewards == [part.minor for part in parts]
    assert Money(0, currency) == queries.job_balance(session, job, currency)


def test_a_split_with_a_fee_is_charged_as_quoted(session: Session) -> None:
    reward = usd(100_01)
    fee = reward.portion(1_250)
    job = make.funded_job(session, reward + fee)
    weights = [1, 1, 1]
    specialists = [make.a_specialist() for _ in weights]

    for who, part, kept in zip(specialists, reward.share(weights), fee.share(weights), strict=True):
        make.accepted(session, job, who, part, kept)

    paid = [queries.specialist_balances(session, who)["USD"].pending for who in specialists]
    assert [usd(33_34), usd(33_34), usd(33_33)] == paid
    assert fee == queries.balance(session, "I:platform_fee:USD")
    assert usd(0) == queries.job_balance(session, job, "USD")


def test_wallets_of_two_currencies_never_mix(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00))
    make.topped_up(session, Money(500, "EUR"), lab_id=lab)

    with pytest.raises(service.InsufficientFunds):
        make.funded_job(session, Money(501, "EUR"), lab_id=lab)

    assert Money(500, "EUR") == queries.lab_balance(session, lab, "EUR").available


def test_a_late_top_up_takes_effect_today_when_its_month_is_closed(session: Session) -> None:
    make.topped_up(session, usd(1_00), effective_on=date(2026, 5, 3))
    service.close_period(session, SYSTEM, date(2026, 5, 20))

    make.topped_up(session, usd(2_00), effective_on=date(2026, 5, 31))

    late = session.execute(
        select(LedgerTransaction.happened_on, LedgerTransaction.effective_on)
        .order_by(LedgerTransaction.id.desc())
        .limit(1)
    ).one()
    assert (date(2026, 5, 31), clock.now().date()) == tuple(late)
    assert [] == queries.broken_invariants(session)


def test_only_a_month_that_is_over_closes_and_only_once(session: Session) -> None:
    with pytest.raises(Refused, match="once it is over"):
        service.close_period(session, SYSTEM, clock.now().date())
    service.close_period(session, SYSTEM, date(2026, 5, 20))
    with pytest.raises(service.PeriodClosed):
        service.close_period(session, SYSTEM, date(2026, 5, 1))


def test_closing_and_reading_need_their_permissions(session: Session) -> None:
    nobody = Actor(PersonId(new_id()))

    with pytest.raises(Denied):
        service.close_period(session, nobody, date(2026, 5, 20))
    with pytest.raises(Denied):
        queries.trial_balance(session, nobody)
    with pytest.raises(Denied):
        list(queries.beancount(session, nobody))


def test_a_rework_round_is_another_source(session: Session) -> None:
    job, who = make.funded_job(session, usd(10_00)), make.a_specialist()
    submission = SubmissionId(new_id())

    for round_number in (1, 1, 2):
        service.accept_work(
            session,
            job_id=job,
            specialist_id=who,
            submission_id=submission,
            round_number=round_number,
            reward=usd(4_00),
            fee=usd(0),
        )

    assert usd(8_00) == queries.specialist_balances(session, who)["USD"].pending


def test_the_sequencer_keeps_balances_the_same(session: Session) -> None:
    for days in (0, 1, 2):
        with clock.shifted(timedelta(days=days)):
            make.topped_up(session, usd(10_00), fee=usd(1))
    before = queries.balance(session, STRIPE)

    numbered = [service.number_transactions(session, limit=2) for _ in range(3)]

    assert [2, 1, 0] == numbered
    assert before == queries.balance(session, STRIPE)
    assert ([], []) == (queries.broken_invariants(session), queries.broken_links(session))
