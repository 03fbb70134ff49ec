"""Stopping for one's own sake: no reason, no loss of standing, and pay for what is done."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.endpoints import gateway
from marketplace.errors import Faulty
from marketplace.ids import ClaimId, JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.work import queries, service
from marketplace.work.models import Claim, Seat
from marketplace.work.rules import ClaimState, Interval, IntervalKind, OutcomeKind, SeatState
from tests.make import endpoints, identity, specialists
from tests.make import work as make
from tests.make.jobs import FEE_BASIS_POINTS
from tests.tasktypes.examples import EXAMPLES

EXAMPLE = EXAMPLES["red_team"]


def red_team_job(session: Session, **template: Any) -> tuple[Actor, Job]:
    """A running job of one red-team dialogue that pays 30 dollars and is to take 100 seconds."""
    lab = identity.lab_owner(session)
    make.money_in(session, lab, Money(1_000_00, "USD"))
    asked = {**EXAMPLE.template, **template}
    job = jobs.create_job(
        session,
        lab,
        task_type="red_team",
        title="Attacks on a nurse",
        domain="cardiology",
        instructions_md="Say how far it got.",
        profession="medicine",
        pay=Money(30_00, "USD"),
        template=asked,
        expected_seconds=100,
        contingency_ratio=1,
    )
    row = {"external_id": "item-1", "payload": EXAMPLE.payload}
    jobs.add_items(session, lab, JobId(job.id), [json.dumps(row).encode()])
    endpoints.wanted(session, lab, asked)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=FEE_BASIS_POINTS)
    return lab, job


def opt_out(session: Session, person: Actor, claim: Claim) -> Money | None:
    """Stop without a word; what it earned."""
    return routing.report_outcome(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        kind=OutcomeKind.OPTED_OUT,
        evidence="",
        clearance_days=7,
    ).earned


def worked(session: Session, person: Actor, claim: Claim, seconds: int) -> None:
    """Time that the page reports, once it has been looked at."""
    queries.claim_of(session, person, claim.id)
    begun = claim.claimed_at
    spent = Interval(IntervalKind.READING, begun, begun + timedelta(seconds=seconds))
    with clock.shifted(timedelta(seconds=seconds)):
        service.heartbeat(session, person, claim.id, fence=claim.fence, intervals=[spent])


def test_who_stops_is_paid_for_the_time_and_the_seat_is_free_again(session: Session) -> None:
    lab, job = red_team_job(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    worked(session, doctor, claim, 40)

    with clock.shifted(timedelta(seconds=41)):
        earned = opt_out(session, doctor, claim)

    assert Money(12_00, "USD") == earned
    assert (
        Money(12_00, "USD") == ledger.specialist_balances(session, doctor.person())["USD"].pending
    )
    seat = session.get_one(Seat, claim.seat_id)
    assert (ClaimState.REPORTED, SeatState.OPEN) == (claim.state, seat.state)
    # The lab learns that it happened; nobody is offered the same words again.
    progress = queries.progress_of(session, lab, JobId(job.id))
    assert (1, 0) == (progress.opted_out, progress.cannot_complete)
    assert routing.claim_next(session, doctor, job_id=JobId(job.id)) is None
    assert routing.claim_next(session, specialists.doctor(session), job_id=JobId(job.id))
    assert [] == ledger.broken_invariants(session)


def test_longer_than_expected_earns_no_more_than_the_task(session: Session) -> None:
    _, job = red_team_job(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    worked(session, doctor, claim, 900)

    with clock.shifted(timedelta(seconds=901)):
        assert Money(30_00, "USD") == opt_out(session, doctor, claim)


# Judging what was held counts as a turn: as the fourth, and as the second.
@pytest.mark.parametrize(("least", "held"), [(3, 2), (0, 1)])
def test_turns_that_were_held_are_paid(session: Session, least: int, held: int) -> None:
    with endpoints.models():
        _, job = red_team_job(session, mode="live", endpoint="echo", turns_min=least)
        doctor = specialists.doctor(session)
        claim = make.claimed(session, doctor, job)
        for turn in range(1, held + 1):
            who: dict[str, Any] = {"fence": claim.fence, "turn": turn}
            service.say(session, doctor, claim.id, text="And then?", **who)
            question = service.ask_models(session, doctor, claim.id, **who)
            assert question is not None
            service.record_replies(session, question, gateway.ask(question.calls))

        assert Money(15_00, "USD") == opt_out(session, doctor, claim)


def test_other_tasks_are_given_back(session: Session) -> None:
    _, job = make.published(session)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)

    with pytest.raises(Faulty, match="given back"):
        opt_out(session, doctor, claim)
