"""Rejecting, clearing and appealing at the same moment, on real connections: one of them wins."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import Engine, func, select, text

from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.errors import Refused
from marketplace.identity.rules import Role
from marketplace.ids import ItemId, SubmissionId
from marketplace.jobs.models import Item
from marketplace.ledger import queries as ledger
from marketplace.quality.models import Skill
from marketplace.quality.rules.gold import GoldCause
from marketplace.review import queries, service
from marketplace.review.models import Accrual, Appeal, Decision
from marketplace.review.rules import AppealState, OverturnCause, Verdict
from marketplace.work import queries as work
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState
from tests.make import appeals as make_appeals
from tests.make import identity, specialists
from tests.make import work as make
from tests.make.appeals import NOTE, REASON
from tests.quality.test_gold import scored, with_gold

ITEMS = 6


def broken() -> list[str]:
    with transaction() as session:
        checks = (ledger.broken_invariants, work.broken_invariants, queries.broken_invariants)
        return [said for check in checks for said in check(session)]


def overturned(submission_id: SubmissionId, verdict: Verdict, cause: OverturnCause) -> bool:
    """Overturn in a transaction of its own; False where it was refused."""
    try:
        with transaction() as session:
            service.overturn(
                session,
                SYSTEM,
                submission_id,
                verdict=verdict,
                cause=cause,
                note=NOTE,
                clearance_days=0,
            )
    except Refused:
        return False
    return True


def test_scenario_30_of_rejecting_and_clearing_at_once_each_finds_what_the_other_did(
    committed: Engine,
) -> None:
    with transaction() as session:
        lab, job = make.published(session, items=ITEMS, review_sample_ratio=1.0)
        doctor = specialists.doctor(session)
        ids = []
        for _ in range(ITEMS):
            given = make.submitted(session, doctor, job)
            service.decide(session, lab, given.id, verdict=Verdict.ACCEPT, clearance_days=0)
            ids.append(SubmissionId(given.id))

    def clear() -> int:
        cleared = 0
        while True:
            with transaction() as session:
                if not service.clear_next_due(session):
                    return cleared
            cleared += 1

    reject = partial(overturned, verdict=Verdict.REJECT, cause=OverturnCause.INTEGRITY)
    with ThreadPoolExecutor(3) as pool:
        clearing = pool.submit(clear)
        rejecting = [pool.submit(lambda: [reject(each) for each in ids]) for _ in range(2)]
        clearing.result()
        won = [each.result() for each in rejecting]

    assert [True] * ITEMS == [one != other for one, other in zip(*won, strict=True)]
    with transaction() as session:
        reversals = select(func.count()).where(Accrual.reversed_at.is_not(None))
        assert ITEMS == session.scalar(reversals)
        have = ledger.specialist_balances(session, doctor.person())["USD"]
        assert (0, 0, 0) == (have.pending.minor, have.available.minor, have.owed.minor)
    assert [] == broken()


def test_of_an_appeal_and_a_second_look_at_once_one_overturns(committed: Engine) -> None:
    with transaction() as session:
        _, _, doctor, submission = make_appeals.rejected(session)
        operations = identity.staff(session, Role.OPERATIONS)
        appeal = make_appeals.filed(session, doctor, submission)
        lab = session.get_one(Decision, appeal.decision_id).reviewer_id
        service.take_appeal(session, operations, appeal.id)
        appeal.statement, appeal.statement_by, appeal.statement_at = REASON, lab, appeal.filed_at

    def uphold() -> bool:
        try:
            with transaction() as session:
                service.decide_appeal(
                    session, operations, appeal.id, upheld=True, note=NOTE, clearance_days=0
                )
        except Refused:
            return False
        return True

    look: Callable[[], bool] = partial(
        overturned, SubmissionId(submission.id), Verdict.ACCEPT, OverturnCause.SECOND_LOOK
    )
    with ThreadPoolExecutor(2) as pool:
        won = [each.result() for each in [pool.submit(uphold), pool.submit(look)]]

    assert 1 == sum(won)
    with transaction() as session:
        state = session.scalars(select(Appeal.state)).one()
        assert (AppealState.UPHELD if won[0] else AppealState.OVERTAKEN) is state
        assert 2 == session.scalar(select(func.count()).select_from(Decision))
    assert [] == broken()


def test_gold_is_withdrawn_beside_a_verdict_on_its_task_and_pays_whom_it_wronged(
    committed: Engine,
) -> None:
    with transaction() as session:
        lab, job = with_gold(session, gold=1, items=1)
        doctors = sorted((specialists.doctor(session) for _ in range(3)), key=Actor.person)
        given = [make.submitted(session, each, job, make.answer("b")) for each in doctors]
        ids = [SubmissionId(each.id) for each in given]
        reviewer = identity.member(session, lab, Role.REVIEWER)
    scored()
    with transaction() as session:
        for each in (ids[0], ids[2]):
            service.decide(
                session, reviewer, each, verdict=Verdict.REJECT, clearance_days=0, note=NOTE
            )

    def withdraw() -> None:
        with transaction() as session:
            item = session.scalars(select(Item.id)).one()
            service.change_gold(
                session, lab, ItemId(item), judgement=None, cause=GoldCause.WITHDRAWN, note=NOTE,
                clearance_days=0,
            )  # fmt: skip

    def accept() -> None:
        with transaction() as session:
            service.decide(session, reviewer, ids[1], verdict=Verdict.ACCEPT, clearance_days=0)

    # The last person's skill is held, so that the one has the first two, and the other comes.
    with ThreadPoolExecutor(2) as pool:
        with transaction() as session:
            last = select(Skill).where(Skill.person_id == doctors[2].person())
            session.scalars(last.with_for_update()).one()
            both = [pool.submit(withdraw)]
            wait_for_waiting(committed, 1)
            both.append(pool.submit(accept))
            wait_for_waiting(committed, 2)
        for waited in both:
            waited.result()

    with transaction() as session:
        assert [SubmissionState.ACCEPTED] * 3 == session.scalars(select(Submission.state)).all()
        for doctor in doctors:
            have = ledger.specialist_balances(session, doctor.person())["USD"]
            assert job.pay == have.pending
    assert [] == broken()


def wait_for_waiting(engine: Engine, count: int) -> None:
    """Until so many connections wait for a lock that another one has."""
    asked = text("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with engine.connect() as connection:
            if connection.scalar(asked) >= count:
                return
        time.sleep(0.01)
    raise AssertionError(f"Fewer than {count} wait.")
