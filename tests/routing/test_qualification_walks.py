"""Attempts in any order: whatever people, leases and time do, the promises hold."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Refused
from marketplace.ids import ClaimId, JobId, OrganisationId
from marketplace.jobs.models import Qualification
from marketplace.ledger import queries as ledger
from marketplace.ledger.service import InsufficientFunds
from marketplace.review import service as review
from marketplace.routing import service
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.rules.qualifications import AttemptState
from marketplace.work import service as work
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import ClaimState, SeatState, SubmissionState
from tests.make import identity
from tests.make import qualification as make

STEPS = 60
EACH = 5_40
FUNDS = 1_000_00


class Walk:
    """A qualification with three people, who do what the lot says."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.lot = Random(seed)
        self.lab, self.job = make.published(session, candidates_max=4, cooldown_days=0)
        self.people = [identity.specialist(session) for _ in range(3)]

    def step(self) -> None:
        """One thing that may happen, refused or not."""
        person = self.lot.choice(self.people)
        act = self.lot.choice(
            [self.begin, self.answer, self.answer, self.answer, self.lapse, self.time, self.give]
        )
        try:
            with self.session.begin_nested():
                act(person)
        except (Refused, InsufficientFunds):
            self.session.expire_all()
        self.session.flush()

    def begin(self, person: Actor) -> None:
        service.start_attempt(self.session, person, JobId(self.job.id))

    def answer(self, person: Actor) -> None:
        held = self.held(person) or service.claim_next(
            self.session, person, job_id=JobId(self.job.id)
        )
        if held is not None:
            self.session.flush()
            make.handed_in(self.session, person, held, self.lot.choice("aab"))

    def held(self, person: Actor) -> Claim | None:
        taken = (ClaimState.LIVE, ClaimState.EXPIRED)
        own = select(Claim).where(Claim.specialist_id == person.person(), Claim.state.in_(taken))
        return self.session.scalars(own.order_by(Claim.id).limit(1)).first()

    def give(self, person: Actor) -> None:
        held = self.held(person)
        if held is not None:
            work.release_claim(self.session, person, ClaimId(held.id), fence=held.fence)

    def lapse(self, person: Actor) -> None:
        claim = service.claim_next(self.session, person, job_id=JobId(self.job.id))
        if claim is not None:
            self.session.flush()
            claim.expires_at = clock.now() - timedelta(seconds=1)
            self.session.flush()
            work.expire_leases(self.session)

    def time(self, person: Actor) -> None:
        del person
        if self.lot.random() < 0.3:
            live = select(QualificationResult).where(QualificationResult.state == AttemptState.LIVE)
            for attempt in self.session.scalars(live):
                attempt.started_at -= timedelta(days=8)
                attempt.due_at -= timedelta(days=8)
            self.session.flush()
            for attempt_id in service.attempts_to_end(self.session):
                service.end_attempt(self.session, attempt_id)

    def check(self) -> None:
        """What must hold at any moment."""
        rows = list(self.session.scalars(select(QualificationResult)))
        terms = self.session.get_one(Qualification, self.job.id, populate_existing=True)
        assert terms.places_taken <= terms.candidates_max
        live = {row.person_id for row in rows if row.state is AttemptState.LIVE}
        open_for = self.session.scalars(
            select(Seat.reserved_for).where(Seat.state.in_([SeatState.OPEN, SeatState.CLAIMED]))
        )
        assert set(open_for) <= live
        for task in self.session.scalars(select(Task).where(Task.job_id == self.job.id)):
            assert 0 <= task.counted <= task.wanted


@pytest.mark.parametrize("seed", range(4))
def test_any_walk_keeps_the_promises_and_the_money(session: Session, seed: int) -> None:
    walk = Walk(session, seed)
    for _ in range(STEPS):
        walk.step()
        walk.check()
    while review.accept_next_arrived(session, clearance_days=7):
        continue
    session.flush()

    service.close_job(session, walk.lab, JobId(walk.job.id))
    while review.accept_next_arrived(session, clearance_days=7):
        continue
    service.settle_closed(session, JobId(walk.job.id))
    for attempt_id in service.attempts_to_end(session):
        service.end_attempt(session, attempt_id)
    service.settle_closed(session, JobId(walk.job.id))

    paid = session.scalars(
        select(Submission.id).where(Submission.state == SubmissionState.ACCEPTED)
    ).all()
    assert paid
    balance = ledger.lab_balance(session, OrganisationId(walk.lab.organisation()), "USD")
    assert 0 == balance.reserved_total.minor
    late = select(Submission.id).where(Submission.state.like("surplus%"))
    if not session.scalars(late).all():
        assert FUNDS - EACH * len(paid) == balance.available.minor
    ended = session.scalars(select(QualificationResult.state)).all()
    assert AttemptState.LIVE not in ended
