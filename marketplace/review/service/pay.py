"""Pay: what acceptance earns, what a task earns that cannot be done, and when it clears."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import AccrualId, JobId, OrganisationId, PersonId, new_id
from marketplace.jobs.models import Job
from marketplace.ledger import service as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.review import rules
from marketplace.review.models import Accrual
from marketplace.review.rules import AccrualKind
from marketplace.work import queries as work
from marketplace.work.models import Claim, Outcome, Submission
from marketplace.work.rules import CANNOT_COMPLETE_PAID_A_DAY, OutcomeKind, reward


def earn(session: Session, submission: Submission, job: Job, clearance_days: int) -> None:
    """Pay for a submission that was accepted just now: from the job's reserve, or for a surplus
    answer from what is set aside beyond it."""
    pay = submission.pay
    surplus = submission.is_surplus
    kind = AccrualKind.SURPLUS if surplus else AccrualKind.ACCEPTED
    accrual = accrual_of(kind, pay, job, submission.specialist_id, clearance_days)
    accrual.submission_id = submission.id
    session.add(accrual)
    session.flush()  # Refused acceptances must not reach the ledger's locks.
    if not pay:
        return
    fee = pay.portion(job.fee_basis_points or 0)
    if surplus:
        ledger.pay_beyond_quote(
            session,
            SourceKind.SURPLUS,
            submission.id,
            lab_id=OrganisationId(job.organisation_id),
            job_id=JobId(job.id),
            specialist_id=submission.specialist_id,
            reward=pay,
            fee=fee,
        )
        return
    ledger.accept_work(
        session,
        job_id=submission.job_id,
        specialist_id=submission.specialist_id,
        submission_id=submission.id,
        round_number=submission.round,
        reward=pay,
        fee=fee,
    )


def pay_outcome(
    session: Session, outcome: Outcome, job: Job, *, clearance_days: int
) -> Accrual | None:
    """Pay the job's declared share for a task that cannot be done, or what was done by who stopped
    for their own sake; None where it pays nothing.

    At most five such reports of a person are paid for a job in 24 hours. Reporting locks the job,
    so that two reports at once are counted one after the other.
    """
    claim = session.get_one(Claim, outcome.claim_id)
    if outcome.kind is OutcomeKind.CANNOT_COMPLETE:
        pay = _share_for_trying(claim, job)
    elif outcome.kind is OutcomeKind.OPTED_OUT:
        pay = _share_done(session, claim, job)
    else:
        return None
    if not pay or _paid_of_late(session, outcome) >= CANNOT_COMPLETE_PAID_A_DAY:
        return None
    kind = AccrualKind.CANNOT_COMPLETE
    accrual = accrual_of(kind, pay, job, outcome.specialist_id, clearance_days)
    accrual.outcome_id = outcome.id
    session.add(accrual)
    session.flush()  # A second pay for the same report is refused here.
    ledger.pay_beyond_quote(
        session,
        SourceKind.CANNOT_COMPLETE,
        outcome.id,
        lab_id=OrganisationId(job.organisation_id),
        job_id=JobId(job.id),
        specialist_id=outcome.specialist_id,
        reward=pay,
        fee=pay.portion(job.fee_basis_points or 0),
    )
    return accrual


def _share_for_trying(claim: Claim, job: Job) -> Money:
    """The share of the pay for a task; of an hourly task, of the pay for its expected time."""
    whole = reward(claim.pay, job.expected_seconds, claim.paid_seconds_max)
    return whole.portion(int(job.cannot_complete_ratio * 10_000))


def _share_done(session: Session, claim: Claim, job: Job) -> Money:
    """The pay for the time that was worked, as a part of the expected time, or for the turns that
    were held, whichever is more. Judging what was held counts as one turn; never more than all.
    """
    view = work.view_of(session, claim)
    whole = reward(claim.pay, job.expected_seconds, claim.paid_seconds_max)
    by_time = Fraction(view.working_seconds, job.expected_seconds)
    turns = len(view.payload.get("conversation", {}).get("turns", []))
    # Where no turn must be held, holding one is still not all of the work.
    by_turns = Fraction(turns, max(1, view.template.get("turns_min", 1)) + 1)
    return whole.portion(int(min(Fraction(1), max(by_time, by_turns)) * 10_000))


def _paid_of_late(session: Session, outcome: Outcome) -> int:
    paid = (
        select(func.count())
        .select_from(Outcome)
        .join(Accrual, Accrual.outcome_id == Outcome.id)
        .where(Outcome.specialist_id == outcome.specialist_id, Outcome.job_id == outcome.job_id)
        .where(Outcome.reported_at > clock.now() - timedelta(hours=24))
    )
    return session.scalar(paid) or 0


def accrual_of(
    kind: AccrualKind, pay: Money, job: Job, specialist_id: PersonId, clearance_days: int
) -> Accrual:
    """Pay that is earned now, without its cause; the caller names that and adds it."""
    at = clock.now()
    return Accrual(
        id=AccrualId(new_id()),
        kind=kind,
        job_id=job.id,
        specialist_id=specialist_id,
        amount_minor=pay.minor,
        currency=pay.currency,
        accrued_at=at,
        clears_at=rules.clears_at(at, clearance_days),
    )


def clear_next_due(session: Session) -> bool:
    """Make the pay available whose date came first; False when none is due."""
    accrual = session.scalar(
        select(Accrual)
        .where(Accrual.cleared_at.is_(None), Accrual.reversed_at.is_(None))
        .where(Accrual.clears_at <= clock.now())
        .order_by(Accrual.clears_at)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if accrual is None:
        return False
    accrual.cleared_at = clock.now()
    if accrual.amount:
        ledger.clear_pay(
            session,
            specialist_id=accrual.specialist_id,
            accrual_id=accrual.id,
            amount=accrual.amount,
        )
    return True
