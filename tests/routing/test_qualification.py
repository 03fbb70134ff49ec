"""The life of an attempt: begun, answered, marked, paid, and all that may come between."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Faulty
from marketplace.ids import ClaimId, JobId, OrganisationId
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules.qualification import Feedback
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.quality import queries as quality
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.routing import service
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.specialists.rules.qualifications import AttemptState, CoolingDown
from marketplace.work import service as work
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import ClaimState, SeatState, SubmissionState, TaskState
from tests.make import identity
from tests.make import jobs as make_jobs
from tests.make import qualification as make
from tests.make import work as make_work

RIGHT = "aaaa"
EACH = 5_40  # $4.50 for the specialist and a fee of a fifth.


def moved(session: Session, attempt: QualificationResult, **by: float) -> None:
    """Let an attempt lie further back in time."""
    span = timedelta(**by)
    attempt.started_at -= span
    attempt.due_at -= span
    if attempt.finished_at:
        attempt.finished_at -= span
    if attempt.expires_at:
        attempt.expires_at -= span
    session.flush()


def end_what_is_over(session: Session) -> None:
    for attempt_id in service.attempts_to_end(session):
        service.end_attempt(session, attempt_id)
    session.flush()


def reserved(session: Session, job: Job) -> int:
    return ledger.job_balance(session, JobId(job.id), "USD").minor


def seats(session: Session, job: Job) -> list[SeatState]:
    return list(session.scalars(select(Seat.state).where(Seat.job_id == job.id)))


def test_publishing_reserves_what_all_candidates_cost_and_opens_no_seat(session: Session) -> None:
    _, job = make.published(session, candidates_max=3)

    assert 3 * 4 * EACH == reserved(session, job)
    assert [] == seats(session, job)
    assert job.items_seated == job.item_count


def test_all_right_passes_and_stands_for_its_days(session: Session) -> None:
    _, job = make.published(session, valid_days=90)
    person = identity.specialist(session)

    attempt = make.sat(session, person, job, RIGHT)

    assert (AttemptState.SCORED, Decimal(1), True) == (
        attempt.state,
        attempt.score,
        attempt.passed,
    )
    assert attempt.finished_at
    assert attempt.expires_at == attempt.finished_at + timedelta(days=90)
    assert {job.id} == attempts.passed_ids(session, person.person(), [job.id])


def test_the_score_is_told_by_concept(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    for _ in range(4):
        claim = make_work.claimed(session, person, job)
        item = make.item_of(session, person, ClaimId(claim.id))
        concept = next(
            each.concept for each in quality.attempt_items(session, attempt) if each.item_id == item
        )
        make_work.submit(
            session, person, claim, make_work.answer("a" if concept == "dosing" else "b")
        )
        service.end_if_answered(session, person.person(), job)

    assert {
        "dosing": {"items": 2, "score": 1.0},
        "triage": {"items": 2, "score": 0.0},
    } == attempt.by_concept
    assert (Decimal("0.5"), False, None) == (attempt.score, attempt.passed, attempt.expires_at)


def test_an_attempt_that_failed_is_paid_like_one_that_passed(session: Session) -> None:
    lab, job = make.published(session)
    person = identity.specialist(session)
    make.sat(session, person, job, "bbbb")

    while review.accept_next_arrived(session, clearance_days=7):
        continue

    assert 4 * 4_50 == ledger.specialist_balances(session, person.person())["USD"].pending.minor
    assert 2 * 4 * EACH == reserved(session, job)
    service.close_job(session, lab, JobId(job.id))
    assert 0 == reserved(session, job)


def test_nobody_may_reject_answers_of_a_qualification(session: Session) -> None:
    lab, job = make.published(session)
    make.sat(session, identity.specialist(session), job, RIGHT)
    submission = session.scalars(select(Submission)).first()
    assert submission is not None

    with pytest.raises(Conflict, match="paid for the effort"):
        make_work.decided(session, lab, submission, Verdict.REJECT)
    assert SubmissionState.SUBMITTED == submission.state


def test_starting_twice_gives_the_same_attempt(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)

    first, again = (make.started(session, person, job) for _ in range(2))

    assert first.id == again.id
    assert 4 * [SeatState.OPEN] == seats(session, job)


def test_seats_wait_for_their_candidate_alone(session: Session) -> None:
    _, job = make.published(session)
    make.started(session, identity.specialist(session), job)

    assert None is service.claim_next(session, identity.specialist(session), job_id=JobId(job.id))


def test_a_second_attempt_waits_and_then_brings_other_items(session: Session) -> None:
    _, job = make.published(session, cooldown_days=14)
    person = identity.specialist(session)
    first = make.sat(session, person, job, "bbbb")

    with pytest.raises(CoolingDown):
        make.started(session, person, job)
    moved(session, first, days=14)
    second = make.sat(session, person, job, RIGHT)

    assert (2, True) == (second.attempt, second.passed)
    assert not set(first.by_item) & set(second.by_item)


def test_two_candidates_of_one_form_share_its_tasks(session: Session) -> None:
    _, job = make.published(session, forms=1, items_a_form=4, lines=make.bank(4))
    for _ in range(2):
        make.sat(session, identity.specialist(session), job, RIGHT)

    tasks = session.scalars(select(Task).where(Task.job_id == job.id)).all()

    assert 4 * [(2, 2, TaskState.FILLED)] == [(t.wanted, t.counted, t.state) for t in tasks]


def test_no_more_attempts_than_are_paid_for(session: Session) -> None:
    lab, job = make.published(session, candidates_max=1)
    make.started(session, identity.specialist(session), job)

    with pytest.raises(jobs.NoPlaceLeft):
        make.started(session, identity.specialist(session), job)
    service.add_places(session, lab, JobId(job.id), candidates_max=2)

    assert make.started(session, identity.specialist(session), job).attempt == 1
    assert 2 * 4 * EACH == reserved(session, job)


def test_what_is_open_when_the_time_is_over_counts_as_wrong(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    make.answered(session, person, job, "aa")
    held = make_work.claimed(session, person, job)
    moved(session, attempt, days=8)

    end_what_is_over(session)

    assert (AttemptState.SCORED, Decimal("0.5"), False) == (
        attempt.state,
        attempt.score,
        attempt.passed,
    )
    session.refresh(held)
    assert ClaimState.EXPIRED == held.state
    assert ["closed", "closed", "submitted", "submitted"] == sorted(seats(session, job))


def test_an_answer_after_the_end_is_kept_and_changes_no_mark(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    held = make_work.claimed(session, person, job)
    moved(session, attempt, days=8)
    end_what_is_over(session)
    session.refresh(held)

    late = make_work.submit(session, person, held, make_work.answer("a"))

    assert SubmissionState.SURPLUS == late.state
    assert Decimal(0) == attempt.score


def test_an_attempt_without_an_answer_gives_its_place_back(session: Session) -> None:
    _, job = make.published(session)
    attempt = make.started(session, identity.specialist(session), job)
    moved(session, attempt, days=8)

    end_what_is_over(session)

    assert (Decimal(0), False) == (attempt.score, attempt.passed)
    assert 0 == session.get_one(Qualification, job.id).places_taken


def test_an_attempt_whose_job_was_closed_is_void(session: Session) -> None:
    lab, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    make.answered(session, person, job, "a")
    service.close_job(session, lab, JobId(job.id))

    end_what_is_over(session)

    assert (AttemptState.VOID, None, None) == (attempt.state, attempt.score, attempt.passed)


def test_a_task_given_back_comes_again(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    claim = make_work.claimed(session, person, job)
    work.release_claim(session, person, ClaimId(claim.id), fence=claim.fence)
    session.flush()

    make.answered(session, person, job, RIGHT)

    assert attempt.passed


def test_a_lapsed_task_is_gone_on_with(session: Session) -> None:
    _, job = make.published(session)
    person = identity.specialist(session)
    attempt = make.started(session, person, job)
    lapsed = make_work.claimed(session, person, job)
    lapsed.expires_at = clock.now() - timedelta(seconds=1)
    session.flush()
    work.expire_leases(session)
    session.flush()
    make.answered(session, person, job, "aaa")

    progress = quality.progress_of_attempt(session, attempt)
    assert (3, lapsed.id) == (progress.answered, progress.claim_id)
    session.refresh(lapsed)
    make_work.submit(session, person, lapsed, make_work.answer("a"))
    service.end_if_answered(session, person.person(), job)

    assert attempt.passed


def linted(session: Session, lab: Actor, job: Job) -> list[str]:
    with pytest.raises(Faulty) as faulty:
        service.publish_job(
            session, lab, JobId(job.id), fee_basis_points=make_jobs.FEE_BASIS_POINTS
        )
    return [fault.message for fault in faulty.value.faults]


def test_every_item_needs_gold(session: Session) -> None:
    lab = identity.lab_owner(session)
    lines = [*make.bank(7), make_jobs.line("bare", make_jobs.pair(99))]

    told = linted(session, lab, make.drafted(session, lab, lines=lines, items_a_form=2))

    assert ["Item bare has no gold. Every item of a qualification needs its right answer."] == told


def test_a_bank_that_is_too_small_is_refused(session: Session) -> None:
    lab = identity.lab_owner(session)

    told = linted(session, lab, make.drafted(session, lab, items_a_form=5))

    assert 1 == len(told)
    assert "need 10 items; there are 8" in told[0]


def test_terms_and_items_stand_fast_once_published(session: Session) -> None:
    lab, job = make.published(session)

    with pytest.raises(Conflict):
        jobs.set_terms(session, lab, job.id, forms=1)
    with pytest.raises(Conflict):
        jobs.add_items(session, lab, job.id, make.bank(1))


def test_only_ours_may_grant_a_credential(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab)

    with pytest.raises(Exception, match="platform's own"):
        jobs.set_terms(session, lab, job.id, credential_type="coder_qualification")


def test_a_draft_may_become_ordinary_work_again(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.drafted(session, lab)

    jobs.drop_terms(session, lab, job.id)

    assert ("work", None) == (job.purpose, job.seats_max)
    assert None is session.get(Qualification, job.id)


def test_a_job_asks_for_qualifications_that_there_are(session: Session) -> None:
    lab, job = make.published(session)
    other, _ = make.published(session)

    jobs.check_qualifications(session, lab, [job.id])
    with pytest.raises(Faulty):
        jobs.check_qualifications(session, other, [job.id])


def test_a_retired_item_is_replaced_by_a_spare_of_its_concept(session: Session) -> None:
    lab, job = make.published(session, lines=make.bank(10))
    bank = quality_bank(session, job)
    spares = {concept: item for item, concept, form in bank if form is None}
    retired = next(item for item, concept, form in bank if form == 1 and concept == "dosing")

    put_in = jobs.retire_item(session, lab, job.id, retired)
    session.flush()

    assert spares["dosing"] == put_in
    assert 4 == make.started(session, identity.specialist(session), job).items
    with pytest.raises(Conflict):
        jobs.retire_item(session, lab, job.id, retired)


def quality_bank(session: Session, job: Job) -> list[tuple[UUID, str, int | None]]:
    return [(row.id, row.concept, row.form) for row in job_queries.bank_of(session, job)]


def test_explanations_are_told_only_where_the_terms_say_so(session: Session) -> None:
    told = {}
    for feedback in Feedback:
        _, job = make.published(session, feedback=feedback)
        person = identity.specialist(session)
        attempt = make.sat(session, person, job, RIGHT)
        told[feedback] = [
            each.explanation for each in quality.explanations(session, person, attempt.id)
        ]

    assert [] == told[Feedback.NONE] == told[Feedback.SCORES]
    assert 4 == len(told[Feedback.EXPLANATIONS])
    assert all(str(each).startswith("Because of number") for each in told[Feedback.EXPLANATIONS])


def test_a_lab_sees_results_under_its_pseudonyms(session: Session) -> None:
    lab, job = make.published(session)
    make.sat(session, identity.specialist(session, name="Secret Name"), job, RIGHT)

    (row,) = quality.results_of(session, lab, JobId(job.id))

    assert row.pseudonym.startswith("S-")
    assert (True, Decimal(1)) == (row.passed, row.score)
    assert 1 == quality.tally_of(session, lab, JobId(job.id)).passed


def test_a_claim_is_paid_at_the_price_it_was_claimed_at(session: Session) -> None:
    lab, job = make.published(session)
    make.started(session, identity.specialist(session), job)
    before = ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available

    service.change_job(session, lab, JobId(job.id), pay=Money(5_50, "USD"))

    after = ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available
    assert 3 * 4 * 1_20 == (before - after).minor
    assert session.scalars(select(Claim)).all() == []
