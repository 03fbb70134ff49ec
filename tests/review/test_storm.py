"""Everybody at once on a few tasks: nobody waits for each other for ever, and the book agrees."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.identity.rules import Role
from marketplace.ids import ClaimId, ItemId, JobId, SubmissionId
from marketplace.jobs.models import Item, Job
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.quality import service as quality
from marketplace.quality.rules.gold import GoldCause
from marketplace.review import queries, service
from marketplace.review.models import Appeal, Brake
from marketplace.review.rules import BrakeState, OverturnCause, Verdict
from marketplace.routing import service as routing
from marketplace.work import queries as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import ClaimState, OutcomeKind
from tests.make import background, identity, specialists
from tests.make import work as make
from tests.make.appeals import NOTE, REASON
from tests.quality.test_gold import with_gold

SECONDS = 10
DOCTORS = 8


class Storm:
    """What people and the background do, one thing a transaction, at random."""

    def __init__(self, session: Session, seed: int) -> None:
        self.lab, self.job = with_gold(session, gold=3, items=16, overlap=4)
        self.job_id = JobId(self.job.id)
        self.reviewers = [identity.member(session, self.lab, Role.REVIEWER) for _ in range(2)]
        self.operations = identity.staff(session, Role.OPERATIONS)
        self.doctors = [specialists.doctor(session) for _ in range(DOCTORS)]
        self.drawn = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.wrong: list[SQLAlchemyError] = []

    def one_of(self, session: Session, column: Any, *where: Any) -> Any:
        ids = session.scalars(select(column).where(*where)).all()
        return self.drawn.choice(ids) if ids else None

    def hand_in(self, session: Session, doctor: Actor) -> None:
        claim = routing.claim_next(session, doctor, job_id=self.job_id)
        if claim is None:
            return
        routing.submit_and_claim_next(
            session,
            doctor,
            claim.id,
            fence=claim.fence,
            envelope=make.answer(self.drawn.choice("ab")),
            wants_next=self.drawn.random() < 0.5,
        )

    def finish(self, session: Session, doctor: Actor) -> None:
        claim = session.scalars(
            select(Claim).where(
                Claim.specialist_id == doctor.person(), Claim.state == ClaimState.LIVE
            )
        ).first()
        if claim is None:
            return
        if self.drawn.random() < 0.2:
            kind = OutcomeKind.CANNOT_COMPLETE
            routing.report_outcome(
                session, doctor, ClaimId(claim.id), fence=claim.fence, kind=kind,
                evidence=REASON, clearance_days=0,
            )  # fmt: skip
        elif self.drawn.random() < 0.2:
            make.lapsed(session, claim)
        else:
            routing.submit_and_claim_next(
                session, doctor, claim.id, fence=claim.fence, envelope=make.answer("b"),
                wants_next=False,
            )  # fmt: skip

    def decide(self, session: Session, reviewer: Actor) -> None:
        given = self.one_of(session, Submission.id)
        if given is not None:
            verdict = self.drawn.choice(list(Verdict))
            service.decide(
                session, reviewer, SubmissionId(given), verdict=verdict, clearance_days=0, note=NOTE
            )

    def overturn(self, session: Session) -> None:
        given = self.one_of(session, Submission.id)
        if given is not None:
            service.overturn(
                session,
                SYSTEM,
                SubmissionId(given),
                verdict=self.drawn.choice([Verdict.ACCEPT, Verdict.REJECT]),
                cause=OverturnCause.INTEGRITY,
                note=NOTE,
                clearance_days=0,
            )

    def appeal(self, session: Session) -> None:
        doctor = self.drawn.choice(self.doctors)
        given = self.one_of(session, Submission.id, Submission.specialist_id == doctor.person())
        if given is not None:
            service.file_appeal(session, doctor, SubmissionId(given), reason=REASON)

    def decide_appeal(self, session: Session) -> None:
        appeal: UUID | None = self.one_of(session, Appeal.id, Appeal.ended_at.is_(None))
        if appeal is None:
            return
        service.say_side(session, self.lab, appeal, statement=REASON)
        service.take_appeal(session, self.operations, appeal)
        service.decide_appeal(
            session, self.operations, appeal, upheld=self.drawn.random() < 0.7, note=NOTE,
            clearance_days=0,
        )  # fmt: skip

    def change_gold(self, session: Session) -> None:
        item = self.one_of(session, Item.id, Item.gold["judgement"].is_not(None))
        if item is not None:
            judgement = {"choice": self.drawn.choice("ab")}
            service.change_gold(
                session, self.lab, ItemId(item), judgement=judgement, cause=GoldCause.CORRECTED,
                note=NOTE, clearance_days=0,
            )  # fmt: skip

    def score(self, session: Session) -> None:
        given = self.one_of(session, Submission.id)
        if given is not None:
            quality.score_next(session, SubmissionId(given))

    def settle_brake(self, session: Session) -> None:
        """Let held rejections go, or confirm and carry one out."""
        brake: UUID | None = self.one_of(session, Brake.id, Brake.state == BrakeState.HOLDING)
        if brake is not None and self.drawn.random() < 0.5:
            service.release_brake(session, self.lab, brake, reason=NOTE)
        elif brake is not None:
            service.confirm_brake(session, self.lab, brake, reason=NOTE)
            session.flush()
            service.confirm_brake(session, self.operations, brake, reason=NOTE)

    def carry(self, session: Session) -> None:
        brake: UUID | None = self.one_of(session, Brake.id, Brake.state == BrakeState.CONFIRMED)
        if brake is not None:
            service.carry_next_held(session, brake, clearance_days=0)

    def raise_pay(self, session: Session) -> None:
        if self.drawn.random() < 0.05:
            more = session.get_one(Job, self.job_id).pay + Money(1_00, "USD")
            routing.change_job(session, self.lab, self.job_id, pay=more)

    def accept(self, session: Session) -> None:
        service.accept_next_arrived(session, clearance_days=0)

    def clear(self, session: Session) -> None:
        service.clear_next_due(session)

    def settle(self, session: Session) -> None:
        if self.drawn.random() < 0.005:
            routing.close_job(session, self.lab, self.job_id)
        for job_id in routing.unsettled_jobs(session):
            routing.settle_closed(session, job_id)

    def lines(self) -> Sequence[Sequence[Callable[[Session], None]]]:
        """What each thread does, in turn."""
        doctors = [
            (lambda s, d=each: self.hand_in(s, d), lambda s, d=each: self.finish(s, d))
            for each in self.doctors[:3]
        ]
        others = [
            (lambda s, d=each: self.hand_in(s, d), lambda s, d=each: self.finish(s, d))
            for each in self.doctors[3:]
        ]
        return (
            *doctors,
            [each for pair in others for each in pair],
            [lambda s: self.decide(s, self.reviewers[0]), self.appeal],
            [lambda s: self.decide(s, self.reviewers[1]), self.decide_appeal],
            [self.overturn, self.clear],
            [self.change_gold, self.score, self.settle],
            [self.accept, self.clear, self.score],
            [self.settle_brake, self.carry, self.carry, self.raise_pay],
        )

    def fit(self) -> None:
        """What the worker computes meanwhile, again and again."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            background.run("quality.fit_job", job_id=str(self.job_id))
            time.sleep(0.2)

    def run(self, line: Sequence[Callable[[Session], None]]) -> None:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and len(self.wrong) < 20:
            for step in line:
                try:
                    with transaction() as session:
                        step(session)
                    self.done["done"] += 1
                except Refused as refused:
                    self.done[type(refused).__name__] += 1
                except SQLAlchemyError as wrong:
                    self.wrong.append(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_a_storm_of_everything_ends_with_a_sound_book(committed: Engine, seed: int) -> None:
    with transaction() as session:
        storm = Storm(session, seed)
    lines = storm.lines()
    with ThreadPoolExecutor(len(lines) + 1) as pool:
        fitting = pool.submit(storm.fit)
        list(pool.map(storm.run, lines))
        fitting.result()
    background.number_facts()
    with transaction() as session:
        checks = (ledger.broken_invariants, work.broken_invariants, queries.broken_invariants)
        assert [] == [said for check in checks for said in check(session)]
    kinds = Counter(f"{type(each).__name__}: {str(each)[:500]}" for each in storm.wrong)
    assert not kinds, kinds.most_common(6)
    assert storm.done["done"] > 100  # The storm was one.
