"""A job's limits for one person, and the bounded look for a seat."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.routing import service as routing
from marketplace.routing.service import HandedIn
from marketplace.work import service
from marketplace.work.models import Claim, WorkProgress
from marketplace.work.rules import ClaimState, EnoughDone, TooManyInHand
from marketplace.work.service import claiming
from tests.make import specialists
from tests.make import work as make


def progress(session: Session, person: Actor, job: Job) -> tuple[int, int]:
    """(live, done) as they are counted beside the claims, which must agree."""
    session.expire_all()
    row = session.get_one(WorkProgress, (person.person(), job.id))
    mine = select(Claim.state).where(Claim.specialist_id == person.person(), Claim.job_id == job.id)
    states = list(session.scalars(mine))
    assert row.live == states.count(ClaimState.LIVE)
    assert row.done == states.count(ClaimState.SUBMITTED)
    return row.live, row.done


def handed_in(session: Session, person: Actor, claim: Claim) -> HandedIn:
    return routing.submit_and_claim_next(
        session, person, claim.id, fence=claim.fence, envelope=make.answer(), wants_next=True
    )


def test_as_many_tasks_in_hand_as_the_job_allows_and_no_more(session: Session) -> None:
    _, job = make.published(session, items=4)
    job.claims_live_max = 2
    doctor = specialists.doctor(session)
    first, _ = make.claimed(session, doctor, job), make.claimed(session, doctor, job)

    with pytest.raises(TooManyInHand):
        routing.claim_next(session, doctor, job_id=JobId(job.id))
    service.release_claim(session, doctor, first.id, fence=first.fence)
    session.flush()

    assert (1, 0) == progress(session, doctor, job)
    make.claimed(session, doctor, job)
    assert (2, 0) == progress(session, doctor, job)


def test_the_answer_counts_though_no_further_task_is_given(session: Session) -> None:
    _, job = make.published(session, items=4)
    job.tasks_a_person_max = 1
    doctor = specialists.doctor(session)

    given = handed_in(session, doctor, make.claimed(session, doctor, job))

    assert given.claim is None
    assert "at most one task from" in (given.reason or "")
    assert (0, 1) == progress(session, doctor, job)
    with pytest.raises(EnoughDone):
        routing.claim_next(session, doctor, job_id=JobId(job.id))


def test_a_lapsed_lease_is_counted_out_of_hand(session: Session) -> None:
    _, job = make.published(session, items=2)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    claim.expires_at = claim.claimed_at
    service.expire_leases(session)
    session.flush()

    assert (0, 0) == progress(session, doctor, job)


def test_who_finds_no_seat_in_the_windows_comes_past_the_next_ones_later(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every seat is reached, however many in a row are not for this person."""
    monkeypatch.setattr(claiming, "WINDOW", 2)
    monkeypatch.setattr(claiming, "WINDOWS_MAX", 2)
    _, job = make.published(session, items=8, overlap_min=2, overlap_max=2)
    doctor = specialists.doctor(session)
    given = handed_in(session, doctor, make.claimed(session, doctor, job))
    done = 1
    for _ in range(40):
        if given.claim is None:
            claim = routing.claim_next(session, doctor, job_id=JobId(job.id))
            if claim is None:
                continue
        else:
            claim = given.claim
        given = handed_in(session, doctor, claim)
        done += 1

    assert 8 == done
