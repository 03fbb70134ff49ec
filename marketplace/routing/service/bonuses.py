"""Bonuses: what a lab gives beyond the price of a submission, never taken back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, OrganisationId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.review.models import Bonus
from marketplace.review.rules import AccrualKind
from marketplace.review.service.pay import accrual_of
from marketplace.routing.service.budgets import spend_on_bonus
from marketplace.work import queries as work
from marketplace.work.rules import SubmissionState

WORDS_MIN = 3
WORDS_MAX = 500
# A slip of the keyboard is not meant: more than this many times the pay is asked about first.
TIMES_PAY_MAX = 20
GIVEN = frozenset({SubmissionState.ACCEPTED, SubmissionState.SURPLUS_ACCEPTED})


def give_bonus(
    session: Session,
    actor: Actor,
    submission_id: SubmissionId,
    amount: Money,
    *,
    words: str,
    once_key: str,
    clearance_days: int,
) -> Bonus:
    """Rule 10: pay a submission's author a bonus out of what the lab has available, with our fee.

    once_key: of the page or call that asked, so that asking twice gives one. It counts
    against the giver's limit. Raises Faulty for an amount or words that do not fit, Conflict for
    work that is not accepted, SpendingRefused and InsufficientFunds.
    """
    actor.require(Permission.JOBS_PUBLISH)
    submission = work.submission_of(session, actor, submission_id).submission
    known = session.scalars(select(Bonus).where(Bonus.once_key == _key(actor, once_key))).first()
    if known is not None:
        return known
    if submission.state not in GIVEN:
        raise Conflict("A bonus is for work that was accepted.")
    job = session.get_one(Job, submission.job_id)
    _check(amount, submission.pay, words)
    fee = amount.portion(job.fee_basis_points or 0)
    lab = OrganisationId(job.organisation_id)
    spend_on_bonus(session, actor, lab, amount + fee)
    bonus = Bonus(
        id=new_id(),
        submission_id=submission.id,
        job_id=JobId(job.id),
        organisation_id=lab,
        specialist_id=submission.specialist_id,
        amount_minor=amount.minor,
        fee_minor=fee.minor,
        currency=amount.currency,
        words=words.strip(),
        once_key=_key(actor, once_key),
        given_by=actor.person(),
        given_at=clock.now(),
    )
    session.add(bonus)
    session.flush()  # A second one of the same key is refused before the book is asked.
    _post(session, bonus, fee, job, clearance_days)
    _tell(session, actor, bonus, job)
    return bonus


def _post(session: Session, bonus: Bonus, fee: Money, job: Job, clearance_days: int) -> None:
    """Its pay, which clears like any other, and its entries."""
    to = bonus.specialist_id
    accrual = accrual_of(AccrualKind.BONUS, bonus.amount, job, to, clearance_days)
    accrual.bonus_id = bonus.id
    session.add(accrual)
    session.flush()  # The book's locks come last.
    ledger.pay_bonus(
        session,
        lab_id=OrganisationId(bonus.organisation_id),
        specialist_id=to,
        bonus=bonus.amount,
        fee=fee,
        source_id=bonus.id,
    )


def _key(actor: Actor, once_key: str) -> str:
    return f"{actor.organisation()}:{once_key}"


def _check(amount: Money, pay: Money, words: str) -> None:
    faults = []
    if amount.currency != pay.currency:
        faults.append(Fault("/amount/currency", f"The job pays in {pay.currency}."))
    elif amount.minor <= 0 or (pay and amount > pay * TIMES_PAY_MAX):
        most = pay * TIMES_PAY_MAX
        faults.append(Fault("/amount", f"Give an amount above zero and of at most {most}."))
    if not WORDS_MIN <= len(words.strip()) <= WORDS_MAX:
        faults.append(Fault("/words", "Say in a sentence what it is for; the specialist reads it."))
    if faults:
        raise Faulty("This bonus cannot be given.", faults)


def _tell(session: Session, actor: Actor, bonus: Bonus, job: Job) -> None:
    facts = {"amount_minor": bonus.amount_minor, "currency": bonus.currency}
    audit.record(session, actor, "gave a bonus", bonus.submission_id, bonus=bonus.id, **facts)
    outbox.announce(
        session,
        "bonus.given",
        bonus.id,
        facts | {"submission_id": str(bonus.submission_id)},
        organisation_id=job.organisation_id,
        job_id=JobId(job.id),
        person_id=bonus.specialist_id,
    )
    to = identity.addressees(session, [bonus.specialist_id]).get(bonus.specialist_id)
    if to is not None:
        mail.send(
            session,
            to=to.email,
            template="bonus_given",
            name=to.name,
            amount=str(bonus.amount),
            words=bonus.words,
            job=job.title,
            path="/work/earnings",
        )
