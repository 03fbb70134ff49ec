"""Builders of running jobs, claims and submissions; all by the real services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Unpack

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import ClaimId, JobId, OrganisationId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.review import service as review
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.work import service as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import Envelope
from tests.make import identity, jobs, specialists

CLEARANCE_DAYS = 7


def money_in(session: Session, lab: Actor, amount: Money) -> None:
    """A top-up that Stripe has confirmed, without a fee."""
    ledger.record_top_up(
        session,
        lab_id=OrganisationId(lab.organisation()),
        gross=amount,
        fee=Money(0, amount.currency),
        balance_transaction_id=f"txn_{new_id().hex}",
        effective_on=clock.now().date(),
    )


def published(
    session: Session,
    lab: Actor | None = None,
    *,
    items: int | Iterable[bytes] = 3,
    **fields: Unpack[JobFields],
) -> tuple[Actor, Job]:
    """A running job with its seats open and its money reserved, and the lab that posted it."""
    lab = lab or identity.lab_owner(session)
    money_in(session, lab, Money(10_000_00, "USD"))
    job = jobs.filled(session, lab, items=items, **fields)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=jobs.FEE_BASIS_POINTS)
    return lab, job


def claimed(session: Session, person: Actor, job: Job) -> Claim:
    """The next claim of a person; fails when there is none."""
    claim = routing.claim_next(session, person, job_id=JobId(job.id))
    assert claim is not None
    session.flush()
    return claim


def answer(choice: str = "a", **more: Any) -> Envelope:
    """A finished answer to a pairwise task."""
    return Envelope(judgement={"choice": choice}, **more)


def submitted(
    session: Session, person: Actor, job: Job, envelope: Envelope | None = None
) -> Submission:
    """The next task of the job, done by a person and routed to review where it is sampled."""
    claim = claimed(session, person, job)
    return routing.submit_and_claim_next(
        session,
        person,
        claim.id,
        fence=claim.fence,
        envelope=envelope or answer(),
        wants_next=False,
    ).submission


def submit(session: Session, person: Actor, claim: Claim, envelope: Envelope) -> Submission:
    """Hand in an answer for a claim; nobody reviews it."""
    return work.submit(session, person, ClaimId(claim.id), fence=claim.fence, envelope=envelope)


def sampled(session: Session, person: Actor, claim: Claim, envelope: Envelope) -> Submission:
    """Hand in an answer for a claim, to review where it is sampled."""
    return work.submit(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        envelope=envelope,
        reviewed=review.is_reviewed,
    )


def lapsed(session: Session, claim: Claim) -> None:
    """The claim's time runs out."""
    claim.expires_at = clock.now() - timedelta(seconds=1)
    session.flush()
    work.expire_leases(session)


def late(session: Session, person: Actor, job: Job, envelope: Envelope | None = None) -> Submission:
    """An answer to the only task of a job, whose seat somebody else has taken meanwhile."""
    claim = claimed(session, person, job)
    lapsed(session, claim)
    claimed(session, specialists.doctor(session), job)
    return routing.submit_and_claim_next(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        envelope=envelope or answer(),
        wants_next=False,
    ).submission


def decided(
    session: Session, reviewer: Actor, submission: Submission, verdict: Verdict = Verdict.ACCEPT
) -> review.Said:
    """A verdict, with a reason."""
    return review.decide(
        session,
        reviewer,
        SubmissionId(submission.id),
        verdict=verdict,
        clearance_days=CLEARANCE_DAYS,
        note="The first answer names the dose.",
    )
