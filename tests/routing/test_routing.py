"""Eligibility with its reasons, quotes, publishing, late items, pay that rises, closing."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Faulty, Missing
from marketplace.ids import JobId, OrganisationId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobFields, JobState, PauseReason
from marketplace.ledger import queries as ledger
from marketplace.ledger.service import InsufficientFunds
from marketplace.money import Money
from marketplace.routing import queries, service
from marketplace.routing.models import JobReserve
from marketplace.routing.rules import NotEligible, NotOpen
from marketplace.work import service as work
from marketplace.work.models import Seat
from marketplace.work.rules import SeatState
from tests.make import identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make


def available(session: Session, lab: Actor) -> int:
    return ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available.minor


def reasons(session: Session, person: Actor, **fields: object) -> tuple[str, ...]:
    _, job = make.published(session, **fields)  # type: ignore[arg-type]
    return queries.eligibility(session, person, JobId(job.id)).reasons


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"profession": "law"}, "law"),
        ({"specialties": ["radiology"]}, "radiology"),
        ({"jurisdictions": ["US-NY"]}, "US-NY"),
        ({"languages": ["de"]}, "de"),
    ],
)
def test_each_unmet_condition_is_one_reason(session: Session, fields: JobFields, word: str) -> None:
    doctor = specialists.doctor(session)

    told = reasons(session, doctor, **fields)

    assert 1 == len(told)
    assert word in told[0]


def test_a_level_too_low_is_a_reason(session: Session) -> None:
    told = reasons(session, specialists.doctor(session, level=2), credential_level_min=4)

    assert 1 == len(told)
    assert "L4" in told[0]


def test_a_country_takes_a_licence_of_its_parts(session: Session) -> None:
    assert () == reasons(session, specialists.doctor(session), jurisdictions=["US"])


def test_one_credential_must_meet_everything_at_once(session: Session) -> None:
    doctor = specialists.doctor(session, level=4)
    specialists.verified(
        session,
        doctor,
        level=2,
        jurisdiction="US-NY",
        identifier="123456",
        specialties=("internal_medicine",),
    )

    told = reasons(session, doctor, jurisdictions=["US-NY"], specialties=["cardiology"])

    assert 1 == len(told)
    assert "at once" in told[0]


def test_nobody_works_for_their_own_organisation(session: Session) -> None:
    owner = identity.lab_owner(session, is_specialist=True)
    _, job = make.published(session, owner, profession=None)
    as_specialist = identity.specialist_self(owner)

    told = queries.eligibility(session, as_specialist, JobId(job.id)).reasons

    assert ["It was posted by an organisation that you belong to."] == list(told)
    assert [] == queries.feed(session, as_specialist)


def test_the_count_agrees_with_the_reasons(session: Session) -> None:
    lab, job = make.published(session)
    for level in (4, 2):
        specialists.doctor(session, level=level)
    identity.specialist(session)

    assert 2 == queries.eligible_count(session, lab, JobId(job.id))


def test_the_ineligible_cannot_claim_and_do_not_see_the_job(session: Session) -> None:
    _, job = make.published(session)
    stranger = identity.specialist(session)

    assert [] == queries.feed(session, stranger)
    assert [job.id] == [other.id for other, _ in queries.other_jobs(session, stranger)]
    with pytest.raises(NotEligible):
        service.claim_next(session, stranger, job_id=JobId(job.id))


def test_a_draft_is_nobodys_business(session: Session) -> None:
    job = make_jobs.filled(session, identity.lab_owner(session))

    with pytest.raises(Missing):
        queries.eligibility(session, specialists.doctor(session), JobId(job.id))


def test_a_quote_states_least_and_most_and_is_honest_without_data(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab, items=3, overlap_min=1, overlap_max=2)
    specialists.doctor(session)

    quote = service.quote_job(session, lab, JobId(job.id), fee_basis_points=2_000)

    assert (3 * 5_40, 6 * 5_40) == (
        quote.estimate.least.total.minor,
        quote.estimate.most.total.minor,
    )
    assert (None, None) == (quote.forecast.p50, quote.forecast.p90)
    assert "too few" in quote.forecast.note


def test_publishing_reserves_the_most_or_changes_nothing(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.filled(session, lab, items=3, overlap_min=1, overlap_max=2)
    make.money_in(session, lab, Money(6 * 5_40 - 1, "USD"))

    with pytest.raises(InsufficientFunds), session.begin_nested():
        service.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    session.refresh(job)
    assert JobState.DRAFT is job.state

    make.money_in(session, lab, Money(1, "USD"))
    service.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    assert 0 == available(session, lab)
    assert 3 == len(session.scalars(select(Seat).where(Seat.job_id == job.id)).all())


def test_an_empty_job_cannot_be_published(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make_jobs.draft(session, lab)

    with pytest.raises(Faulty):
        service.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)


def test_a_paused_job_hands_out_nothing(session: Session) -> None:
    lab, job = make.published(session)
    jobs.pause_job(session, lab, job.id)
    doctor = specialists.doctor(session)

    assert [] == queries.feed(session, doctor)
    with pytest.raises(NotOpen):
        service.claim_next(session, doctor, job_id=JobId(job.id))


def late_items(session: Session, lab: Actor, job: Job, count: int) -> None:
    jobs.add_items(session, lab, job.id, make_jobs.lines(count, first=100))
    while service.open_more_seats(session, JobId(job.id)):
        continue


def test_late_items_are_paid_for_and_get_seats(session: Session) -> None:
    lab, job = make.published(session, items=1)
    before = available(session, lab)

    late_items(session, lab, job, 2)

    assert 2 * 5_40 == before - available(session, lab)
    assert 3 == len(session.scalars(select(Seat).where(Seat.job_id == job.id)).all())


def test_a_job_pauses_when_its_money_ends_and_resumes_when_there_is_more(
    session: Session,
) -> None:
    lab = identity.lab_owner(session)
    make.money_in(session, lab, Money(5_40, "USD"))
    job = make_jobs.filled(session, lab, items=1)
    service.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)

    late_items(session, lab, job, 1)
    session.refresh(job)
    assert (JobState.PAUSED, PauseReason.MONEY) == (job.state, job.pause_reason)
    with pytest.raises(InsufficientFunds), session.begin_nested():
        service.resume_job(session, lab, JobId(job.id))

    make.money_in(session, lab, Money(5_40, "USD"))
    service.resume_job(session, lab, JobId(job.id))
    assert JobState.OPEN is job.state


def test_pay_rises_for_new_claims_with_the_money_reserved(session: Session) -> None:
    lab, job = make.published(session, items=2)
    doctor = specialists.doctor(session)
    former = make.claimed(session, doctor, job)
    before = available(session, lab)

    service.change_job(session, lab, JobId(job.id), pay=Money(5_00, "USD"))

    assert (4_50, 5_00) == (former.pay.minor, make.claimed(session, doctor, job).pay.minor)
    assert 2 * 60 == before - available(session, lab)
    with pytest.raises(Conflict):
        service.change_job(session, lab, JobId(job.id), pay=Money(4_00, "USD"))


def test_closing_gives_back_what_is_not_needed_and_keeps_what_is(session: Session) -> None:
    lab, job = make.published(session, items=3, review_sample_ratio=1.0)
    start = available(session, lab) + 3 * 5_40
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    submission = make.submitted(session, doctor, job)
    in_hand = make.claimed(session, other, job)

    service.close_job(session, lab, JobId(job.id))

    assert start - 2 * 5_40 == available(session, lab)
    states = session.scalars(select(Seat.state).where(Seat.job_id == job.id)).all()
    assert {SeatState.SUBMITTED, SeatState.CLAIMED, SeatState.CLOSED} == set(states)
    make.decided(session, lab, submission)
    late = service.submit_and_claim_next(
        session, other, in_hand.id, fence=in_hand.fence, envelope=make.answer(), wants_next=False
    ).submission
    make.decided(session, lab, late)
    service.settle_closed(session, JobId(job.id))
    assert 0 == ledger.job_balance(session, JobId(job.id), "USD").minor
    assert session.get_one(JobReserve, JobId(job.id)).settled_at is not None


def test_a_seat_given_back_after_closing_stays_closed(session: Session) -> None:
    lab, job = make.published(session, items=1)
    doctor = specialists.doctor(session)
    claim = make.claimed(session, doctor, job)
    service.close_job(session, lab, JobId(job.id))

    work.release_claim(session, doctor, claim.id, fence=claim.fence)
    service.settle_closed(session, JobId(job.id))

    assert SeatState.CLOSED is session.get_one(Seat, claim.seat_id).state
    assert 0 == ledger.job_balance(session, JobId(job.id), "USD").minor
