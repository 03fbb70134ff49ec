"""Endings that are no answers: what they earn, when a task is dropped, when gaps pause a job."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Faulty
from marketplace.ids import ClaimId, JobId
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.work import queries
from marketplace.work.models import Claim, Outcome, Seat, Task
from marketplace.work.rules import (
    CANNOT_COMPLETE_PAID_A_DAY,
    ClaimState,
    OutcomeKind,
    SeatState,
    TaskState,
)
from tests.make import specialists
from tests.make import work as make


def report(
    session: Session,
    person: Actor,
    claim: Claim,
    kind: OutcomeKind = OutcomeKind.CANNOT_COMPLETE,
    evidence: str = "Both answers are empty.",
) -> routing.Reported:
    return routing.report_outcome(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        kind=kind,
        evidence=evidence,
        clearance_days=7,
    )


def reported(session: Session, job: Job, **more: Any) -> routing.Reported:
    """A report by somebody who has not been there yet."""
    person = specialists.doctor(session)
    return report(session, person, make.claimed(session, person, job), **more)


def test_a_task_that_cannot_be_done_earns_the_declared_share(session: Session) -> None:
    _, job = make.published(session, cannot_complete_ratio=0.2, contingency_ratio=0.5)
    doctor = specialists.doctor(session)

    told = report(session, doctor, make.claimed(session, doctor, job))

    pending = ledger.specialist_balances(session, doctor.person())["USD"].pending
    assert Money(90, "USD") == told.earned == pending
    spare = ledger.job_money(session, JobId(job.id), "USD").contingency
    assert Money(8_10 - 1_08, "USD") == spare
    assert [] == ledger.broken_invariants(session)


def test_without_a_declared_share_a_report_earns_nothing(session: Session) -> None:
    _, job = make.published(session)

    assert reported(session, job).earned is None


def test_a_persons_reports_are_paid_only_so_often(session: Session) -> None:
    items = CANNOT_COMPLETE_PAID_A_DAY + 1
    _, job = make.published(session, items=items, cannot_complete_ratio=0.5)
    doctor = specialists.doctor(session)

    earned = [
        report(session, doctor, make.claimed(session, doctor, job)).earned for _ in range(items)
    ]

    assert [Money(2_25, "USD")] * CANNOT_COMPLETE_PAID_A_DAY + [None] == earned


def test_who_reported_a_task_is_not_offered_it_again(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)

    report(session, doctor, make.claimed(session, doctor, job))

    assert routing.claim_next(session, doctor, job_id=JobId(job.id)) is None


def test_two_people_who_cannot_do_a_task_end_it(session: Session) -> None:
    _, job = make.published(session, items=1, overlap_min=3, overlap_max=3)

    first, second = reported(session, job), reported(session, job)

    task = session.get_one(Task, second.outcome.task_id)
    assert first.outcome.task_id == task.id
    assert (TaskState.FINAL, 0, True) == (task.state, task.wanted, task.dropped_at is not None)
    seats = session.scalars(select(Seat.state).where(Seat.task_id == task.id)).all()
    assert [SeatState.CLOSED] * 3 == list(seats)
    assert routing.claim_next(session, specialists.doctor(session), job_id=JobId(job.id)) is None


def test_one_person_twice_is_one_voice(session: Session) -> None:
    _, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    report(session, doctor, claim, OutcomeKind.GUIDELINE_GAP, "Which guideline holds here?")
    assert TaskState.OPEN is session.get_one(Task, claim.task_id).state

    reported(session, job)

    assert TaskState.OPEN is session.get_one(Task, claim.task_id).state


def test_what_is_in_hand_of_a_dropped_task_still_counts(session: Session) -> None:
    lab, job = make.published(session, items=1, overlap_min=3, overlap_max=3, review_sample_ratio=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    reported(session, job)
    reported(session, job)

    submission = routing.submit_and_claim_next(
        session,
        doctor,
        ClaimId(claim.id),
        fence=claim.fence,
        envelope=make.answer(),
        wants_next=False,
    ).submission

    task = session.get_one(Task, claim.task_id)
    assert (TaskState.FILLED, 1, 1) == (task.state, task.wanted, task.counted)
    make.decided(session, lab, submission)
    assert TaskState.FINAL is task.state


def test_closing_returns_the_money_of_a_dropped_task(session: Session) -> None:
    lab, job = make.published(session, items=1, contingency_ratio=0.25)
    reported(session, job)
    reported(session, job)

    routing.close_job(session, lab, JobId(job.id))

    assert Money(0, "USD") == ledger.job_balance(session, JobId(job.id), "USD")
    assert [] == ledger.broken_invariants(session)


def gap(session: Session, job: Job, evidence: str = "It does not say what a tie is.") -> Outcome:
    return reported(session, job, kind=OutcomeKind.GUIDELINE_GAP, evidence=evidence).outcome


def test_a_gap_that_repeats_pauses_the_job(session: Session) -> None:
    _, job = make.published(session, items=5)
    gap(session, job)
    gap(session, job)
    assert JobState.OPEN is job.state

    gap(session, job)

    assert (JobState.PAUSED, PauseReason.GUIDELINE) == (job.state, job.pause_reason)


def test_one_person_does_not_pause_a_job(session: Session) -> None:
    _, job = make.published(session, items=5)
    doctor = specialists.doctor(session)

    for _ in range(4):
        claim = make.claimed(session, doctor, job)
        report(session, doctor, claim, OutcomeKind.GUIDELINE_GAP, "What is a tie here?")

    assert JobState.OPEN is job.state


def test_gaps_long_ago_do_not_pause_a_job(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.routing.service.endings.GAP_WINDOW_ENDS", 3)
    _, job = make.published(session, items=6)
    gap(session, job)
    make.submitted(session, specialists.doctor(session), job)
    gap(session, job)

    gap(session, job)

    assert JobState.OPEN is job.state


def test_closing_gaps_adds_to_the_instructions_and_resumes(session: Session) -> None:
    lab, job = make.published(session, items=5)
    gaps = [gap(session, job) for _ in range(3)]
    before = job.template_version_id

    closed = routing.close_gaps(
        session,
        lab,
        JobId(job.id),
        [each.id for each in gaps],
        note="Call it a tie when both are safe.",
        resume=True,
    )

    assert (3, JobState.OPEN) == (closed, job.state)
    version = session.get_one(TemplateVersion, job.template_version_id)
    assert before != version.id
    assert "Call it a tie when both are safe." in version.instructions_md
    states = session.scalars(select(Claim.state).where(Claim.job_id == job.id)).all()
    assert [ClaimState.RELEASED] * 3 == list(states)


def test_a_closed_gap_lets_its_reporter_have_the_task_again(session: Session) -> None:
    lab, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    said = "It does not say what a tie is."
    outcome = report(session, doctor, claim, OutcomeKind.GUIDELINE_GAP, said).outcome

    routing.close_gaps(
        session, lab, JobId(job.id), [outcome.id], note="Call it a tie when both are safe."
    )

    again = make.claimed(session, doctor, job)
    assert claim.task_id == again.task_id
    assert claim.template_version_id != again.template_version_id


def test_a_gap_is_closed_once_and_with_a_note(session: Session) -> None:
    lab, job = make.published(session, items=2)
    ids = [gap(session, job).id]
    with pytest.raises(Faulty):
        routing.close_gaps(session, lab, JobId(job.id), ids, note="ok")
    routing.close_gaps(session, lab, JobId(job.id), ids, note="Both safe means a tie.")

    with pytest.raises(Conflict):
        routing.close_gaps(session, lab, JobId(job.id), ids, note="Both safe means a tie.")


def test_a_report_needs_its_evidence(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    with pytest.raises(Faulty):
        report(session, doctor, claim, evidence="no")

    assert ClaimState.LIVE is claim.state


def test_a_late_report_leaves_the_seat_to_its_holder(session: Session) -> None:
    lab, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    make.lapsed(session, claim)
    theirs = make.claimed(session, specialists.doctor(session), job)

    report(session, doctor, claim)

    assert ClaimState.REPORTED is claim.state
    assert SeatState.CLAIMED is session.get_one(Seat, theirs.seat_id).state
    told = queries.progress_of(session, lab, JobId(job.id))
    assert (1, 1) == (told.cannot_complete, told.seats_claimed)
    assert [] == queries.broken_invariants(session)
