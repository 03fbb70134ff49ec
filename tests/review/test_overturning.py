"""Overturned verdicts: seats, pay and debts in both directions, each in one transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.ids import JobId, OrganisationId, PersonId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.ledger.rules.accounts import goodwill, lab_available, platform_fee
from marketplace.money import Money
from marketplace.payouts.service.names import OWED, hold_code
from marketplace.quality.models import Skill
from marketplace.review import queries, rules, service
from marketplace.review.models import Accrual, Decision
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.routing import service as routing
from marketplace.work import queries as work
from marketplace.work.models import Claim, Submission, Task
from marketplace.work.rules import AnsweredAgain, ClaimState, SubmissionState, TaskState
from tests.make import identity, specialists
from tests.make import work as make

WHY = "The answer names the dose, as the instructions ask."


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def overturned(
    session: Session,
    submission: Submission,
    verdict: Verdict,
    *,
    actor: Actor = SYSTEM,
    cause: OverturnCause = OverturnCause.APPEAL,
) -> Decision:
    return service.overturn(
        session,
        actor,
        SubmissionId(submission.id),
        verdict=verdict,
        cause=cause,
        note=WHY,
        clearance_days=make.CLEARANCE_DAYS,
    )


def money(session: Session, person: Actor) -> tuple[int, int, int]:
    """What a person has pending, available and owes, in minor units."""
    have = ledger.specialist_balances(session, person.person())["USD"]
    return have.pending.minor, have.available.minor, have.owed.minor


def has(session: Session, lab: Actor, job: Job) -> tuple[int, int, int]:
    """What the lab, its job, and our fees have, in minor units."""
    codes = lab_available(OrganisationId(lab.organisation()), "USD"), platform_fee("USD")
    free, fees = (ledger.balance(session, spec.code).minor for spec in codes)
    return free, ledger.job_money(session, JobId(job.id), "USD").reserved.minor, fees


def sound(session: Session) -> bool:
    session.flush()
    checks = (ledger.broken_invariants, work.broken_invariants, queries.broken_invariants)
    return [] == [said for check in checks for said in check(session)]


def cleared(session: Session) -> None:
    with clock.shifted(timedelta(days=make.CLEARANCE_DAYS, seconds=1)):
        while service.clear_next_due(session):
            continue


def paid_out(session: Session, person: Actor, amount: Money) -> None:
    facts = {"specialist_id": person.person(), "line_id": new_id(), "amount": amount}
    book.reserve_payout(session, **facts)  # type: ignore[arg-type]
    book.confirm_transfer(
        session,
        **facts,  # type: ignore[arg-type]
        transfer_id=f"tr_{new_id().hex}",
        balance_transaction_id=f"txn_{new_id().hex}",
        connected_account="acct_1",
        destination_amount=amount,
    )


def reviewed(session: Session, verdict: Verdict) -> tuple[Actor, Job, Actor, Submission]:
    """A job with one task, judged by a doctor and decided by its lab."""
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = make.submitted(session, doctor, job)
    make.decided(session, lab, submission, verdict)
    return lab, job, doctor, submission


def test_accepted_after_all_takes_the_free_seat_and_is_paid_from_the_reserve(
    session: Session,
) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.REJECT)
    before = has(session, lab, job)

    decision = overturned(session, submission, Verdict.ACCEPT)

    assert SubmissionState.ACCEPTED is submission.state
    assert TaskState.FINAL is session.get_one(Task, submission.task_id).state
    assert (4_50, 0, 0) == money(session, doctor)
    free, reserved, fees = before
    assert (free, reserved - 5_40, fees + 90) == has(session, lab, job)
    assert decision == queries.standing_decisions(session, [submission.id])[submission.id]
    assert sound(session)


def test_accepted_after_all_is_kept_beside_and_paid_where_the_seat_has_gone(
    session: Session,
) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.REJECT)
    other = make.submitted(session, specialists.doctor(session), job)
    make.decided(session, lab, other)

    overturned(session, submission, Verdict.ACCEPT)

    assert SubmissionState.SURPLUS_ACCEPTED is submission.state
    assert (4_50, 0, 0) == money(session, doctor)
    assert SubmissionState.ACCEPTED is other.state
    assert sound(session)


def test_it_is_paid_after_the_job_was_closed_and_its_money_had_gone(session: Session) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.REJECT)
    routing.close_job(session, lab, JobId(job.id))
    everything = has(session, lab, job)[0]
    make_poor(session, lab, everything - 2_00)

    overturned(session, submission, Verdict.ACCEPT)

    assert SubmissionState.SURPLUS_ACCEPTED is submission.state
    assert (4_50, 0, 0) == money(session, doctor)
    assert (0, 0, 0) == has(session, lab, job)
    assert usd(2_50) == ledger.balance(session, goodwill("USD").code)
    assert sound(session)


def make_poor(session: Session, lab: Actor, minor: int) -> None:
    """Set the lab's money aside for something else."""
    book.reserve_for_job(
        session,
        lab_id=OrganisationId(lab.organisation()),
        job_id=JobId(new_id()),
        amount=usd(minor),
        source_id=new_id(),
    )


def test_work_that_was_sent_back_is_accepted_after_all(session: Session) -> None:
    _, job, doctor, submission = reviewed(session, Verdict.REWORK)

    overturned(session, submission, Verdict.ACCEPT)

    again = session.scalars(select(Claim).where(Claim.reworks_submission_id == submission.id)).one()
    assert (SubmissionState.ACCEPTED, ClaimState.RELEASED) == (submission.state, again.state)
    assert (4_50, 0, 0) == money(session, doctor)
    assert routing.claim_next(session, doctor, job_id=JobId(job.id)) is None
    assert sound(session)


def test_of_work_that_was_done_again_the_later_round_stands(session: Session) -> None:
    _, _, doctor, submission = reviewed(session, Verdict.REWORK)
    again = session.scalars(select(Claim).where(Claim.reworks_submission_id == submission.id)).one()
    make.sampled(session, doctor, again, make.answer("b"))

    with pytest.raises(AnsweredAgain):
        overturned(session, submission, Verdict.ACCEPT)


def test_rejected_after_all_gives_back_reward_and_fee_and_opens_the_seat(
    session: Session,
) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.ACCEPT)
    free, reserved, fees = has(session, lab, job)

    overturned(session, submission, Verdict.REJECT, cause=OverturnCause.INTEGRITY)

    assert (0, 0, 0) == money(session, doctor)
    assert (free, reserved + 5_40, fees - 90) == has(session, lab, job)
    assert TaskState.OPEN is session.get_one(Task, submission.task_id).state
    other = make.submitted(session, specialists.doctor(session), job)
    make.decided(session, lab, other)
    assert sound(session)


def test_a_seat_that_opens_again_pays_no_rise_that_nobody_reserved(session: Session) -> None:
    lab, job, _, submission = reviewed(session, Verdict.ACCEPT)
    routing.change_job(session, lab, JobId(job.id), pay=usd(9_00))

    overturned(session, submission, Verdict.REJECT)
    session.flush()
    other = specialists.doctor(session)
    again = make.submitted(session, other, job)
    assert sound(session)
    make.decided(session, lab, again)

    assert (4_50, 0, 0) == money(session, other)
    assert sound(session)


def test_of_a_closed_job_the_money_goes_back_to_the_lab(session: Session) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.ACCEPT)
    routing.close_job(session, lab, JobId(job.id))
    free, _, fees = has(session, lab, job)

    overturned(session, submission, Verdict.REJECT)

    assert (0, 0, 0) == money(session, doctor)
    assert (free + 5_40, 0, fees - 90) == has(session, lab, job)
    assert sound(session)


def test_pay_that_has_cleared_comes_from_what_is_available_and_the_rest_is_owed(
    session: Session,
) -> None:
    lab, job = make.published(session, items=3, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    first, second = (make.submitted(session, doctor, job) for _ in range(2))
    make.decided(session, lab, first)
    cleared(session)
    paid_out(session, doctor, usd(4_00))
    make.decided(session, lab, second)

    overturned(session, first, Verdict.REJECT)

    assert (4_50, 0, 4_00) == money(session, doctor)
    assert OWED == hold_code(session, PersonId(doctor.person()))
    assert sound(session)
    cleared(session)
    assert (0, 50, 0) == money(session, doctor)
    assert hold_code(session, PersonId(doctor.person())) is None
    assert sound(session)


def test_a_cancelled_payout_covers_what_is_owed(session: Session) -> None:
    _, _, doctor, submission = reviewed(session, Verdict.ACCEPT)
    cleared(session)
    line = {"specialist_id": doctor.person(), "line_id": new_id(), "amount": usd(4_50)}
    book.reserve_payout(session, **line)  # type: ignore[arg-type]

    overturned(session, submission, Verdict.REJECT)
    assert (0, 0, 4_50) == money(session, doctor)
    assert usd(4_50) == ledger.specialist_balances(session, doctor.person())["USD"].payout_reserved

    book.cancel_payout(session, **line)  # type: ignore[arg-type]
    assert (0, 0, 0) == money(session, doctor)
    assert sound(session)


def test_goodwill_that_paid_gets_it_back(session: Session) -> None:
    lab, job, _, submission = reviewed(session, Verdict.REJECT)
    routing.close_job(session, lab, JobId(job.id))
    make_poor(session, lab, has(session, lab, job)[0] - 2_00)
    overturned(session, submission, Verdict.ACCEPT)

    overturned(session, submission, Verdict.REJECT, cause=OverturnCause.INTEGRITY)

    assert usd(0) == ledger.balance(session, goodwill("USD").code)
    assert (2_00, 0, 0) == has(session, lab, job)
    assert sound(session)


def test_a_verdict_goes_back_and_forth_and_each_turn_is_paid_once(session: Session) -> None:
    _, _, doctor, submission = reviewed(session, Verdict.ACCEPT)

    for verdict in (Verdict.REJECT, Verdict.ACCEPT, Verdict.REJECT, Verdict.ACCEPT):
        overturned(session, submission, verdict)
        assert sound(session)

    assert (4_50, 0, 0) == money(session, doctor)
    assert 3 == len(session.scalars(select(Accrual)).all())


def test_what_was_accepted_after_all_clears_as_if_it_had_been_at_once(session: Session) -> None:
    _, _, doctor, submission = reviewed(session, Verdict.REJECT)

    with clock.shifted(timedelta(days=make.CLEARANCE_DAYS, seconds=1)):
        overturned(session, submission, Verdict.ACCEPT)
        assert service.clear_next_due(session)

    assert (0, 4_50, 0) == money(session, doctor)


def test_where_an_appeal_lapsed_we_pay_and_nothing_is_said_of_the_work(session: Session) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.REJECT)
    before = has(session, lab, job)

    overturned(session, submission, Verdict.ACCEPT, cause=OverturnCause.APPEAL_LAPSED)

    assert SubmissionState.SURPLUS_ACCEPTED is submission.state
    assert (4_50, 0, 0) == money(session, doctor)
    assert before == has(session, lab, job)
    assert usd(4_50) == ledger.balance(session, goodwill("USD").code)
    assert [0] == list(session.scalars(select(Skill.n)))
    assert sound(session)


def test_skill_follows_the_verdict_that_stands(session: Session) -> None:
    _, _, _, submission = reviewed(session, Verdict.REJECT)
    wrong = session.scalars(select(Skill.mean)).one()

    overturned(session, submission, Verdict.ACCEPT)

    assert [1] == list(session.scalars(select(Skill.n)))
    assert wrong < session.scalars(select(Skill.mean)).one()


def test_nobody_overturns_their_own_verdict_or_one_on_their_own_work(session: Session) -> None:
    lab, _, doctor, submission = reviewed(session, Verdict.REJECT)

    with pytest.raises(rules.SameReviewer):
        overturned(session, submission, Verdict.ACCEPT, actor=lab)
    with pytest.raises(rules.OwnWork):
        overturned(session, submission, Verdict.ACCEPT, actor=doctor)
    with pytest.raises(rules.StandsAlready):
        overturned(session, submission, Verdict.REJECT)


@pytest.mark.parametrize(
    ("verdict", "mine", "why"),
    [
        (Verdict.ACCEPT, True, "decision_by_somebody_else"),
        (Verdict.REJECT, False, "decision_overturns_another"),
    ],
)
def test_the_database_refuses_the_same_reviewer_and_the_same_verdict(
    session: Session, verdict: Verdict, mine: bool, why: str
) -> None:
    lab, job, doctor, submission = reviewed(session, Verdict.REJECT)
    first = session.scalars(select(Decision)).one()
    somebody = identity.lab_owner(session)

    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        session.execute(
            insert(Decision).values(
                id=new_id(),
                submission_id=submission.id,
                job_id=job.id,
                author_id=doctor.person(),
                reviewer_id=(lab if mine else somebody).person(),
                verdict=verdict,
                defects=[],
                note=WHY,
                decided_at=clock.now(),
                overturns_id=first.id,
                cause=OverturnCause.SECOND_LOOK,
            )
        )

    diagnosed = getattr(refused.value.orig, "diag", None)
    assert why == getattr(diagnosed, "constraint_name", None)
