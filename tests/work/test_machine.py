"""Claims under any order of events and any passing of time: overlap stays exact, every claim has
one end, every answer is kept, and what people were promised is set aside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import TypeVar

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
from marketplace.ids import ClaimId, JobId, OrganisationId, new_id
from marketplace.jobs import service as jobs
from marketplace.jobs.rules import JobState, VersionChange
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.money import Money
from marketplace.review import queries as reviewed
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.work import queries, service
from marketplace.work.models import Claim, Outcome, Seat, Submission, Task
from marketplace.work.rules import ARRIVED, WAITING, ClaimState, OutcomeKind, SeatState
from tests.make import jobs as lines
from tests.make import specialists
from tests.make import work as make

T = TypeVar("T")
ITEMS, OVERLAP, PEOPLE = 2, 2, 4
LEASE = timedelta(minutes=30)
who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 2)
HANDED_IN = (ClaimState.LIVE, ClaimState.EXPIRED, ClaimState.SUBMITTED, ClaimState.RELEASED)


class Claims(RuleBasedStateMachine):
    """One job, four doctors with two windows each, a lab that is short of money, and the clock."""

    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.outer = self.connection.begin()
        self.sessions = sessionmaker(
            self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        self.former = db.bind_sessions(self.sessions)
        self.session: Session = self.sessions()
        self.time = ExitStack()
        self.kept: dict[object, bytes] = {}
        self.items = ITEMS
        self.questions = 0

    @initialize(late_pay=st.sampled_from(["full", "half"]), spare=st.sampled_from([0, 0.5]))
    def publish(self, late_pay: str, spare: float) -> None:
        self.lab, self.job = make.published(
            self.session,
            items=ITEMS,
            overlap_min=OVERLAP,
            overlap_max=OVERLAP,
            review_sample_ratio=0.5,
            cannot_complete_ratio=0.2,
            contingency_ratio=spare,
            late_pay=late_pay,
            lease_seconds=int(LEASE.total_seconds()),
        )
        self.job_id = JobId(self.job.id)
        self.doctors = [specialists.doctor(self.session) for _ in range(PEOPLE)]
        self._spend_all_but(Money(7_00, "USD"))

    def _spend_all_but(self, rest: Money) -> None:
        lab_id = OrganisationId(self.lab.organisation())
        free = ledger.lab_balance(self.session, lab_id, "USD").available
        book.reserve_for_job(
            self.session,
            lab_id=lab_id,
            job_id=JobId(new_id()),
            amount=free - rest,
            source_id=new_id(),
        )

    def attempt(self, call: Callable[[], T]) -> T | None:
        """What a request does: all of it, or nothing and a refusal."""
        try:
            with self.session.begin_nested():
                return call()
        except Refused:
            return None

    def some(self, person: int, which: int, *states: ClaimState) -> Claim | None:
        """One of a person's claims, as the window shows it that was opened at some time."""
        found = self.session.scalars(
            select(Claim)
            .where(Claim.specialist_id == self.doctors[person].person(), Claim.state.in_(states))
            .order_by(Claim.id.desc())
            .limit(which + 1)
        ).all()
        return found[-1] if found else None

    @rule(person=who)
    def claim(self, person: int) -> None:
        self.attempt(
            lambda: routing.claim_next(self.session, self.doctors[person], job_id=self.job_id)
        )

    @rule(person=who, which=which)
    def release(self, person: int, which: int) -> None:
        claim = self.some(person, which, ClaimState.LIVE, ClaimState.EXPIRED)
        if claim is not None:
            doctor = self.doctors[person]
            service.release_claim(self.session, doctor, claim.id, fence=claim.fence)

    @rule(by=st.sampled_from([LEASE / 3, LEASE * 1.1, timedelta(days=8)]), swept=st.booleans())
    def time_passes(self, by: timedelta, swept: bool) -> None:
        self.time.enter_context(clock.shifted(by))
        if swept:
            service.expire_leases(self.session)

    @rule(person=who, which=which)
    def beat(self, person: int, which: int) -> None:
        claim = self.some(person, which, *HANDED_IN)
        if claim is not None:
            doctor = self.doctors[person]
            self.attempt(
                lambda: service.heartbeat(self.session, doctor, claim.id, fence=claim.fence)
            )

    @rule(person=who, which=which, choice=st.sampled_from(["a", "b"]), wants_next=st.booleans())
    def submit(self, person: int, which: int, choice: str, wants_next: bool) -> None:
        claim = self.some(person, which, *HANDED_IN)
        if claim is None:
            return
        handed_in = self.attempt(
            lambda: routing.submit_and_claim_next(
                self.session,
                self.doctors[person],
                ClaimId(claim.id),
                fence=claim.fence,
                envelope=make.answer(choice),
                wants_next=wants_next,
            )
        )
        if handed_in is not None:
            self.kept[handed_in.submission.id] = make.answer(choice).sha256()

    @rule(person=who, kind=st.sampled_from(list(OutcomeKind)))
    def report(self, person: int, kind: OutcomeKind) -> None:
        claim = self.some(person, 0, ClaimState.LIVE, ClaimState.EXPIRED)
        if claim is None:
            return
        # Nobody stops for their own sake in tasks of this kind: that is refused.
        self.attempt(
            lambda: routing.report_outcome(
                self.session,
                self.doctors[person],
                ClaimId(claim.id),
                fence=claim.fence,
                kind=kind,
                evidence="It is empty.",
                clearance_days=0,
            )
        )

    @rule()
    def close_gaps(self) -> None:
        """The lab closes every gap: a new version of the instructions."""
        gaps = self.session.scalars(select(Outcome.id)).all()
        note = "Call it a tie."
        self.attempt(
            lambda: routing.close_gaps(
                self.session, self.lab, self.job_id, gaps, note=note, resume=True
            )
        )

    @rule(verdict=st.sampled_from(list(Verdict)))
    def decide(self, verdict: Verdict) -> None:
        submission = self.session.scalar(
            select(Submission).where(Submission.state.in_(WAITING)).order_by(Submission.id).limit(1)
        )
        if submission is not None:
            self.attempt(lambda: make.decided(self.session, self.lab, submission, verdict))

    @rule()
    def accept_the_rest(self) -> None:
        while review.accept_next_arrived(self.session, clearance_days=0):
            continue
        waiting = select(func.count()).select_from(Submission).where(Submission.state.in_(ARRIVED))
        assert 0 == self.session.scalar(waiting)

    @rule()
    def pause_or_resume(self) -> None:
        if self.job.state is JobState.OPEN:
            jobs.pause_job(self.session, self.lab, self.job.id)
        elif self.job.state is JobState.PAUSED:
            self.attempt(lambda: routing.resume_job(self.session, self.lab, self.job_id))

    @rule(paid=st.booleans())
    def an_item_comes_late(self, paid: bool) -> None:
        """With its money, or without: then the job pauses and the item gets no seats."""
        if self.job.state is JobState.CLOSED:
            return
        if paid:
            make.money_in(self.session, self.lab, Money(20_00, "USD"))
        self.items += 1
        jobs.add_items(self.session, self.lab, self.job.id, lines.lines(1, first=self.items))
        routing.open_more_seats(self.session, self.job_id)

    @rule(change=st.sampled_from(VersionChange), cents=st.integers(1, 900))
    def change_version(self, change: VersionChange, cents: int) -> None:
        """Another question; asking judged tasks again needs money that may not be there."""
        pay = Money(cents, "USD") if change is VersionChange.REOPEN else None
        self.questions += 1
        self.attempt(
            lambda: routing.change_version(
                self.session,
                self.lab,
                self.job_id,
                change=change,
                template={"question": f"Which is safer ({self.questions})?"},
                pay=pay,
            )
        )

    @rule(sure=st.integers(0, 9))
    def close(self, sure: int) -> None:
        if self.job.state is JobState.CLOSED:
            routing.settle_closed(self.session, self.job_id)
        elif sure == 0:
            routing.close_job(self.session, self.lab, self.job_id)

    @invariant()
    def all_agrees(self) -> None:
        self.session.flush()
        self.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        self.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        checks = (queries.broken_invariants, reviewed.broken_invariants, ledger.broken_invariants)
        assert [] == [said for check in checks for said in check(self.session)]

    @invariant()
    def overlap_is_exact(self) -> None:
        aside = select(func.count()).where(
            Seat.task_id == Task.id, Seat.set_aside_at.is_not(None), Seat.state != SeatState.CLOSED
        )
        rows = self.session.execute(
            select(Task.counted, Task.wanted, aside.scalar_subquery().correlate(Task))
        )
        assert all(0 <= counted <= wanted <= OVERLAP + beside for counted, wanted, beside in rows)

    @invariant()
    def every_answer_is_kept(self) -> None:
        rows = self.session.execute(select(Submission.id, Submission.content_sha256))
        assert self.kept == {found: bytes(sha256) for found, sha256 in rows}

    def teardown(self) -> None:
        self.time.close()
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
