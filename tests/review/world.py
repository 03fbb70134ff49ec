"""A lab with several reviewers, and a job whose every answer one of them looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import JobId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.review import queries, service
from marketplace.review.rules import Policy, Verdict
from marketplace.work import queries as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import ClaimState
from tests.make import identity, specialists
from tests.make import work as make

WHY = "The other answer names the dose, and this one does not."


@dataclass
class World:
    """owner: of the lab; reviewers: two more; doctors: who answer, in turn."""

    session: Session
    owner: Actor
    job: Job
    reviewers: tuple[Actor, Actor]
    doctors: list[Actor] = field(default_factory=list)

    @property
    def job_id(self) -> JobId:
        return JobId(self.job.id)

    def answered(self, choice: str = "a", doctor: Actor | None = None) -> Submission:
        person = doctor or specialists.doctor(self.session)
        self.doctors.append(person)
        return make.submitted(self.session, person, self.job, make.answer(choice))

    def again(self, doctor: Actor, choice: str) -> Submission:
        """What came back to a doctor, handed in once more."""
        claim = self.session.scalars(
            select(Claim).where(
                Claim.specialist_id == doctor.person(), Claim.state == ClaimState.LIVE
            )
        ).one()
        return make.sampled(self.session, doctor, claim, make.answer(choice))

    def said(
        self,
        submission: Submission,
        verdict: Verdict = Verdict.ACCEPT,
        *,
        by: Actor | None = None,
        defects: Any = (),
    ) -> service.Said:
        said = service.decide(
            self.session,
            by or self.owner,
            SubmissionId(submission.id),
            verdict=verdict,
            clearance_days=make.CLEARANCE_DAYS,
            note=WHY,
            defects=defects,
        )
        self.session.flush()
        return said

    def sound(self) -> list[str]:
        self.session.flush()
        checks = (ledger.broken_invariants, work.broken_invariants, queries.broken_invariants)
        return [said for check in checks for said in check(self.session)]

    def pending(self, doctor: Actor) -> int:
        have = ledger.specialist_balances(self.session, doctor.person()).get("USD")
        return have.pending.minor if have else 0


def world(session: Session, *, policy: Policy | None = None, **fields: Any) -> World:
    """A running job of a lab with an owner and two reviewers; all is reviewed."""
    owner, job = make.published(session, **({"items": 2, "review_sample_ratio": 1.0} | fields))
    first = identity.member(session, owner, Role.REVIEWER, name="Reviewer One")
    second = identity.member(session, owner, Role.REVIEWER, name="Reviewer Two")
    if policy is not None:
        service.set_policy(session, owner, JobId(job.id), policy)
    return World(session, owner, job, (first, second))
