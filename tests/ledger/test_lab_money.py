"""Labs' money: what waits, comes back, is refunded, disputed or unapplied; rules 1 to 4, 17, 18."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.errors import Refused
from marketplace.ids import OrganisationId, PersonId, new_id
from marketplace.ledger import queries, service
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import A_DAY, usd

STRIPE = "A:stripe:balance:USD"


def parts(session: Session, lab: OrganisationId, currency: str = "USD") -> tuple[int, ...]:
    """A lab's minor units: available, pending, held by disputes, owed."""
    found = queries.lab_balance(session, lab, currency)
    return found.available.minor, found.pending.minor, found.disputed.minor, found.owed.minor


def sound(session: Session) -> None:
    assert [] == queries.broken_invariants(session)


def pending_top_up(session: Session, lab: OrganisationId, amount: Money, bt: str) -> None:
    service.record_top_up(
        session,
        lab_id=lab,
        gross=amount,
        fee=Money(0, amount.currency),
        balance_transaction_id=bt,
        effective_on=A_DAY,
        pending=True,
    )


def returned(session: Session, lab: OrganisationId, amount: Money, bt: str, of: str) -> None:
    service.return_top_up(
        session,
        lab_id=lab,
        amount=amount,
        balance_transaction_id=bt,
        original_balance_transaction_id=of,
        effective_on=A_DAY,
    )


def test_a_pending_top_up_clears_once_and_whole(session: Session) -> None:
    lab = make.a_lab()
    pending_top_up(session, lab, usd(50_00), "txn_1")
    assert (0, 50_00, 0, 0) == parts(session, lab)
    with pytest.raises(service.InsufficientFunds):
        make.funded_job(session, usd(1), lab_id=lab)

    with pytest.raises(service.NothingToAnswer):
        service.clear_top_up(session, lab_id=lab, amount=usd(49_99), balance_transaction_id="txn_1")
    with pytest.raises(service.NothingToAnswer):
        service.clear_top_up(
            session, lab_id=make.a_lab(), amount=usd(50_00), balance_transaction_id="txn_1"
        )
    for _ in range(2):
        service.clear_top_up(session, lab_id=lab, amount=usd(50_00), balance_transaction_id="txn_1")

    assert (50_00, 0, 0, 0) == parts(session, lab)
    sound(session)


def test_a_payment_that_comes_back_is_taken_from_what_waits_then_what_is_there_then_owed(
    session: Session,
) -> None:
    lab = make.topped_up(session, usd(5_00))
    pending_top_up(session, lab, usd(20_00), "txn_1")
    pending_top_up(session, lab, usd(30_00), "txn_2")
    returned(session, lab, usd(20_00), "txn_back_1", "txn_1")
    # What waits of another payment is not touched.
    assert (5_00, 30_00, 0, 0) == parts(session, lab)
    with pytest.raises(service.NothingToAnswer):
        service.clear_top_up(session, lab_id=lab, amount=usd(20_00), balance_transaction_id="txn_1")

    service.clear_top_up(session, lab_id=lab, amount=usd(30_00), balance_transaction_id="txn_2")
    make.funded_job(session, usd(25_00), lab_id=lab)
    returned(session, lab, usd(30_00), "txn_back_2", "txn_2")
    returned(session, lab, usd(30_00), "txn_back_2", "txn_2")
    assert (0, 0, 0, 20_00) == parts(session, lab)
    with pytest.raises(service.SourceReused):
        returned(session, lab, usd(29_00), "txn_back_2", "txn_2")

    # The next money that comes in pays the debt first.
    make.topped_up(session, usd(15_00), lab_id=lab)
    assert (0, 0, 0, 5_00) == parts(session, lab)
    make.topped_up(session, usd(15_00), lab_id=lab)
    assert (10_00, 0, 0, 0) == parts(session, lab)
    sound(session)


def test_cash_is_applied_as_far_as_it_came(session: Session) -> None:
    lab = make.a_lab()
    service.receive_cash(
        session, amount=usd(985_00), source_id="line-1", where="bank", effective_on=A_DAY
    )
    assert usd(985_00) == queries.balance(session, "A:bank:client_funds:USD")

    with pytest.raises(service.InsufficientFunds):
        service.apply_cash(session, lab_id=lab, amount=usd(1_000_00), source_id="inv-1")
    service.apply_cash(session, lab_id=lab, amount=usd(900_00), source_id="inv-1")
    service.return_cash(session, amount=usd(80_00), source_id="back-1")

    assert usd(5_00) == queries.balance(session, "L:unapplied:USD")
    assert (900_00, 0, 0, 0) == parts(session, lab)
    sound(session)


def test_two_equal_refunds_on_a_day_are_two_and_each_ends_once(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00))
    make.funded_job(session, usd(70_00), lab_id=lab)
    one, two = str(new_id()), str(new_id())
    for refund in (one, two, one):
        service.reserve_refund(session, lab_id=lab, amount=usd(10_00), refund_id=refund)
    with pytest.raises(service.InsufficientFunds):  # The rest is the job's.
        service.reserve_refund(session, lab_id=lab, amount=usd(10_01), refund_id=str(new_id()))
    assert usd(20_00) == queries.balance(session, "L:refund_inflight:USD")

    facts: dict[str, Any] = {"amount": usd(10_00), "refund_id": one}
    sent = facts | {"balance_transaction_id": "txn_r", "effective_on": A_DAY}
    with pytest.raises(service.NothingToAnswer):
        service.confirm_refund(session, **(sent | {"amount": usd(9_99)}))
    service.confirm_refund(session, **sent)
    with pytest.raises(service.SourceReused):
        service.cancel_refund(session, lab_id=lab, **facts)
    service.cancel_refund(session, lab_id=lab, refund_id=two, amount=usd(10_00))

    assert (20_00, 0, 0, 0) == parts(session, lab)
    assert usd(90_00) == queries.balance(session, STRIPE)
    sound(session)


def test_scenario_35_a_refund_that_fails_later_is_the_labs_again_once(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00))
    service.reserve_refund(session, lab_id=lab, amount=usd(40_00), refund_id="r-1")
    back: dict[str, Any] = {
        "lab_id": lab,
        "refund_id": "r-1",
        "amount": usd(40_00),
        "balance_transaction_id": "txn_failed",
        "effective_on": A_DAY,
    }
    with pytest.raises(service.NothingToAnswer):  # It was never sent.
        service.return_refund(session, **back)
    service.confirm_refund(
        session,
        refund_id="r-1",
        amount=usd(40_00),
        balance_transaction_id="txn_r",
        effective_on=A_DAY,
    )
    for _ in range(2):
        service.return_refund(session, **back)

    assert (100_00, 0, 0, 0) == parts(session, lab)
    assert usd(100_00) == queries.balance(session, STRIPE)
    sound(session)


def disputed(session: Session, lab: OrganisationId, amount: Money, name: str) -> None:
    service.open_dispute(
        session,
        lab_id=lab,
        dispute_id=name,
        amount=amount,
        fee=usd(15_00),
        balance_transaction_id=f"txn_{name}",
        effective_on=A_DAY,
    )


def test_scenario_22_a_dispute_holds_what_the_lab_has_and_a_win_frees_it_once(
    session: Session,
) -> None:
    lab = make.topped_up(session, usd(100_00))
    specialist = make.a_specialist()
    job = make.funded_job(session, usd(70_00), lab_id=lab)
    make.accepted(session, job, specialist, usd(60_00), usd(10_00))

    disputed(session, lab, usd(100_00), "dp_1")
    disputed(session, lab, usd(100_00), "dp_1")
    assert (0, 0, 30_00, 0) == parts(session, lab)
    assert usd(100_00) == queries.balance(session, "A:dispute_receivable:USD")
    assert usd(-15_00) == queries.balance(session, STRIPE)
    assert usd(15_00) == queries.balance(session, "E:stripe:dispute_fee:USD")
    assert usd(60_00) == queries.specialist_balances(session, specialist)["USD"].pending

    make.topped_up(session, usd(1_00), lab_id=lab)
    won: dict[str, Any] = {
        "lab_id": lab,
        "dispute_id": "dp_1",
        "amount": usd(100_00),
        "balance_transaction_id": "txn_won",
        "effective_on": A_DAY,
    }
    for _ in range(2):
        service.win_dispute(session, **won)
    assert (31_00, 0, 0, 0) == parts(session, lab)
    with pytest.raises(service.SourceReused):
        service.lose_dispute(session, lab_id=lab, dispute_id="dp_1", amount=usd(100_00))
    sound(session)


def test_a_lost_dispute_is_owed_netted_and_at_last_written_off(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00))
    make.funded_job(session, usd(70_00), lab_id=lab)
    disputed(session, lab, usd(100_00), "dp_1")
    make.topped_up(session, usd(20_00), lab_id=lab)

    for _ in range(2):
        service.lose_dispute(session, lab_id=lab, dispute_id="dp_1", amount=usd(100_00))
    # Held 30, and 20 that were there by then: 50 are owed.
    assert (0, 0, 0, 50_00) == parts(session, lab)

    off: dict[str, Any] = {"lab_id": lab, "amount": usd(50_00), "source_id": "w-1", "reason": "x"}
    one, two = PersonId(new_id()), PersonId(new_id())
    with pytest.raises(Refused, match="Two people"), session.begin_nested():
        service.write_off_receivable(session, proposed_by=one, approved_by=one, **off)
    service.write_off_receivable(session, proposed_by=one, approved_by=two, **off)

    assert (0, 0, 0, 0) == parts(session, lab)
    assert usd(50_00) == queries.balance(session, "E:chargeback_loss:USD")
    assert usd(0) == queries.balance(session, "A:dispute_receivable:USD")
    sound(session)


def test_a_dispute_is_answered_only_as_it_was_opened(session: Session) -> None:
    lab = make.topped_up(session, usd(100_00))
    disputed(session, lab, usd(40_00), "dp_1")

    for other in (
        {"lab_id": make.a_lab(), "amount": usd(40_00)},
        {"lab_id": lab, "amount": usd(39_00)},
    ):
        with pytest.raises(service.NothingToAnswer):
            service.lose_dispute(session, dispute_id="dp_1", **other)  # type: ignore[arg-type]
    with pytest.raises(service.NothingToAnswer):
        service.lose_dispute(session, lab_id=lab, dispute_id="dp_2", amount=usd(40_00))
    assert (60_00, 0, 40_00, 0) == parts(session, lab)


def test_a_converted_top_up_passes_through_trading_there_and_back(session: Session) -> None:
    lab = make.a_lab()
    yen = Money(15_000, "JPY")
    service.record_top_up_fx(
        session,
        lab_id=lab,
        presented=yen,
        settled=usd(101_37),
        fee=usd(3_97),
        balance_transaction_id="txn_fx",
        effective_on=A_DAY,
        pending=True,
    )
    service.clear_top_up(session, lab_id=lab, amount=yen, balance_transaction_id="txn_fx")
    service.reserve_refund(session, lab_id=lab, amount=yen, refund_id="r-1")
    service.confirm_refund(
        session,
        refund_id="r-1",
        amount=yen,
        settled=usd(102_00),
        balance_transaction_id="txn_r",
        effective_on=A_DAY,
    )

    assert (0, 0, 0, 0) == parts(session, lab, "JPY")
    assert usd(101_37 - 3_97 - 102_00) == queries.balance(session, STRIPE)
    # What the way there and back cost is left as our position.
    assert usd(63) == queries.balance(session, "X:trading:USD")
    assert Money(0, "JPY") == queries.balance(session, "X:trading:JPY")
    sound(session)


@pytest.mark.parametrize(
    ("currency", "minor"), [("JPY", 1), ("KWD", 1), ("HUF", 1), ("TWD", 1), ("UGX", 1), ("ISK", 1)]
)
def test_scenario_32_the_remainder_of_an_odd_amount_stays_available(
    session: Session, currency: str, minor: int
) -> None:
    lab = make.topped_up(session, Money(100 * 3 + minor, currency))
    job, specialist = make.a_job(), make.a_specialist()
    reward = Money(100, currency)
    service.reserve_for_job(
        session, lab_id=lab, job_id=job, amount=reward * 3, source_id=f"q:{job}"
    )
    for _ in range(3):
        make.accepted(session, job, specialist, reward, Money(0, currency))

    assert (minor, 0, 0, 0) == parts(session, lab, currency)
    assert reward * 3 == queries.specialist_balances(session, specialist)[currency].pending


def test_what_happened_on_another_day_keeps_its_day(session: Session) -> None:
    lab = make.a_lab()
    service.receive_cash(
        session, amount=usd(1), source_id="l", where="operating", effective_on=date(2026, 2, 28)
    )
    service.apply_cash(session, lab_id=lab, amount=usd(1), source_id="a")

    february = {row.code for row in queries.trial_balance(session, SYSTEM, on=date(2026, 2, 28))}
    assert {"A:bank:operating:USD", "L:unapplied:USD"} == february
