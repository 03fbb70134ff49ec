"""Builders of the book: owners are made up, money comes in by a top-up, as everywhere."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.ids import (
    AccrualId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    TransactionId,
    new_id,
)
from marketplace.ledger import service as ledger
from marketplace.money import Money, zero

A_DAY = date(2026, 5, 3)


def usd(minor: int) -> Money:
    """US dollars, in cents."""
    return Money(minor, "USD")


def a_lab() -> OrganisationId:
    """The id of a lab."""
    return OrganisationId(new_id())


def a_job() -> JobId:
    """The id of a job."""
    return JobId(new_id())


def a_specialist() -> PersonId:
    """The id of a specialist."""
    return PersonId(new_id())


def topped_up(
    session: Session,
    gross: Money,
    *,
    fee: Money | None = None,
    lab_id: OrganisationId | None = None,
    balance_transaction_id: str | None = None,
    effective_on: date = A_DAY,
) -> OrganisationId:
    """A lab whose top-up has been posted."""
    lab = lab_id or a_lab()
    ledger.record_top_up(
        session,
        lab_id=lab,
        gross=gross,
        fee=fee or zero(gross.currency),
        balance_transaction_id=balance_transaction_id or f"txn_{new_id().hex}",
        effective_on=effective_on,
    )
    return lab


def funded_job(session: Session, amount: Money, *, lab_id: OrganisationId | None = None) -> JobId:
    """A job with `amount` set aside by a lab that had exactly that."""
    lab = lab_id or topped_up(session, amount)
    job = a_job()
    ledger.reserve_for_job(session, lab_id=lab, job_id=job, amount=amount, source_id=f"quote:{job}")
    return job


def accepted(
    session: Session, job_id: JobId, specialist_id: PersonId, reward: Money, fee: Money
) -> TransactionId:
    """One accepted submission."""
    return ledger.accept_work(
        session,
        job_id=job_id,
        specialist_id=specialist_id,
        submission_id=SubmissionId(new_id()),
        round_number=1,
        reward=reward,
        fee=fee,
    )


def cleared_pay(session: Session, specialist_id: PersonId, amount: Money) -> None:
    """A specialist with `amount` more available, earned and cleared."""
    accepted(session, funded_job(session, amount), specialist_id, amount, zero(amount.currency))
    ledger.clear_pay(
        session, specialist_id=specialist_id, accrual_id=AccrualId(new_id()), amount=amount
    )


def payout_line(session: Session, specialist_id: PersonId, amount: Money) -> PayoutLineId:
    """A payout line with its money set aside."""
    cleared_pay(session, specialist_id, amount)
    line = PayoutLineId(new_id())
    ledger.reserve_payout(session, specialist_id=specialist_id, line_id=line, amount=amount)
    return line


def sent(
    session: Session,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    amount: Money,
    *,
    arrived: Money | None = None,
) -> TransactionId:
    """The confirmed transfer of a line."""
    return ledger.confirm_transfer(
        session,
        specialist_id=specialist_id,
        line_id=line_id,
        amount=amount,
        transfer_id=f"tr_{line_id.hex}",
        balance_transaction_id=f"txn_{line_id.hex}",
        connected_account=f"acct_{specialist_id.hex[16:]}",
        destination_amount=arrived or amount,
        effective_on=A_DAY,
    )
