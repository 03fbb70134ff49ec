"""Claims: one holder a seat, one seat a person, leases that lapse without losing anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Faulty, Missing
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.routing import service as routing
from marketplace.work import service
from marketplace.work.models import Claim, Draft, Seat, Task
from marketplace.work.rules import (
    AlreadySubmitted,
    ClaimState,
    DraftMoved,
    GivenBack,
    LeaseLost,
    OutcomeKind,
    SeatState,
    SubmissionState,
    TaskState,
    WrongFence,
)
from tests.make import specialists
from tests.make import work as make


def test_a_person_gets_each_task_once_and_all_of_them(session: Session) -> None:
    _, job = make.published(session, items=3, overlap_min=2, overlap_max=2)
    doctor = specialists.doctor(session)

    tasks = [make.submitted(session, doctor, job).task_id for _ in range(3)]

    assert 3 == len(set(tasks))
    assert routing.claim_next(session, doctor, job_id=JobId(job.id)) is None


def test_overlap_is_exact(session: Session) -> None:
    _, job = make.published(session, items=2, overlap_min=2, overlap_max=2)
    doctors = [specialists.doctor(session) for _ in range(3)]

    done = [
        (claim.task_id, doctor.person_id)
        for doctor in doctors
        for _ in range(2)
        if (claim := routing.claim_next(session, doctor, job_id=JobId(job.id))) is not None
    ]

    assert 4 == len(done) == len(set(done))
    counts = list(session.scalars(select(Task.wanted)))
    assert [2, 2] == counts


def test_pay_is_frozen_at_claim(session: Session) -> None:
    _, job = make.published(session)
    claim = make.claimed(session, specialists.doctor(session), job)
    job.pay_minor = 99_00

    assert 4_50 == claim.pay.minor


def test_a_released_seat_opens_for_others_with_its_draft_kept(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    service.save_draft(
        session, doctor, claim.id, fence=claim.fence, content={"judgement": {}}, if_match='"0"'
    )

    service.release_claim(session, doctor, claim.id, fence=claim.fence)

    assert claim.task_id == make.claimed(session, other, job).task_id
    assert 1 == len(session.scalars(select(Draft).where(Draft.claim_id == claim.id)).all())
    with pytest.raises(GivenBack):
        make.submit(session, doctor, claim, make.answer())


def test_another_fence_is_refused(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    with pytest.raises(WrongFence):
        service.heartbeat(session, doctor, claim.id, fence=claim.fence + 1)


def test_nobody_touches_the_claim_of_another(session: Session) -> None:
    _, job = make.published(session)
    claim = make.claimed(session, specialists.doctor(session), job)

    with pytest.raises(Missing):
        service.heartbeat(session, specialists.doctor(session), claim.id, fence=claim.fence)


def lapse(session: Session, claim: Claim) -> None:
    claim.expires_at = clock.now() - timedelta(seconds=1)
    session.flush()
    assert 1 == service.expire_leases(session)


def test_a_lapsed_lease_frees_the_seat(session: Session) -> None:
    _, job = make.published(session, items=1)
    claim = make.claimed(session, specialists.doctor(session), job)

    lapse(session, claim)

    assert ClaimState.EXPIRED is claim.state
    assert SeatState.OPEN is session.get_one(Seat, claim.seat_id).state


def test_late_work_counts_while_its_seat_is_free(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    lapse(session, claim)

    submission = make.submit(session, doctor, claim, make.answer())

    assert SubmissionState.SUBMITTED is submission.state
    assert TaskState.FILLED is session.get_one(Task, claim.task_id).state


def test_late_work_is_kept_as_surplus_when_the_seat_is_taken(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    lapse(session, claim)
    theirs = make.claimed(session, other, job)

    late = make.submit(session, doctor, claim, make.answer("b"))
    counted = make.submit(session, other, theirs, make.answer("a"))

    assert SubmissionState.SURPLUS is late.state
    assert SubmissionState.SUBMITTED is counted.state
    assert 1 == session.get_one(Task, claim.task_id).counted


def test_a_heartbeat_takes_a_lapsed_lease_up_again(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    lapse(session, claim)

    service.heartbeat(session, doctor, claim.id, fence=claim.fence)

    assert ClaimState.LIVE is claim.state
    assert claim.expires_at > clock.now()


def test_a_heartbeat_cannot_take_back_what_is_anothers(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    lapse(session, claim)
    make.claimed(session, specialists.doctor(session), job)

    with pytest.raises(LeaseLost):
        service.heartbeat(session, doctor, claim.id, fence=claim.fence)


def test_submitting_twice_is_submitting_once(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    first = make.submit(session, doctor, claim, make.answer())
    again = make.submit(session, doctor, claim, make.answer())

    assert first.id == again.id
    with pytest.raises(AlreadySubmitted):
        make.submit(session, doctor, claim, make.answer("b"))


def test_an_unfinished_answer_names_what_is_missing(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    with pytest.raises(Faulty) as refused:
        make.submit(session, doctor, claim, make.answer("neither"))

    assert ["/judgement/choice"] == [fault.pointer for fault in refused.value.faults]
    assert ClaimState.LIVE is claim.state


def test_drafts_are_revisions_on_top_of_each_other(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    def save(if_match: str, choice: str = "a") -> int:
        content = {"judgement": {"choice": choice}}
        return service.save_draft(
            session, doctor, claim.id, fence=claim.fence, content=content, if_match=if_match
        ).revision

    assert [1, 2] == [save('"0"'), save('"1"')]
    with pytest.raises(DraftMoved):
        save('"1"', "b")
    assert 2 == save('"1"')  # What is saved already is no conflict with itself.


def test_a_draft_is_taken_while_the_job_is_paused_and_the_lease_is_over(session: Session) -> None:
    lab, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    jobs.pause_job(session, lab, job.id)
    lapse(session, claim)

    draft = service.save_draft(
        session, doctor, claim.id, fence=claim.fence, content={"judgement": None}, if_match='"0"'
    )

    assert 1 == draft.revision


def test_work_in_hand_is_taken_while_the_job_is_paused(session: Session) -> None:
    lab, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    jobs.pause_job(session, lab, job.id)

    handed_in = routing.submit_and_claim_next(
        session, doctor, claim.id, fence=claim.fence, envelope=make.answer(), wants_next=True
    )

    assert SubmissionState.SUBMITTED is handed_in.submission.state
    assert handed_in.claim is None
    assert "paused" in (handed_in.reason or "")


def test_cannot_complete_frees_the_seat_and_keeps_the_reason(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    service.report_outcome(
        session,
        doctor,
        claim.id,
        fence=claim.fence,
        kind=OutcomeKind.CANNOT_COMPLETE,
        evidence="Both answers are empty.",
    )

    assert ClaimState.REPORTED is claim.state
    assert SeatState.OPEN is session.get_one(Seat, claim.seat_id).state
