"""Builders of qualifications: banks, published ones, attempts and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import ClaimId, JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.specialists.models import QualificationResult
from marketplace.work import queries as work_queries
from marketplace.work.models import Claim
from tests.make import identity, work
from tests.make import jobs as make_jobs

CONCEPTS = ("dosing", "triage")


def bank_line(number: int, concept: str, *, right: str = "a", **corner: Any) -> bytes:
    """One item of a bank: the right choice is `right`."""
    payload = make_jobs.pair(number, metadata={"concept": concept, **corner})
    gold = {"judgement": {"choice": right}, "explanation": f"Because of number {number}."}
    return make_jobs.line(f"q-{number}", payload, gold=gold)


def bank(items: int, *, concepts: Sequence[str] = CONCEPTS) -> list[bytes]:
    """Items whose concepts take turns."""
    return [bank_line(n, concepts[n % len(concepts)]) for n in range(1, items + 1)]


def drafted(
    session: Session, lab: Actor, *, lines: Sequence[bytes] | None = None, **terms: Any
) -> Job:
    """A draft of a qualification: two forms of four items, unless said otherwise."""
    fields: dict[str, Any] = {"profession": None, "title": "Reading summaries"}
    fields |= {name: terms.pop(name) for name in ("pay", "profession") if name in terms}
    job = make_jobs.filled(session, lab, items=bank(8) if lines is None else lines, **fields)
    asked = {"items_a_form": 4, "forms": 2, "candidates_max": 3, "pass_ratio": 0.75}
    jobs.set_terms(session, lab, job.id, **(asked | terms))
    return job


def published(session: Session, lab: Actor | None = None, **terms: Any) -> tuple[Actor, Job]:
    """A running qualification and the lab that pays for it."""
    lab = lab or identity.lab_owner(session)
    work.money_in(session, lab, Money(1_000_00, "USD"))
    job = drafted(session, lab, **terms)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=make_jobs.FEE_BASIS_POINTS)
    session.flush()
    return lab, job


def started(session: Session, person: Actor, job: Job) -> QualificationResult:
    """An attempt that has begun."""
    attempt = routing.start_attempt(session, person, JobId(job.id))
    session.flush()
    return attempt


def answered(session: Session, person: Actor, job: Job, choices: Sequence[str]) -> None:
    """The next items of the person's attempt, answered one after another."""
    for choice in choices:
        handed_in(session, person, work.claimed(session, person, job), choice)


def handed_in(session: Session, person: Actor, claim: Claim, choice: str) -> None:
    """One answer of an attempt."""
    routing.submit_and_claim_next(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        envelope=work.answer(choice),
        wants_next=False,
    )


def sat(session: Session, person: Actor, job: Job, choices: Sequence[str]) -> QualificationResult:
    """A whole attempt with these answers; “a” is right."""
    attempt = started(session, person, job)
    answered(session, person, job, choices)
    return attempt


def item_of(session: Session, person: Actor, claim_id: ClaimId) -> Any:
    """The id of the item that a claim is about."""
    return work_queries.claim_of(session, person, claim_id).item_id


def payload_of(session: Session, person: Actor, claim_id: ClaimId) -> Any:
    """What the candidate sees of an item."""
    return work_queries.claim_of(session, person, claim_id).payload
