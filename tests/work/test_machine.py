"""Claims under any order of events: overlap stays exact, every claim has one end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from marketplace import clock, db
from marketplace.errors import Refused
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.rules import JobState
from marketplace.ledger import queries as ledger
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.routing.rules import NotOpen
from marketplace.work import service
from marketplace.work.models import Claim, Seat, Submission, Task
from marketplace.work.rules import ClaimState, SeatState, SubmissionState, TaskState
from tests.make import specialists
from tests.make import work as make

ITEMS, OVERLAP, PEOPLE = 2, 2, 3
who = st.integers(0, PEOPLE - 1)
UNDECIDED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW)


class Claims(RuleBasedStateMachine):
    """One job, three doctors, any order of what they, the lab and the clock do."""

    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.outer = self.connection.begin()
        self.sessions = sessionmaker(
            self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        self.former = db.bind_sessions(self.sessions)
        self.session: Session = self.sessions()

    @initialize()
    def publish(self) -> None:
        self.lab, self.job = make.published(
            self.session,
            items=ITEMS,
            overlap_min=OVERLAP,
            overlap_max=OVERLAP,
            review_sample_ratio=0.5,
        )
        self.doctors = [specialists.doctor(self.session) for _ in range(PEOPLE)]

    def live(self, person: int) -> Claim | None:
        return self._newest(person, ClaimState.LIVE)

    def _newest(self, person: int, state: ClaimState) -> Claim | None:
        return self.session.scalar(
            select(Claim)
            .where(Claim.specialist_id == self.doctors[person].person(), Claim.state == state)
            .order_by(Claim.id.desc())
            .limit(1)
        )

    @rule(person=who)
    def claim(self, person: int) -> None:
        try:
            routing.claim_next(self.session, self.doctors[person], job_id=JobId(self.job.id))
        except NotOpen:
            assert JobState.PAUSED is self.job.state

    @rule(person=who)
    def release(self, person: int) -> None:
        claim = self.live(person)
        if claim is not None:
            service.release_claim(self.session, self.doctors[person], claim.id, fence=claim.fence)

    @rule(person=who)
    def lapse(self, person: int) -> None:
        claim = self.live(person)
        if claim is not None:
            claim.expires_at = clock.now() - timedelta(seconds=1)
            service.expire_leases(self.session)

    @rule(person=who, state=st.sampled_from([ClaimState.LIVE, ClaimState.EXPIRED]))
    def beat(self, person: int, state: ClaimState) -> None:
        claim = self._newest(person, state)
        if claim is not None:
            try:
                service.heartbeat(self.session, self.doctors[person], claim.id, fence=claim.fence)
            except Refused:
                assert ClaimState.EXPIRED is claim.state

    @rule(
        person=who,
        state=st.sampled_from([ClaimState.LIVE, ClaimState.EXPIRED, ClaimState.SUBMITTED]),
        choice=st.sampled_from(["a", "b"]),
    )
    def submit(self, person: int, state: ClaimState, choice: str) -> None:
        claim = self._newest(person, state)
        if claim is None:
            return
        try:
            routing.submit_and_claim_next(
                self.session,
                self.doctors[person],
                claim.id,
                fence=claim.fence,
                envelope=make.answer(choice),
                wants_next=False,
            )
        except Refused:
            assert ClaimState.SUBMITTED is claim.state

    @rule(verdict=st.sampled_from(list(Verdict)))
    def decide(self, verdict: Verdict) -> None:
        submission = self.session.scalar(
            select(Submission)
            .where(Submission.state == SubmissionState.IN_REVIEW)
            .order_by(Submission.id)
            .limit(1)
        )
        if submission is not None and (verdict is not Verdict.REWORK or submission.round <= 2):
            make.decided(self.session, self.lab, submission, verdict)

    @rule()
    def accept_the_rest(self) -> None:
        while review.accept_next_arrived(self.session, clearance_days=0):
            continue

    @rule()
    def pause_or_resume(self) -> None:
        if self.job.state is JobState.OPEN:
            jobs.pause_job(self.session, self.lab, self.job.id)
        else:
            routing.resume_job(self.session, self.lab, JobId(self.job.id))

    def count(self, model: Any, *conditions: Any) -> int:
        return self.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

    @invariant()
    def overlap_is_exact(self) -> None:
        self.session.flush()
        for task in self.session.scalars(select(Task)):
            mine = (Seat.task_id == task.id,)
            assert OVERLAP == self.count(Seat, *mine)
            delivered = self.count(Seat, *mine, Seat.state == SeatState.SUBMITTED)
            assert task.counted == delivered <= OVERLAP
            assert (task.counted < OVERLAP) == (task.state is TaskState.OPEN)

    @invariant()
    def seats_and_claims_agree(self) -> None:
        for seat in self.session.scalars(select(Seat)):
            live = self.count(Claim, Claim.seat_id == seat.id, Claim.state == ClaimState.LIVE)
            assert (1 if seat.state is SeatState.CLAIMED else 0) == live

    @invariant()
    def nobody_counts_twice_in_a_task(self) -> None:
        doubled = self.session.execute(
            select(Submission.task_id, Submission.specialist_id)
            .where(Submission.state.in_([*UNDECIDED, SubmissionState.ACCEPTED]))
            .group_by(Submission.task_id, Submission.specialist_id)
            .having(func.count() > 1)
        ).all()
        assert [] == doubled

    @invariant()
    def every_acceptance_was_charged_once(self) -> None:
        accepted = self.count(Submission, Submission.state == SubmissionState.ACCEPTED)
        reserved = ITEMS * OVERLAP * 5_40
        left = ledger.job_balance(self.session, JobId(self.job.id), "USD").minor
        assert reserved - accepted * 5_40 == left

    def teardown(self) -> None:
        self.session.close()
        self.connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        db.bind_sessions(self.former)
        self.outer.rollback()


def run(database: Engine, *, examples: int, steps: int) -> None:
    with database.connect() as connection:
        Claims.connection = connection
        run_state_machine_as_test(
            Claims,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_claims_hold_in_any_order(database: Engine) -> None:
    run(database, examples=6, steps=20)


@pytest.mark.slow
def test_claims_hold_in_any_order_for_long(database: Engine) -> None:
    run(database, examples=100, steps=50)
