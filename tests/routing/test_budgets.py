"""Spend limits, budgets and bonuses: asked where money is set aside, never passed together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.billing.service import watching
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import JobId, OrganisationId, PersonId, SubmissionId
from marketplace.jobs import service as job_service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.money import Money
from marketplace.review import queries as review_queries
from marketplace.review.rules import Verdict
from marketplace.routing import queries, service
from marketplace.routing.rules import OverBudget, OverLimit
from tests.make import identity, jobs
from tests.make import work as make
from tests.make.ledger import usd


def limit(session: Session, owner: Actor, member: Actor, amount: Money | None) -> None:
    service.set_limit(session, owner, PersonId(member.person()), "USD", amount)


def publish(session: Session, member: Actor, job: Job) -> Job:
    fee = jobs.FEE_BASIS_POINTS
    return service.publish_job(session, member, JobId(job.id), fee_basis_points=fee)


def cost(session: Session, job: Job) -> Money:
    return ledger.job_balance(session, JobId(job.id), "USD")


def test_a_member_reserves_within_their_month(session: Session) -> None:
    owner, first = make.published(session)
    member = identity.member(session, owner, Role.MANAGER)
    price = cost(session, first)
    limit(session, owner, member, price + usd(1))
    publish(session, member, jobs.filled(session, member))

    with pytest.raises(OverLimit, match="a month"):
        publish(session, member, jobs.filled(session, member))
    with pytest.raises(Denied):
        limit(session, member, member, None)
    with pytest.raises(Missing):
        limit(session, owner, identity.specialist(session), usd(1))

    month = clock.now().date().replace(day=1)
    told = {one.person_id: one for one in queries.member_spends(session, owner, "USD", month)}
    assert (price + usd(1), price) == (
        told[PersonId(member.person())].month_max,
        told[PersonId(member.person())].spent,
    )
    limit(session, owner, member, None)
    publish(session, member, jobs.filled(session, member))


def test_two_reservations_at_once_do_not_pass_a_limit_together(committed: Engine) -> None:
    with transaction() as session:
        owner, first = make.published(session)
        drafts = [jobs.filled(session, owner).id for _ in range(3)]
        limit(session, owner, owner, cost(session, first) * 2)
    barrier = Barrier(3)

    def one(job_id: UUID) -> bool:
        barrier.wait(timeout=10)
        try:
            with transaction() as session:
                publish(session, owner, session.get_one(Job, job_id))
        except OverLimit:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert [False, False, True] == sorted(pool.map(one, drafts))


def test_a_job_keeps_to_its_budget_and_pauses_for_later_items(session: Session) -> None:
    owner = identity.lab_owner(session)
    make.money_in(session, owner, usd(10_000_00))
    job = jobs.filled(session, owner)
    service.set_budget(session, owner, job.id, usd(1))
    with pytest.raises(OverBudget, match="budget"), session.begin_nested():
        publish(session, owner, job)
    service.set_budget(session, owner, job.id, usd(5_000_00))
    publish(session, owner, job)
    price = cost(session, job)
    service.set_budget(session, owner, job.id, price + usd(1))
    with pytest.raises(OverBudget), session.begin_nested():
        service.change_job(session, owner, JobId(job.id), pay=job.pay + usd(5_00))
    session.expire_all()
    spend = queries.job_spend(session, owner, job.id)
    assert spend is not None
    assert (price + usd(1), price) == (spend.budget, spend.reserved)
    with pytest.raises(Faulty):
        service.set_budget(session, owner, job.id, Money(1, "EUR"))


def test_labs_that_stay_low_keep_no_other_from_its_letter(session: Session) -> None:
    for _ in range(2):
        watching.set_watch(session, identity.lab_owner(session), usd(100_00), resumes_jobs=False)

    assert [1, 1, 0] == [watching.watch_balances(session, most=1) for _ in range(3)]


def test_a_job_that_ran_out_of_money_resumes_by_itself_where_its_lab_said_so(
    session: Session,
) -> None:
    owner = identity.lab_owner(session)
    make.money_in(session, owner, usd(10_000_00))
    job = publish(session, owner, jobs.filled(session, owner))
    held = cost(session, job)
    lab = OrganisationId(owner.organisation())
    available = ledger.lab_balance(session, lab, "USD").available
    book.reserve_refund(session, lab_id=lab, amount=available, refund_id="all of it")
    job_service.add_items(session, owner, job.id, jobs.lines(2, first=50))
    assert not service.open_more_seats(session, JobId(job.id))
    assert (JobState.PAUSED, PauseReason.MONEY) == (job.state, job.pause_reason)
    assert watching.next_to_resume(session) is None
    watching.set_watch(session, owner, usd(100_00), resumes_jobs=True)
    assert 1 == watching.watch_balances(session)
    assert 0 == watching.watch_balances(session)
    assert not watching.resume(session, JobId(job.id))
    assert JobState.PAUSED is job.state

    make.money_in(session, owner, usd(500_00))
    assert job.id == watching.next_to_resume(session)
    assert watching.next_to_resume(session, after=JobId(job.id)) is None
    assert watching.resume(session, JobId(job.id))
    assert 0 == watching.watch_balances(session)

    assert (JobState.OPEN, True) == (job.state, cost(session, job) > held)


def test_a_bonus_is_paid_once_and_clears_like_other_pay(session: Session) -> None:
    owner, job = make.published(session, profession=None)
    person = identity.specialist(session)
    submission = make.submitted(session, person, job)

    def given(amount: Money, key: str = "once") -> UUID:
        return service.give_bonus(
            session,
            owner,
            SubmissionId(submission.id),
            amount,
            words="A source that we had not found.",
            once_key=key,
            clearance_days=7,
        ).id

    with pytest.raises(Conflict):
        given(usd(1_00))
    make.decided(session, owner, submission, Verdict.ACCEPT)
    before = ledger.balance(session, f"L:spec:{person.person()}:pending:USD")

    assert given(usd(2_00)) == given(usd(2_00))
    with pytest.raises(Faulty):
        given(usd(0), "other")
    limit(session, owner, owner, usd(0))
    with pytest.raises(OverLimit):
        given(usd(2_00), "other")

    after = ledger.balance(session, f"L:spec:{person.person()}:pending:USD")
    assert usd(2_00) == after - before
    (bonus,) = review_queries.bonuses_of(session, [submission.id])
    assert bonus.fee == usd(2_00).portion(jobs.FEE_BASIS_POINTS)
    earned = review_queries.earnings_of(session, identity.specialist_self(person))
    assert ["bonus", "accepted"] == [one.accrual.kind.value for one in earned]
    assert [] == review_queries.broken_invariants(session)
    assert [] == ledger.broken_invariants(session)
