"""A book in which every rule of the chart was used, once at least."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from marketplace.ids import AccrualId, PayoutLineId, PersonId, SubmissionId, new_id
from marketplace.ledger import service
from marketplace.ledger.rules import HoldReason, Leg, SourceKind
from marketplace.ledger.rules.chart import account_named
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import A_DAY, usd

DAY: dict[str, Any] = {"effective_on": A_DAY}


def every_rule(session: Session) -> None:
    """Post all of it; USD, EUR, JPY and KWD occur."""
    money_in(session)
    money_back(session)
    work_and_pay(session)
    debts(session)
    payouts(session)
    platform(session)


def money_in(session: Session) -> None:
    """Rules 1 to 5 and 21."""
    lab = make.topped_up(session, usd(500_00), fee=usd(14_80))
    for bt in ("txn_clears", "txn_returns"):
        service.record_top_up(
            session,
            lab_id=lab,
            gross=usd(90_01),
            fee=usd(80),
            balance_transaction_id=bt,
            pending=True,
            **DAY,
        )
    service.clear_top_up(
        session, lab_id=lab, amount=usd(90_01), balance_transaction_id="txn_clears"
    )
    service.return_top_up(
        session,
        lab_id=lab,
        amount=usd(90_01),
        balance_transaction_id="txn_returned",
        original_balance_transaction_id="txn_returns",
        fee=usd(4_00),
        **DAY,
    )
    service.record_top_up_fx(
        session,
        lab_id=lab,
        presented=Money(15_000, "JPY"),
        settled=usd(101_37),
        fee=usd(3_97),
        balance_transaction_id="txn_fx",
        **DAY,
    )
    service.receive_cash(session, amount=usd(300_00), source_id="line-1", where="bank", **DAY)
    service.apply_cash(session, lab_id=lab, amount=usd(250_00), source_id="apply-1")
    service.return_cash(session, amount=usd(20_00), source_id="back-1")
    service.fund_stripe(session, amount=usd(200_00), source_id="line-2", **DAY)
    service.record_stripe_funding(
        session, amount=usd(200_00), balance_transaction_id="txn_topup", **DAY
    )


def money_back(session: Session) -> None:
    """Rules 17 and 18, what is owed, netted and written off."""
    lab = make.topped_up(session, usd(100_00))
    for name in ("r-1", "r-2"):
        service.reserve_refund(session, lab_id=lab, amount=usd(10_00), refund_id=name)
    sent: dict[str, Any] = {"refund_id": "r-1", "amount": usd(10_00)} | DAY
    service.confirm_refund(session, balance_transaction_id="txn_refund", **sent)
    service.return_refund(session, lab_id=lab, balance_transaction_id="txn_failure", **sent)
    service.cancel_refund(session, lab_id=lab, refund_id="r-2", amount=usd(10_00))
    dispute: dict[str, Any] = {"lab_id": lab, "amount": usd(80_00)}
    for name in ("dp_won", "dp_lost"):
        service.open_dispute(
            session,
            dispute_id=name,
            fee=usd(15_00),
            balance_transaction_id=f"txn_{name}",
            **dispute,
            **DAY,
        )
    service.win_dispute(
        session, dispute_id="dp_won", balance_transaction_id="txn_back", **dispute, **DAY
    )
    service.lose_dispute(session, dispute_id="dp_lost", **dispute)
    service.write_off_receivable(
        session,
        lab_id=_owing(session),
        amount=usd(7_00),
        source_id="w-1",
        reason="closed",
        proposed_by=PersonId(new_id()),
        approved_by=PersonId(new_id()),
    )


def _owing(session: Session) -> Any:
    """A lab that owes 7.00 after a dispute about all it had and more."""
    lab = make.topped_up(session, usd(5_00))
    about: dict[str, Any] = {"lab_id": lab, "dispute_id": "dp_more", "amount": usd(12_00)}
    service.open_dispute(session, fee=usd(0), balance_transaction_id="txn_more", **about, **DAY)
    service.lose_dispute(session, **about)
    return lab


def work_and_pay(session: Session) -> None:
    """Rules 6 to 12 and 24 to 28."""
    lab, who = make.topped_up(session, usd(300_00)), make.a_specialist()
    job = make.funded_job(session, usd(100_00), lab_id=lab)
    submission, accrual = SubmissionId(new_id()), AccrualId(new_id())
    pay: dict[str, Any] = {"specialist_id": who, "reward": usd(8_00), "fee": usd(1_60)}
    service.accept_work(session, job_id=job, submission_id=submission, round_number=1, **pay)
    for kind in (
        SourceKind.SURPLUS,
        SourceKind.CANNOT_COMPLETE,
        SourceKind.OVERTURNED,
        SourceKind.FLOOR_TOP_UP,
        SourceKind.REVIEW_PAY,
        SourceKind.QUALIFICATION_PAY,
    ):
        service.pay_beyond_quote(session, kind, new_id(), lab_id=lab, job_id=job, **pay)
    service.pay_bonus(
        session, lab_id=lab, specialist_id=who, bonus=usd(5_00), fee=usd(50), source_id="b-1"
    )
    service.clear_pay(session, specialist_id=who, accrual_id=accrual, amount=usd(8_00))
    hold: dict[str, Any] = {
        "specialist_id": who,
        "amount": usd(2_00),
        "hold_id": new_id(),
        "reason": HoldReason.IDENTITY,
        "owner_person_id": PersonId(new_id()),
    }
    service.hold_pay(session, **hold)
    service.reverse_pay(
        session,
        accrual_id=accrual,
        kind=SourceKind.ACCEPT,
        source_id=f"{submission}:1",
        lab_id=lab,
        job_id=job,
        specialist_id=who,
        reward=usd(8_00),
        cleared=True,
        job_ended=False,
    )
    service.release_hold(session, **hold)  # What was owed is netted from it.
    service.release_reservation(
        session, lab_id=lab, job_id=job, amount=usd(50_00), source_id=f"close:{job}"
    )


def debts(session: Session) -> None:
    """Rule 3 where the money is gone: the lab owes it."""
    service.return_top_up(
        session,
        lab_id=_spent(session),
        amount=usd(3_00),
        balance_transaction_id="txn_spent_back",
        original_balance_transaction_id="txn_spent",
        **DAY,
    )


def _spent(session: Session) -> Any:
    lab = make.topped_up(session, usd(3_00), balance_transaction_id="txn_spent")
    job = make.funded_job(session, usd(2_00), lab_id=lab)
    service.release_reservation(
        session, lab_id=lab, job_id=job, amount=usd(2_00), source_id=f"close:{job}"
    )
    make.funded_job(session, usd(2_50), lab_id=lab)
    return lab


def payouts(session: Session) -> None:
    """Rules 13 to 16 and 23."""
    who = make.a_specialist()
    account = f"acct_{who.hex[16:]}"
    line = make.payout_line(session, who, usd(40_00))
    make.sent(session, who, line, usd(40_00), arrived=Money(36_70, "EUR"))
    service.record_transfer_reversal(
        session,
        specialist_id=who,
        line_id=line,
        reversal_id="trr_1",
        amount=usd(10_00),
        balance_transaction_id="txn_trr",
        connected_account=account,
        destination_amount=Money(9_17, "EUR"),
        held=True,
    )
    cancelled = make.payout_line(session, who, usd(5_00))
    service.cancel_payout(session, specialist_id=who, line_id=cancelled, amount=usd(5_00))
    for name, steps in {
        "po_1": ("created", "paid", "failed_after_paid"),
        "po_2": ("created", "failed"),
        "po_3": ("created", "paid", "reversed"),
    }.items():
        for step in steps:
            service.record_connected_payout(
                session,
                step=step,
                payout_id=name,
                specialist_id=who,
                connected_account=account,
                amount=Money(20_00, "EUR"),
            )
    kept, given = PayoutLineId(new_id()), PayoutLineId(new_id())
    for each in (kept, given):
        service.withhold_tax(session, specialist_id=who, amount=usd(1_20), line_id=each)
    service.return_withholding(session, specialist_id=who, amount=usd(1_20), line_id=given)
    service.remit_tax(
        session,
        specialist_id=who,
        amount=usd(1_20),
        source_id="2026-Q2",
        proposed_by=PersonId(new_id()),
        approved_by=PersonId(new_id()),
        **DAY,
    )
    kuwaiti = make.payout_line(session, who, usd(9_99))
    make.sent(session, who, kuwaiti, usd(9_99), arrived=Money(3_071, "KWD"))


def platform(session: Session) -> None:
    """Rules 19, 20 and 22, and reserves."""
    out: dict[str, Any] = {"amount": usd(30_00)} | DAY
    for name in ("po_here", "po_back"):
        service.record_platform_payout(
            session, payout_id=name, balance_transaction_id=f"txn_{name}", **out
        )
    service.record_bank_arrival(session, payout_id="po_here", source_id="line-3", **out)
    service.record_platform_payout(
        session, payout_id="po_back", step="failed", balance_transaction_id="txn_f", **out
    )
    fee: dict[str, Any] = {"balance_transaction_id": "txn_fee", "amount": usd(2_00)}
    service.record_stripe_fee(session, **fee, **DAY)
    service.classify_fee(session, category="connect", **fee)
    service.record_reserve(session, balance_transaction_id="txn_rs", amount=usd(-5_00), **DAY)
    service.adjust(
        session,
        adjustment_id="adj-1",
        legs=[
            Leg(account_named("X:trading:USD"), usd(1_37)),
            Leg(account_named("I:fx_gain:USD"), usd(-1_37)),
        ],
        reason="position",
        evidence_sha256="ab" * 32,
        proposed_by=PersonId(new_id()),
        approved_by=PersonId(new_id()),
        effective_on=A_DAY,
    )
